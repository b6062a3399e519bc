/* SPDX-License-Identifier: BSD-2-Clause
 *
 * For tests of the configuration: an empty directory to work in, and texts loaded from a file there.
 */
#ifndef MCPROXY_TESTS_CONFIG_FILE_H
#define MCPROXY_TESTS_CONFIG_FILE_H

#include "daemon/config/config.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define CONFIG_FILE  "test.conf"
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

int enter_directory(void **state);
int leave_directory(void **state);
void write_bytes(const char *path, const void *bytes, size_t size);
void write_text(const char *path, const char *text);
struct config *load_text(const char *text, char error[CONFIG_ERROR_SIZE]);

/* Loads a text that must be valid. */
struct config *load_good(const char *text);

/* Loads a text that must fail with this error. */
void load_bad(const char *text, const char *expected);

struct error_row {
	const char *text;
	const char *error;
};

void check_errors(const struct error_row *rows, size_t count);

/* The text must make these instances: "name: up up ==> down down; ..." */
void assert_shape(const char *text, const char *expected);

/* The protocols of an instance's links, and whether the configuration names them. */
void assert_protocols(const struct config_instance *instance, enum version ipv4, bool ipv4_named,
                      enum version ipv6, bool ipv6_named);

#define MINUTE 60000

extern const struct link_settings link_defaults;

extern const struct instance_settings instance_defaults;

void assert_link(const struct link_settings *link, const struct link_settings *expected);

void assert_instance(const struct instance_settings *settings, const struct instance_settings *expected);

#endif
