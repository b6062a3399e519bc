/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `mcproxyctl` without a command: what runs, and whether it is well. Answers at once: it captures nothing, runs no
 * program, and asks for streams only where they are few.
 */
#include "ctl/client/answer.h"
#include "ctl/client/columns.h"
#include "ctl/client/print.h"
#include "ctl/client/wrap.h"
#include "ctl/command.h"
#include "ctl/diagnosis/doctor.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_SIZE 512

static bool is(struct json_object *object, const char *key, const char *text)
{
	return strcmp(answer_text(object, key), text) == 0;
}

/* "IPv4 and IPv6", "IPv4 (IPv6 is not served)" */
static const char *describe_families(const struct daemon_view *daemon, char text[TEXT_SIZE])
{
	bool served[FAMILIES] = {false}, held[FAMILIES] = {false};

	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++)
		for (size_t i = 0; i < view_count(daemon->links); i++) {
			struct json_object *link = json_object_array_get_idx(daemon->links, i);

			if (!is(link, "family", family_name(family)))
				continue;
			served[family] |= !answer_has(link, "not_served");
			held[family] |= answer_has(link, "not_served");
		}
	snprintf(text, TEXT_SIZE, "%s%s%s", served[FAMILY_IPV4] ? "IPv4" : "",
	         served[FAMILY_IPV4] && served[FAMILY_IPV6] ? " and " : "",
	         served[FAMILY_IPV6] ? "IPv6" : "");
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++)
		if (held[family] && !served[family])
			snprintf(text + strlen(text), TEXT_SIZE - strlen(text), "%s%s is not served",
			         *text != '\0' ? ", " : "", family_name(family));
	return *text != '\0' ? text : "no link";
}

static void print_daemon(const struct daemon_view *daemon, unsigned width)
{
	char text[TEXT_SIZE + 4096 + 128], uptime[32], families[TEXT_SIZE];

	snprintf(text, sizeof text, "mcproxy %s, up %s, %.4096s, %s",
	         answer_text(daemon->status, "program_version"),
	         format_duration(answer_number(daemon->status, "uptime"), uptime),
	         answer_has(daemon->status, "configuration") ? answer_text(daemon->status, "configuration")
	                                                     : "no configuration file",
	         describe_families(daemon, families));
	wrap_print(stdout, width, 0, 4, text);
}

static int compare_links(const void *first, const void *second)
{
	return strverscmp(answer_text(*(struct json_object *const *)first, "link"),
	                  answer_text(*(struct json_object *const *)second, "link"));
}

/* Is there an earlier object of the same link? */
static bool is_repeated(struct json_object *links, size_t number, struct json_object *link)
{
	for (size_t i = 0; i < number; i++) {
		struct json_object *other = json_object_array_get_idx(links, i);

		if (is(other, "instance", answer_text(link, "instance")) &&
		    is(other, "link", answer_text(link, "link")))
			return true;
	}
	return false;
}

static void append(char text[TEXT_SIZE], const char *separator, const char *more)
{
	size_t used = strlen(text);

	snprintf(text + used, TEXT_SIZE - used, "%s%s", used > 0 ? separator : "", more);
}

/* "eth0 ==> br-lan, lab0" */
static void describe_links(struct json_object *links, const char *instance, char text[TEXT_SIZE])
{
	char sides[2][TEXT_SIZE] = {"", ""};

	for (size_t i = 0; i < view_count(links); i++) {
		struct json_object *link = json_object_array_get_idx(links, i);

		if (is(link, "instance", instance) && !is_repeated(links, i, link))
			append(sides[is(link, "role", "downstream")], ", ", answer_text(link, "link"));
	}
	text[0] = '\0';
	append(text, "", sides[0]);
	append(text, " ", *text != '\0' ? "==>" : "==> ");
	append(text, " ", sides[1]);
}

