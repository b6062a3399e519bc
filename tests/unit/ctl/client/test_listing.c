/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tables: their order and their widths.
 */
#include "ctl/client/listing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct listing_column layout[] = {
	{"INSTANCE", false, 1}, {"LINK", false, 2}, {"GROUP", false, 3},
	{"WRONG IF", true, 0},  {"TO", false, 0},   {0},
};

static const struct {
	const char *instance, *link, *group;
	double wrong;
	const char *to;
} rows[] = {
	{"tv", "eth10", "239.1.1.1", 0, "a b"}, {"tv", "eth2", "239.1.1.10", 5, "a"},
	{"tv", "eth2", "239.1.1.9", 12, "-"},   {"tv", "eth2", "ff3e::10", 1, "c"},
	{"tv", "eth2", "ff3e::a", 7, "c"},      {"radio", "eth9", "239.0.0.1", 3, "eth1 eth2 eth3"},
};

static struct listing *fill(void)
{
	struct listing *table = listing_new(layout);
	char number[16];

	assert_non_null(table);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		listing_put(table, COLOUR_NONE, rows[i].instance);
		listing_put(table, COLOUR_NONE, rows[i].link);
		listing_put(table, COLOUR_NONE, rows[i].group);
		listing_put_number(table, COLOUR_NONE, rows[i].wrong, format_amount(rows[i].wrong, number));
		listing_put(table, COLOUR_NONE, rows[i].to);
	}
	assert_int_equal(listing_rows(table), sizeof rows / sizeof rows[0]);
	return table;
}

static void expect(struct listing *table, const char *sort, unsigned width, const char *expected)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_true(listing_sort(table, sort));
	assert_true(listing_print(table, out, false, width));
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
	listing_free(table);
}

static void rows_are_sorted_by_their_columns(void **state)
{
	(void)state;
	expect(fill(), NULL, 80,
	       "INSTANCE  LINK   GROUP       WRONG IF  TO\n"
	       "radio     eth9   239.0.0.1          3  eth1 eth2 eth3\n"
	       "tv        eth2   239.1.1.9         12  -\n"
	       "tv        eth2   239.1.1.10         5  a\n"
	       "tv        eth2   ff3e::a            7  c\n"
	       "tv        eth2   ff3e::10           1  c\n"
	       "tv        eth10  239.1.1.1          0  a b\n");
}

static void a_title_changes_the_order(void **state)
{
	struct listing *table = fill();

	(void)state;
	assert_false(listing_sort(table, "age"));
	assert_false(listing_sort(table, "wrong"));
	listing_hide(table, "INSTANCE");
	expect(table, "wrong-if", 80,
	       "LINK   GROUP       WRONG IF  TO\n"
	       "eth2   239.1.1.9         12  -\n"
	       "eth2   ff3e::a            7  c\n"
	       "eth2   239.1.1.10         5  a\n"
	       "eth9   239.0.0.1          3  eth1 eth2 eth3\n"
	       "eth2   ff3e::10           1  c\n"
	       "eth10  239.1.1.1          0  a b\n");
	table = fill();
	listing_hide(table, "instance");
	listing_hide(table, "link");
	expect(table, "Group", 80,
	       "GROUP       WRONG IF  TO\n"
	       "239.0.0.1          3  eth1 eth2 eth3\n"
	       "239.1.1.1          0  a b\n"
	       "239.1.1.9         12  -\n"
	       "239.1.1.10         5  a\n"
	       "ff3e::a            7  c\n"
	       "ff3e::10           1  c\n");
}

static void an_empty_table_has_its_titles(void **state)
{
	(void)state;
	expect(listing_new(layout), NULL, 80, "INSTANCE  LINK  GROUP  WRONG IF  TO\n");
	listing_free(NULL);
}

/* First the gaps shrink, then wide texts get lines of their own; the last column wraps. */
static void a_narrow_screen_has_room(void **state)
{
	struct listing *table = listing_new(layout);

	(void)state;
	listing_put(table, COLOUR_NONE, "tv");
	listing_put(table, COLOUR_NONE, "eth1");
	listing_put(table, COLOUR_NONE, "ff3e:1234:5678:9abc::1");
	listing_put_number(table, COLOUR_NONE, 17, "17");
	listing_put(table, COLOUR_NONE, "eth1 eth2 eth3 eth4");
	listing_note(table, "%s", "a note");
	listing_note(table, "and %d more", 2);
	expect(table, NULL, 56,
	       "INSTANCE LINK GROUP           WRONG IF TO\n"
	       "tv       eth1 ff3e:1234:5678:9abc::1\n"
	       "                                    17 eth1 eth2 eth3\n"
	       "                                       eth4\n"
	       "    a note\n"
	       "    and 2 more\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_sorted_by_their_columns),
		cmocka_unit_test(a_title_changes_the_order),
		cmocka_unit_test(an_empty_table_has_its_titles),
		cmocka_unit_test(a_narrow_screen_has_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
