/* SPDX-License-Identifier: BSD-2-Clause
 *
 * JSON in tests, with ' for ". Include it behind cmocka.h.
 */
#ifndef MCPROXY_TESTS_QUOTED_JSON_H
#define MCPROXY_TESTS_QUOTED_JSON_H

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

static struct json_object *json(const char *text)
{
	char *copy = strdup(text);
	struct json_object *object;

	for (char *quote = copy; (quote = strchr(quote, '\'')) != NULL;)
		*quote = '"';
	object = json_tokener_parse(copy);
	assert_non_null(object);
	free(copy);
	return object;
}

#endif
