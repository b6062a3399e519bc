/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The configuration in libconfig's form: files, shapes, what is shipped, and what holds for any file.
 */
#include "daemon/config/options.h"
#include "support/config_file.h"
#include "support/long.h"

#include <sys/stat.h>

static void smallest_configuration_has_the_defaults(void **state)
{
	struct config *config = load_good("instances = ( \"eth0 ==> eth1\" );\n");
	const struct config_instance *instance = config->instances;

	(void)state;
	assert_int_equal(config->instance_count, 1);
	assert_null(config->status_file);
	assert_string_equal(config->user, "");
	assert_string_equal(config->group, "");
	assert_int_equal(config->ring_size, 1024);
	assert_int_equal(config->owner_priority, 10);
	assert_false(config->owner_priority_named);
	assert_string_equal(instance->name, "eth0");
	assert_protocols(instance, VERSION_3, false, VERSION_3, false);
	assert_instance(&instance->settings, &instance_defaults);
	assert_link(&instance->upstream[0].settings, &link_defaults);
	assert_link(&instance->downstream[0].settings, &link_defaults);
	config_free(config);
}

static void shapes(void **state)
{
	static const struct {
		const char *text, *shape;
	} rows[] = {
		{"instances = ( \"eth0 ==> eth1\" );", "eth0: eth0 ==> eth1"},
		{"instances: ( \"eth0 ==> eth1 tun0\" , \"\teth2   ==>\teth3 \" )",
	         "eth0: eth0 ==> eth1 tun0; eth2: eth2 ==> eth3"},
		{"instances = [ \"eth0 ==> eth1\", \"a b ==> c\" ];", "eth0: eth0 ==> eth1; a: a b ==> c"},
		{"instances = \"eth0 ==> eth1\";", "eth0: eth0 ==> eth1"},
		{"instances = { upstream = \"a\"; downstream = \"b\"; };", "a: a ==> b"},
		{"instances = ( { downstream = [ \"b\", \"c\" ]; upstream = [ \"a\", \"z\" ]; name = "
	         "\"iptv\"; } );",
	         "iptv: a z ==> b c"},
		{"instances = ( { upstream = ( \"a\" ); downstream = ( \"b\", { name = \"c\"; } ); }, \"d "
	         "==> e\" );",
	         "a: a ==> b c; d: d ==> e"},
		{"instances = ( { upstream = { name = \"a\"; }; downstream = { name = \"b\"; }; } );",
	         "a: a ==> b"},
		{"instances = ( \"ppp* ==> br-lan wlan[0-3] tap?\" );",
	         "ppp*: ppp* ==> br-lan wlan[0-3] tap?"},
		{"instances = ( \"@fd00:1::/64 ==> @172.20.0.0/16 an-altname-of-22-chars\" );",
	         "@fd00:1::/64: @fd00:1::/64 ==> @172.20.0.0/16 an-altname-of-22-chars"},
		{"instances = ( \"fifteen-letters ==> eth1.100 veth_a@b\" );",
	         "fifteen-letters: fifteen-letters ==> eth1.100 veth_a@b"},
		/* A querier only. */
		{"instances = ( \"==> eth8 eth9\", \"eth0 ==> eth1\" );",
	         "eth8: ==> eth8 eth9; eth0: eth0 ==> eth1"},
		{"instances = ( { downstream = \"b\"; }, { upstream = [ ]; downstream = ( \"c\" ); name = "
	         "\"q\"; } );",
	         "b: ==> b; q: ==> c"},
		/* An upstream link can be shared, a downstream link between families. */
		{"instances = ( \"eth0 ==> eth1\", \"eth0 ==> eth2\" );",
	         "eth0: eth0 ==> eth1; eth0: eth0 ==> eth2"},
		{"instances = ( { upstream = \"a\"; downstream = \"b\"; protocol = \"IGMPv3\"; },\n"
	         " { name = \"six\"; upstream = \"a\"; downstream = \"b\"; protocol = \"MLDv2\"; } );",
	         "a: a ==> b; six: a ==> b"},
		{"instances = ( { upstream = \"a\"; downstream = \"b\"; protocol = \"IGMPv3\"; },\n"
	         " { upstream = \"b\"; downstream = \"a\"; protocol = \"MLDv2\"; } );",
	         "a: a ==> b; b: b ==> a"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_shape(rows[i].text, rows[i].shape);
}

static void protocols(void **state)
{
	static const struct {
		const char *text;
		enum version ipv4, ipv6;
	} rows[] = {
		{"\"IGMPv1\"", VERSION_1, VERSION_NONE},
		{"\"IGMPv2\"", VERSION_2, VERSION_NONE},
		{"\"IGMPv3\"", VERSION_3, VERSION_NONE},
		{"\"MLDv1\"", VERSION_NONE, VERSION_2},
		{"\"mldv2\"", VERSION_NONE, VERSION_3},
		{"[ \"IGMPv3\" ]", VERSION_3, VERSION_NONE},
		{"( \"MLDv1\", \"IGMPv2\" )", VERSION_2, VERSION_2},
		{"[ \"IGMPv1\", \"MLDv2\" ]", VERSION_1, VERSION_3},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool ipv4 = rows[i].ipv4 != VERSION_NONE, ipv6 = rows[i].ipv6 != VERSION_NONE;
		struct config *config;
		char text[512];

		snprintf(text, sizeof text,
		         "protocol = %s;\ninstances = ( \"a ==> b\",\n"
		         "{ upstream = \"c\"; downstream = \"d\"; protocol = \"IGMPv2\"; } );",
		         rows[i].text);
		config = load_good(text);
		assert_protocols(&config->instances[0], rows[i].ipv4, ipv4, rows[i].ipv6, ipv6);
		assert_protocols(&config->instances[1], VERSION_2, true, VERSION_NONE, false);
		config_free(config);
	}
}

#define F    "test.conf:"
#define GOOD "instances = ( \"a ==> b\" );"

static void included_files(void **state)
{
	static const struct error_row rows[] = {
		{GOOD "\n@include \"none\"", F "2: @include: ./none: No such file or directory"},
		{GOOD "\n@include \"directory\"", F "2: @include: ./directory: Is a directory"},
		{GOOD "\n@include \"\"", F "2: @include: ./: Is a directory"},
		{GOOD "\n@include \"/dev/null\"",
	         F "2: @include: a name relative to the directory of test.conf is expected"},
		{GOOD "\n@include \"fifo\"",
	         F "2: @include: ./fifo: a FIFO, a device or a socket; a regular file is expected"},
		{GOOD "\n@include \"none", F "2: a string that begins here has no end"},
		{GOOD "\n@include \"binary\"",
	         F "2: @include: ./binary:2: this is not text: it contains NUL or other control bytes"},
		{GOOD "\n@include \"test.conf\"",
	         "./test.conf:2: @include: too many files, or a file that includes itself"},
		{GOOD "\n@include \"bad.inc\"",
	         "bad.inc:2: robustnes: unknown option; did you mean robustness?"},
		{GOOD "\n@include \"broken.inc\"",
	         "broken.inc:2: syntax error in `robustness = ;`: a value is missing after the ="},
		{GOOD "\n@include \"endless.inc\"", "./endless.inc:1: a string that begins here has no end"},
	};
	struct config *config;

	(void)state;
	mkdir("directory", 0700);
	mkfifo("fifo", 0600);
	write_bytes("binary", "a\nb\0c", 5);
	write_text("good.inc", "# more\nrobustness = 3;\n");
	write_text("bad.inc", "\nrobustnes = 3;\n");
	write_text("broken.inc", "\nrobustness = ;\n");
	write_text("endless.inc", "status_file = \"x\n");
	check_errors(rows, COUNT(rows));
	config = load_good("@include \"good.inc\"\n" GOOD);
	assert_int_equal(config->instances[0].downstream[0].settings.robustness, 3);
	config_free(config);
	config_free(load_good("\xef\xbb\xbf" GOOD)); /* as some editors begin a file */
	config_free(load_good("\xef\xbb\xbfprotocol IGMPv2\na ==> b\n"));
	config_free(load_good(
		"# @include \"none\"\n/* \n@include \"none\" */\nstatus_file = \"\n@include\";" GOOD));
}

static void files_that_cannot_be_read(void **state)
{
	char error[CONFIG_ERROR_SIZE];
	size_t size = 1024 * 1024;
	char *text = malloc(size + 2);

	(void)state;
	assert_null(config_load("none.conf", error));
	assert_string_equal(error, "none.conf: No such file or directory; the smallest configuration is: "
	                           "instances = ( \"eth0 ==> eth1\" );");
	assert_null(config_load(".", error));
	assert_string_equal(error, ".: Is a directory");
	assert_null(config_load("/dev/zero", error));
	assert_string_equal(error, "/dev/zero: a FIFO, a device or a socket; a regular file is expected");
	unlink("fifo");
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_null(config_load_first("fifo", error));
	assert_string_equal(error, "fifo: a FIFO, a device or a socket; a regular file is expected");
	unlink("fifo");

	write_bytes(CONFIG_FILE, "# a\nx = \"\0\";", 12);
	assert_null(config_load(CONFIG_FILE, error));
	assert_string_equal(error, F "2: this is not text: it contains NUL or other control bytes");
	write_bytes(CONFIG_FILE, "\177ELF\2\1\1", 7);
	assert_null(config_load(CONFIG_FILE, error));
	assert_string_equal(error, F "1: this is not text: it contains NUL or other control bytes");

	/* One line of 1 MiB holds, one byte more does not. */
	assert_non_null(text);
	memset(text, ' ', size + 1);
	memcpy(text, GOOD, strlen(GOOD));
	text[size] = '\0';
	config_free(load_good(text));
	text[size] = ' ';
	text[size + 1] = '\0';
	load_bad(text, "test.conf: larger than 1 MiB");
	free(text);
}

static void forms_are_distinguished(void **state)
{
	static const struct {
		const char *text;
		bool legacy;
	} rows[] = {
		{"", false},
		{"eth0 ==> eth1", true},
		{"protocol IGMPv2", true},
		{"protocol", true},
		{"protocol;", true},
		{"a = 1;\nprotocol # =\n IGMPv2", true},
		{"protocol = \"IGMPv2\";", false},
		{"protocol: \"IGMPv2\";", false},
		{"protocol /* = */ // :\n # x\n = \"IGMPv2\";", false},
		{"instances = ( \"eth0 ==> eth1\" );", false},
		{"instances = ( \"a\\\"b ==> c\" );", false},
		{"instances = ( \"a\\\\\" ==> c\" );", true},
		{"# eth0 ==> eth1\n", false},
		{"// protocol IGMPv2\n", false},
		{"/* protocol IGMPv2\neth0 ==> eth1 */", false},
		{"/* protocol IGMPv2\neth0 ==> eth1", false},
		{"/* x */ eth0 ==> eth1", true},
		{"# it's \"quoted\neth0 ==> eth1", true},
		{"name = \"protocol IGMPv2", false},
		{"name = \"x\"; protocol IGMPv2", true},
		{"my_protocol IGMPv2; protocols IGMPv2; protocol-x 3", false},
		{"a == > b", false},
		{"a => b", false},
		{"eth0 ==>", true},
		{"@include \"==>\"", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (config_is_legacy(rows[i].text) != rows[i].legacy)
			fail_msg("%s\nis not taken for %s", rows[i].text,
			         rows[i].legacy ? "legacy" : "libconfig's");
}

static char *read_shipped(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 65536);

	assert_non_null(file);
	assert_non_null(text);
	assert_in_range(fread(text, 1, 65535, file), 1, 65534);
	fclose(file);
	return text;
}

static void shipped_example_holds(void **state)
{
	char error[CONFIG_ERROR_SIZE];
	struct config *config = config_load(SOURCE_DIR "/config/mcproxy.conf", error);

	(void)state;
	assert_non_null(config);
	assert_int_equal(config->instance_count, 1);
	assert_link(&config->instances[0].downstream[0].settings, &link_defaults);
	assert_instance(&config->instances[0].settings, &instance_defaults);
	config_free(config);
}

/* Takes the # from the lines `#key = value`. */
static void uncomment_options(char *text)
{
	for (char *line = text; line != NULL; line = strchr(line + 1, '\n')) {
		char *mark = *line == '\n' ? line + 1 : line;

		if (*mark == '#' && mark[1] >= 'a' && mark[1] <= 'z')
			*mark = ' ';
	}
}

static void shipped_example_shows_the_defaults(void **state)
{
	char *text = read_shipped(SOURCE_DIR "/config/mcproxy.conf");
	struct link_settings expected = link_defaults;
	struct config *config;

	(void)state;
	uncomment_options(text);
	config = load_good(text);
	expected.startup_query_count = 2;
	expected.startup_query_interval = 31250;
	expected.last_member_query_count = 2;
	expected.older_host_present_interval = 260000;
	expected.unsolicited_report_interval = 1000;
	expected.host_report_rate_max = 25000;
	assert_link(&config->instances[0].downstream[0].settings, &expected);
	assert_instance(&config->instances[0].settings, &instance_defaults);
	assert_protocols(&config->instances[0], VERSION_3, true, VERSION_3, true);
	assert_int_equal(config->ring_size, 1024);
	config_free(config);
	free(text);
}

static void every_option_is_documented(void **state)
{
	char *example = read_shipped(SOURCE_DIR "/config/mcproxy.conf");
	char *manual = read_shipped(SOURCE_DIR "/docs/mcproxy.conf.5");
	char text[64];

	(void)state;
	for (size_t i = 0; config_option_key(i) != NULL; i++) {
		snprintf(text, sizeof text, "%s = ", config_option_key(i));
		if (strstr(example, text) == NULL)
			fail_msg("config/mcproxy.conf has no %s", text);
		snprintf(text, sizeof text, ".It Ic %s\n", config_option_key(i));
		if (strstr(manual, text) == NULL)
			fail_msg("mcproxy.conf.5 has no %s", text);
	}
	free(example);
	free(manual);
}

/* Each .Bd block of the examples is a file that holds. */
static void examples_of_the_manual_hold(void **state)
{
	char *manual = read_shipped(SOURCE_DIR "/docs/mcproxy.conf.5");
	char *at = strstr(manual, ".Sh EXAMPLES");
	int examples = 0;

	(void)state;
	while ((at = strstr(at, ".Bd ")) != NULL) {
		char *end = strstr(at, ".Ed");

		at = strchr(at, '\n');
		*end = '\0';
		config_free(load_good(at));
		at = end + 1;
		examples++;
	}
	assert_in_range(examples, 8, 100);
	free(manual);
}

/* Beginnings of a text, and the text without one of its bytes. MCPROXY_LONG=1: for each byte. */
static void maim(const char *whole)
{
	size_t size = strlen(whole), step = tests_are_long() ? 1 : 7;
	char *text = malloc(size + 1);
	char error[CONFIG_ERROR_SIZE];

	assert_non_null(text);
	for (size_t i = 0; i < size; i += step) {
		memcpy(text, whole, i);
		text[i] = '\0';
		config_free(load_text(text, error));
		assert_true(strlen(error) < CONFIG_ERROR_SIZE);
		memcpy(text + i, whole + i + 1, size - i);
		config_free(load_text(text, error));
		assert_true(strlen(error) < CONFIG_ERROR_SIZE);
	}
	free(text);
}

static void maimed_texts_do_no_harm(void **state)
{
	char *text = read_shipped(SOURCE_DIR "/config/mcproxy.conf");

	(void)state;
	maim(text);
	uncomment_options(text);
	maim(text);
	maim("protocol = [ \"IGMPv3\", \"MLDv2\" ];\n@include \"good.inc\"\ninstances = ( { name = "
	     "\"iptv\"; upstream = [ \"ppp0\" ];\ndownstream = ( \"br-lan\", { name = \"tun0\"; fast_leave "
	     "= true; } ); query_interval = 30; } );");
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(smallest_configuration_has_the_defaults),
		cmocka_unit_test(shapes),
		cmocka_unit_test(protocols),
		cmocka_unit_test(included_files),
		cmocka_unit_test(files_that_cannot_be_read),
		cmocka_unit_test(forms_are_distinguished),
		cmocka_unit_test(shipped_example_holds),
		cmocka_unit_test(shipped_example_shows_the_defaults),
		cmocka_unit_test(every_option_is_documented),
		cmocka_unit_test(examples_of_the_manual_hold),
		cmocka_unit_test(maimed_texts_do_no_harm),
	};

	return cmocka_run_group_tests_name("config", tests, enter_directory, leave_directory);
}
