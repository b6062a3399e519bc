/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/quoted_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct json_object *json(const char *text)
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
