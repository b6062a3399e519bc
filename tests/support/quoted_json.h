/* SPDX-License-Identifier: BSD-2-Clause
 *
 * JSON in tests, written with ' for ".
 */
#ifndef MCPROXY_TESTS_QUOTED_JSON_H
#define MCPROXY_TESTS_QUOTED_JSON_H

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

struct json_object *json(const char *text);

#endif
