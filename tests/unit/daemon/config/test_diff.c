/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The difference between two configurations, as text: what each new instance is to the running ones, and
 * which of those end.
 */
#include "daemon/config/diff.h"
#include "support/config_file.h"

struct world {
	struct config *before, *after;
	const struct config_instance *running[CONFIG_INSTANCES_MAX];
	struct config_diff diff;
};

/* The running instances have consecutive slots, starting with `first`. */
static void load(struct world *world, const char *before, const char *after, unsigned first)
{
	*world = (struct world){.before = load_good(before), .after = load_good(after)};
	config_filters_share(world->after, world->before);
	for (size_t i = 0; i < world->before->instance_count; i++)
		world->running[first + i] = &world->before->instances[i];
}

static void unload(struct world *world)
{
	config_free(world->before);
	config_free(world->after);
}

/* "a=0 b~1 c+2 -3": kept, changed and added instances with their slots, and slots that end. */
static const char *plan_text(struct world *world)
{
	static char text[4096];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < world->after->instance_count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s%c%d", i > 0 ? " " : "",
		                         world->after->instances[i].name, "=~+"[world->diff.kinds[i]],
		                         world -> diff.slots[i]);
	for (int slot = 0; slot < CONFIG_INSTANCES_MAX; slot++)
		if (world->diff.removed >> slot & 1)
			used += (size_t)snprintf(text + used, sizeof text - used, " -%d", slot);
	return text;
}