/* What keeps mcproxy from using the link; NULL: it uses it, in one family at least. */
static const char *describe_fault(struct json_object *links, const char *instance, const char *name)
{
	const char *fault = NULL;

	for (size_t i = 0; i < view_count(links); i++) {
		struct json_object *link = json_object_array_get_idx(links, i);

		if (!is(link, "instance", instance) || !is(link, "link", name))
			continue;
		if (answer_bool(link, "usable"))
			return NULL;
		fault = !answer_bool(link, "present")    ? "missing"
		        : !answer_bool(link, "up")       ? "down"
		        : answer_has(link, "not_served") ? "not served"
		                                         : "without address";
	}
	return fault;
}

/* "all links up", "wg0 down, ppp0 missing" */
static bool describe_state(struct json_object *links, const char *instance, char text[TEXT_SIZE])
{
	text[0] = '\0';
	for (size_t i = 0; i < view_count(links); i++) {
		struct json_object *link = json_object_array_get_idx(links, i);
		const char *name = answer_text(link, "link"), *fault;
		char part[128];

		if (!is(link, "instance", instance) || is_repeated(links, i, link))
			continue;
		fault = describe_fault(links, instance, name);
		if (fault == NULL)
			continue;
		snprintf(part, sizeof part, "%s %s", name, fault);
		append(text, ", ", part);
	}
	if (*text != '\0')
		return false;
	append(text, "", "all links up");
	return true;
}

/* The streams' rates as they are now; the daemon's last reading, if the streams were not asked for. */
static double measure(const struct daemon_view *daemon, struct json_object *instance)
{
	const char *name = answer_text(instance, "instance");
	double rate = 0;

	if (daemon->routes == NULL)
		return answer_number(instance, "bit_rate");
	for (size_t i = 0; i < view_count(daemon->routes); i++) {
		struct json_object *route = json_object_array_get_idx(daemon->routes, i);

		/* Unwanted streams use nothing that anyone waits for. */
		if (is(route, "instance", name) && answer_length(answer_member(route, "outputs")) > 0)
			rate += answer_number(route, "bit_rate");
	}
	return rate;
}

static void describe_traffic(const struct daemon_view *daemon, struct json_object *instance,
                             char text[TEXT_SIZE])
{
	double streams = answer_number(instance, "routes") - answer_number(instance, "negative_routes");
	char groups[64], count[64], rate[24];

	snprintf(text, TEXT_SIZE, "%s, %s",
	         format_count(answer_number(instance, "groups_joined"), "group", groups),
	         format_count(streams, "stream", count));
	if (streams > 0)
		append(text, ", ", format_rate(measure(daemon, instance), rate));
}

/* The texts of an instance's line. */
struct line {
	char name[64], links[TEXT_SIZE], traffic[TEXT_SIZE], state[TEXT_SIZE];
	bool good;
};

/* Leaves room for the last column: links that do not fit have a line of their own. */
static void fit_lines(struct column layout[], const struct line *lines, size_t count, unsigned width)
{
	unsigned used = layout[0].width + layout[1].width + layout[2].width + 3 * COLUMNS_GAP, state = 0;

	for (size_t i = 0; i < count; i++)
		if (text_width(lines[i].state) > state)
			state = text_width(lines[i].state) < 24 ? text_width(lines[i].state) : 24;
	used += state;
	if (used > width)
		layout[1].width -= used - width < layout[1].width ? used - width : layout[1].width;
}

static void print_lines(const struct ctl *ctl, const struct line *lines, size_t count, unsigned width)
{
	struct column layout[] = {{"", 0, false}, {"", 0, false}, {"", 0, false}, {"", 0, false}, {0}};
	struct columns columns = {.columns = layout, .colour = ctl->colour, .width = width};

	for (size_t i = 0; i < count; i++) {
		const char *const texts[] = {lines[i].name, lines[i].links, lines[i].traffic};
		const unsigned most[] = {24, 32, 40};

		for (size_t j = 0; j < 3; j++)
			if (text_width(texts[j]) > layout[j].width)
				layout[j].width =
					text_width(texts[j]) < most[j] ? text_width(texts[j]) : most[j];
	}
	fit_lines(layout, lines, count, width);
	for (size_t i = 0; i < count; i++) {
		columns_put(&columns, COLOUR_NONE, lines[i].name);
		columns_put(&columns, COLOUR_NONE, lines[i].links);
		columns_put(&columns, COLOUR_NONE, lines[i].traffic);
		columns_put(&columns, lines[i].good ? COLOUR_GOOD : COLOUR_BAD, lines[i].state);
	}
}

