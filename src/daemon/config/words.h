/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options whose values are words: a string, or a list of strings for the two families. A whole number is
 * read as the string of its digits.
 */
#ifndef MCPROXY_DAEMON_CONFIG_WORDS_H
#define MCPROXY_DAEMON_CONFIG_WORDS_H

#include "daemon/config/options.h"

/* Reads one word for an option; false when it is invalid. */
typedef bool config_word_read(const char *word, struct config_scope *scope);

bool config_read_upstream_choice(const char *word, struct config_scope *scope);
bool config_read_membership(const char *word, struct config_scope *scope);       /* "kernel", "user" */
bool config_read_upstream_version(const char *word, struct config_scope *scope); /* "auto", "IGMPv2", ... */
bool config_read_ssm_range(const char *word, struct config_scope *scope); /* "none", "232.0.0.0/8", ... */
bool config_read_source_address(const char *word, struct config_scope *scope); /* "auto", "10.0.0.1", ... */
bool config_read_owner_priority(const char *word, struct config_scope *scope); /* "auto", 0 to 20 */
bool config_read_control_mode(const char *word, struct config_scope *scope);   /* "0660", ... */
bool config_read_control_group(const char *word, struct config_scope *scope);
bool config_read_oldest_version(const char *word, struct config_scope *scope); /* "any", "IGMPv2", ... */
bool config_read_user(const char *word, struct config_scope *scope);
bool config_read_group(const char *word, struct config_scope *scope);
bool config_read_table(const char *word, struct config_scope *scope); /* "own", "default", "100" */

/* RFC 4604: 232.0.0.0/8 and ff3x::/32. */
void config_default_ssm_ranges(struct link_settings *settings);

#endif
