/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Finds the text of each rule in the output of `nft -a -s list ruleset`, as the user wrote it.
 */
#ifndef MCPROXY_CTL_FIREWALL_RULE_TEXTS_H
#define MCPROXY_CTL_FIREWALL_RULE_TEXTS_H

struct json_object;

/* Adds the texts to the index, under the key 'x' and the handle. */
void rule_texts_read(const char *text, struct json_object *index);

#endif