static void plans(void **state)
{
	static const struct {
		const char *before, *after, *plan;
	} rows[] = {
		{"a ==> b", "a ==> b", "a=0"},
		{"a ==> b", "a ==> b # the same\n", "a=0"},
		{"a ==> b", "a ==> b c", "a~0"},
		{"a ==> b c", "a ==> c b", "a~0"}, /* order matters for patterns */
		{"a ==> b", "protocol IGMPv3\na ==> b", "a~0"},
		{"a ==> b", "instances = ( \"a ==> b\" );", "a~0"},
		{"a ==> b\nc ==> d", "c ==> d\na ==> b", "c=1 a=0"},
		{"a ==> b\nc ==> d", "c ==> d", "c=1 -0"},
		{"a ==> b", "a ==> b\nc ==> d", "a=0 c+1"},
		{"a ==> b\nc ==> d", "e ==> f\nc ==> d", "e+2 c=1 -0"},
		/* By a downstream link, as the last resort. */
		{"a ==> b c\nd ==> e", "d ==> e\nf ==> g c", "d=1 f~0"},
		{"==> b", "==> b", "b=0"},
		{"==> b", "==> c", "c+1 -0"},
		{"==> b c", "==> b", "b~0"},
		{"==> b", "a ==> b", "a~0"},
		/* By name first. */
		{"instances = ( { name = \"x\"; upstream = \"a\"; downstream = \"b\"; } );",
	         "instances = ( { name = \"x\"; upstream = \"c\"; downstream = \"b\"; } );", "x~0"},
		{"instances = ( { name = \"x\"; upstream = \"a\"; downstream = \"b\"; },\n"
	         "{ name = \"y\"; upstream = \"c\"; downstream = \"d\"; } );",
	         "instances = ( { name = \"y\"; upstream = \"a\"; downstream = \"b\"; },\n"
	         "{ name = \"x\"; upstream = \"c\"; downstream = \"d\"; } );",
	         "y~1 x~0"},
		/* Then by the set of upstream links. */
		{"instances = ( { name = \"x\"; upstream = [ \"a\", \"z\" ]; downstream = \"b\"; } );",
	         "instances = ( { name = \"y\"; upstream = [ \"z\", \"a\" ]; downstream = \"b\"; } );",
	         "y~0"},
		{"instances = ( { name = \"x\"; upstream = \"a\"; downstream = \"b\"; } );",
	         "instances = ( { name = \"y\"; upstream = [ \"a\", \"z\" ]; downstream = \"c\"; } );",
	         "y+1 -0"},
		/* Instances that share an upstream link, and its name. */
		{"instances = ( \"a ==> b\", \"a ==> c\", \"a ==> d\" );",
	         "instances = ( \"a ==> d\", \"a ==> c\" );", "a=2 a=1 -0"},
		{"instances = ( \"a ==> b\", \"a ==> c\" );", "instances = ( \"a ==> c x\", \"a ==> b\" );",
	         "a~1 a=0"},
		/* Settings of links, of instances, and of the whole file. */
		{"instances = ( \"a ==> b\", \"c ==> d\" );",
	         "robustness = 3; instances = ( \"a ==> b\", \"c ==> d\" );", "a~0 c~1"},
		{"instances = ( \"a ==> b\", \"c ==> d\" );",
	         "instances = ( \"a ==> b\",\n{ upstream = \"c\"; downstream = \"d\"; routes_max = 5; } );",
	         "a=0 c~1"},
		{"instances = ( \"a ==> b\", \"c ==> d\" );",
	         "instances = ( \"a ==> b\",\n"
	         "{ upstream = \"c\"; downstream = { name = \"d\"; fast_leave = true; }; } );",
	         "a=0 c~1"},
		{"instances = ( \"a ==> b\" );",
	         "ring_size = 64; status_file = \"/x\"; instances = ( \"a ==> b\" );", "a=0"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct world world;

		load(&world, rows[i].before, rows[i].after, 0);
		assert_true(config_diff_plan(&world.diff, world.running, world.after));
		assert_string_equal(plan_text(&world), rows[i].plan);
		unload(&world);
	}
}

static void slots_of_ending_instances_are_not_used(void **state)
{
	struct world world;

	(void)state;
	load(&world, "a ==> b\nc ==> d", "e ==> f\ng ==> h\nc ==> d", 1);
	assert_true(config_diff_plan(&world.diff, world.running, world.after));
	assert_string_equal(plan_text(&world), "e+0 g+3 c=2 -1");
	unload(&world);
}

static void too_many_at_a_time_are_refused(void **state)
{
	char before[2048] = "", after[2048] = "";
	struct world world;

	(void)state;
	for (int i = 0; i < 40; i++) {
		snprintf(before + strlen(before), sizeof before - strlen(before), "a%d ==> b%d\n", i, i);
		snprintf(after + strlen(after), sizeof after - strlen(after), "c%d ==> d%d\n", i, i);
	}
	load(&world, before, after, 0);
	assert_false(config_diff_plan(&world.diff, world.running, world.after));
	world.after->instance_count = 24;
	assert_true(config_diff_plan(&world.diff, world.running, world.after));
	assert_int_equal(world.diff.slots[23], 63);
	unload(&world);
}

static void changes_are_described(void **state)
{
	static const struct {
		const char *before, *after, *text;
	} rows[] = {
		{"a ==> b", "a ==> b c", "+c"},
		{"a ==> b c", "a ==> d c", "-b +d"},
		{"a ==> b c", "a ==> c b", "order of links"},
		{"instances = ( \"a ==> b\" );",
	         "instances = ( { name = \"x\"; upstream = \"a\"; downstream = ( \"b\", \"c\" ); } );",
	         "named a before +c"},
		{"instances = ( \"a z ==> b\" );",
	         "memory_max = \"1M\";\n"
	         "instances = ( { upstream = \"a\"; downstream = { name = \"b\"; fast_leave = true; }; } );",
	         "-z b: settings limits"},
		{"instances = ( \"a ==> b\" );", "robustness = 3; instances = ( \"a ==> b\" );",
	         "a: settings b: settings"},
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct world world;

		load(&world, rows[i].before, rows[i].after, 0);
		config_diff_describe(world.running[0], &world.after->instances[0], text, sizeof text);
		assert_string_equal(text, rows[i].text);
		config_diff_describe(world.running[0], &world.after->instances[0], text, 6);
		assert_true(strlen(text) < 6);
		unload(&world);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans),
		cmocka_unit_test(slots_of_ending_instances_are_not_used),
		cmocka_unit_test(too_many_at_a_time_are_refused),
		cmocka_unit_test(changes_are_described),
	};

	return cmocka_run_group_tests_name("diff", tests, enter_directory, leave_directory);
}
