/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/policy/rule.h"

#include <stdio.h>
#include <stdlib.h>

#define WORDS_MAX      8 /* allow WHAT from SOURCE by HOST in LINK */
#define RULE_TEXT_SIZE 256

static bool fail(char error[POLICY_ERROR_SIZE], const char *text, const char *reason)
{
	snprintf(error, POLICY_ERROR_SIZE, "%.60s: %s", text, reason);
	return false;
}

static bool find_set(struct policy_sets *sets, const char *text, const struct policy_set **set,
                     char error[POLICY_ERROR_SIZE])
{
	*set = NULL;
	if (text == NULL || strcmp(text, "all") == 0)
		return true;
	*set = sets_find(sets, text, error);
	return *set != NULL;
}

static bool has_addresses_only(const struct policy_set *set, const char *text, char error[POLICY_ERROR_SIZE])
{
	return set == NULL || !ranges_has_mac(&set->ranges) ||
	       fail(error, text, "MAC addresses identify hosts; use them only after `by`");
}

static bool has_a_group(const struct policy_set *set, const char *text, char error[POLICY_ERROR_SIZE])
{
	if (set == NULL)
		return true;
	for (size_t i = 0; i < set->ranges.count; i++)
		if (addr_is_multicast(&set->ranges.list[i].first) ||
		    addr_is_multicast(&set->ranges.list[i].last))
			return true;
	return set->ranges.count > 0 && addr_family(&set->ranges.list[0].first) == FAMILY_IPV4 &&
	                       addr_is_unspecified(&set->ranges.list[0].first)
	               ? true
	               : fail(error, text, "it contains no multicast group; name sources after `from`");
}

/* "deny tv from 10.0.0.0/8" */
static char *compose(const struct rule_words *words)
{
	char text[RULE_TEXT_SIZE];
	size_t size;
	char *copy;

	snprintf(text, sizeof text, "%s %s%s%s%s%s%s%s", words->action, words->what,
	         words->from ? " from " : "", words->from ? words->from : "", words->by ? " by " : "",
	         words->by ? words->by : "", words->in ? " in " : "", words->in ? words->in : "");
	size = strlen(text) + 1;
	copy = malloc(size);
	if (copy != NULL)
		memcpy(copy, text, size);
	return copy;
}

void rule_fini(struct policy_rule *rule)
{
	free(rule->text);
	rule->text = NULL;
}

bool rule_make(const struct rule_words *words, unsigned line, struct policy_sets *sets,
               struct policy_rule *rule, char error[POLICY_ERROR_SIZE])
{
	*rule = (struct policy_rule){.line = line};
	if (words->action == NULL || words->what == NULL)
		return fail(
			error, words->action ? words->action : "rule",
			"a rule is `allow` or `deny`, and what it concerns: `all`, a set, an address, a prefix or a range");
	rule->allow = strcmp(words->action, "allow") == 0;
	if (!rule->allow && strcmp(words->action, "deny") != 0)
		return fail(error, words->action, "a rule begins with `allow` or `deny`");
	if (words->in != NULL && strlen(words->in) >= sizeof rule->in)
		return fail(error, words->in, "the name of a link has at most 15 characters");
	if (words->in != NULL && words->in[0] == '@')
		return fail(error, words->in, "an interface or a pattern is expected, not addresses of one");
	if (words->in != NULL && strcmp(words->in, "all") != 0)
		snprintf(rule->in, sizeof rule->in, "%s", words->in);
	if (!find_set(sets, words->what, &rule->what, error) ||
	    !find_set(sets, words->from, &rule->from, error) ||
	    !find_set(sets, words->by, &rule->by, error) ||
	    !has_addresses_only(rule->what, words->what, error) ||
	    !has_addresses_only(rule->from, words->from, error) ||
	    !has_a_group(rule->what, words->what, error))
		return false;
	rule->text = compose(words);
	return rule->text != NULL || fail(error, words->what, "out of memory");
}

/* Where the value that follows a keyword belongs; NULL: no such keyword. */
static const char **place_of(struct rule_words *words, const char *word)
{
	if (strcmp(word, "from") == 0)
		return &words->from;
	if (strcmp(word, "by") == 0)
		return &words->by;
	return strcmp(word, "in") == 0 ? &words->in : NULL;
}

bool rule_parse(const char *text, unsigned line, struct policy_sets *sets, struct policy_rule *rule,
                char error[POLICY_ERROR_SIZE])
{
	char copy[RULE_TEXT_SIZE], *at = copy;
	const char *list[WORDS_MAX];
	struct rule_words words = {0};
	size_t count = 0;

	if (strlen(text) >= sizeof copy)
		return fail(error, text, "the rule is longer than 255 characters; define a set");
	memcpy(copy, text, strlen(text) + 1);
	while (*(at += strspn(at, " \t\n")) != '\0') {
		if (count == WORDS_MAX)
			return fail(
				error, at,
				"the rule is complete before this word; it is `allow|deny WHAT [from SOURCE] [by HOST] [in LINK]`");
		list[count++] = at;
		at += strcspn(at, " \t\n");
		if (*at != '\0')
			*at++ = '\0';
	}
	words.action = count > 0 ? list[0] : NULL;
	words.what = count > 1 ? list[1] : NULL;
	for (size_t i = 2; i < count; i += 2) {
		const char **place = place_of(&words, list[i]);

		if (place == NULL)
			return fail(error, list[i], "`from`, `by` or `in` is expected here");
		if (*place != NULL)
			return fail(error, list[i], "the rule has this condition twice; define a set");
		if (i + 1 == count)
			return fail(error, list[i], "a value must follow this word");
		*place = list[i + 1];
	}
	return rule_make(&words, line, sets, rule, error);
}