static void print_instances(const struct ctl *ctl, const struct daemon_view *daemon, unsigned width)
{
	size_t count = view_count(daemon->instances);
	struct line *lines = calloc(count + 1, sizeof *lines);

	if (lines == NULL)
		return;
	for (size_t i = 0; i < count; i++) {
		struct json_object *instance = json_object_array_get_idx(daemon->instances, i);
		const char *name = answer_text(instance, "instance");

		snprintf(lines[i].name, sizeof lines[i].name, "%s", name);
		describe_links(daemon->links, name, lines[i].links);
		describe_traffic(daemon, instance, lines[i].traffic);
		lines[i].good = describe_state(daemon->links, name, lines[i].state);
	}
	print_lines(ctl, lines, count, width);
	free(lines);
}

/* "doctor: nothing to report", "doctor: 2 findings, first rp-filter: eth0: ..." */
static void print_findings(const struct ctl *ctl, const struct findings *findings, unsigned width)
{
	const struct finding *first = &findings->list[0];
	size_t problems = findings_problems(findings);
	char text[FINDING_TEXT_SIZE + 256], count[64];

	if (problems == 0)
		snprintf(text, sizeof text, "nothing to report");
	else
		snprintf(text, sizeof text, "%s%s %s: %s: %s",
		         format_count((double)problems, "finding", count), problems > 1 ? ", first" : ",",
		         first->check, first->subject, first->what);
	colour_print(stdout, ctl->colour, problems > 0 ? COLOUR_BAD : COLOUR_NONE, "doctor:");
	putchar(' ');
	wrap_print(stdout, width, 8, 8, text);
}

static void print_json_overview(const struct daemon_view *daemon, const struct findings *findings)
{
	static const char *const members[] = {"program_version", "uptime", "configuration"};
	struct json_object *root = json_object_new_object();

	json_object_object_add(root, "version", json_object_new_int(CTL_JSON_VERSION));
	json_object_object_add(root, "command", json_object_new_string("overview"));
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		json_object_object_add(root, members[i],
		                       json_object_get(answer_member(daemon->status, members[i])));
	json_object_object_add(root, "instances", json_object_get(daemon->instances));
	json_object_object_add(root, "links", json_object_get(daemon->links));
	json_object_object_add(root, "findings", findings != NULL ? findings_list(findings) : NULL);
	print_json(stdout, json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN));
	json_object_put(root);
}

/* findings: NULL when the machine cannot be examined. */
static void print_overview(const struct ctl *ctl, const struct machine *machine,
                           const struct findings *findings)
{
	unsigned width = screen_width();

	if (ctl->json) {
		print_json_overview(&machine->daemon, findings);
		return;
	}
	json_object_array_sort(machine->daemon.links, compare_links);
	print_daemon(&machine->daemon, width);
	print_instances(ctl, &machine->daemon, width);
	if (findings != NULL)
		print_findings(ctl, findings, width);
	else
		puts("doctor: the daemon runs in another network namespace, where doctor must run too");
}

int overview_run(const struct ctl *ctl, int argc, char **argv)
{
	struct machine *machine = calloc(1, sizeof *machine);
	struct findings *findings = calloc(1, sizeof *findings);
	int status = CTL_FAILED;

	(void)argc;
	(void)argv;
	if (machine != NULL && findings != NULL && gather_daemon_briefly(ctl, &machine->daemon)) {
		bool here = machine->daemon.pid_elsewhere == 0 && doctor_gather(machine) == 0;

		machine->firewall_why = "doctor alone reads the rules";
		if (here)
			doctor_check(machine, findings);
		print_overview(ctl, machine, here ? findings : NULL);
		status = CTL_DONE;
		daemon_view_free(&machine->daemon);
		interfaces_free(&machine->interfaces);
	}
	free(machine);
	free(findings);
	return status;
}
