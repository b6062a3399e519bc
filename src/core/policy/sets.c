/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/policy/sets.h"

#include <stdio.h>
#include <stdlib.h>

/* Members are separated by blanks. One whose text has an X stands for each value of that digit, such as the scope or the flags
 * of an IPv6 group. */
struct builtin {
	const char *name, *purpose, *members;
};

static const struct builtin builtins[] = {
	{"discovery", "groups by which devices of one network find each other",
         "239.255.255.250 239.255.255.246 239.255.255.253 "  /* SSDP, WS-Discovery, UPnP, SLP */
         "224.0.1.22 224.0.1.35 ff0X::116 ff0X::1:1000/118 " /* SLP */
         "239.192.152.143 ff15::efc0:988f "                  /* BitTorrent local peer discovery */
         "239.255.67.250 224.0.1.60 "                        /* printers */
         "224.0.1.1 ff0X::101 "                              /* NTP */
         "224.0.1.187 ff0X::fd "                             /* CoAP */
         "ff0X::c ff0X::fb ff05::2"},                        /* SSDP, mDNS, all routers of the site */
	{"ssm", "groups for source-specific multicast (RFC 4607)", "232.0.0.0/8 ff3X::/32"},
	{"scope-local", "IPv4 local scope (RFC 2365)", "239.255.0.0/16"},
	{"scope-admin", "admin-local scope (RFC 4291)", "ffX4::/16"},
	{"scope-site", "site-local scope (RFC 4291), IPv4 local scope (RFC 2365)",
         "239.255.0.0/16 ffX5::/16"},
	{"scope-organization", "organization-local scope", "239.192.0.0/14 ffX8::/16"},
	{"scope-global", "global scope", "224.0.1.0-238.255.255.255 ffXe::/16"},
};

static const struct builtin *find_builtin(const char *name)
{
	for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
		if (strcmp(builtins[i].name, name) == 0)
			return &builtins[i];
	return NULL;
}

bool sets_builtin(size_t n, const char **name, const char **purpose)
{
	if (n >= sizeof builtins / sizeof *builtins)
		return false;
	*name = builtins[n].name;
	*purpose = builtins[n].purpose;
	return true;
}

void sets_init(struct policy_sets *sets)
{
	sets->first = NULL;
	sets->last = &sets->first;
}

void sets_fini(struct policy_sets *sets)
{
	struct policy_set *set = sets->first, *next;

	for (; set != NULL; set = next) {
		next = set->next;
		ranges_fini(&set->ranges);
		free(set);
	}
	sets_init(sets);
}

static bool fail(char error[POLICY_ERROR_SIZE], const char *text, const char *reason)
{
	snprintf(error, POLICY_ERROR_SIZE, "%.60s: %s", text, reason);
	return false;
}

static struct policy_set *add_set(struct policy_sets *sets, const char *name, unsigned line,
                                  char error[POLICY_ERROR_SIZE])
{
	struct policy_set *set = calloc(1, sizeof *set);

	if (set == NULL) {
		fail(error, name, "out of memory");
		return NULL;
	}
	snprintf(set->name, sizeof set->name, "%s", name);
	set->line = line;
	*sets->last = set;
	sets->last = &set->next;
	return set;
}

static struct policy_set *find_set(const struct policy_sets *sets, const char *name)
{
	struct policy_set *set = sets->first;

	while (set != NULL && strcmp(set->name, name) != 0)
		set = set->next;
	return set;
}

/* Addresses have a dot or a colon, names have none. */
static bool is_name(const char *text)
{
	return *text != '\0' && strpbrk(text, ".:/ \t") == NULL && !(*text >= '0' && *text <= '9');
}

struct policy_set *sets_define(struct policy_sets *sets, const char *name, unsigned line,
                               char error[POLICY_ERROR_SIZE])
{
	static const char *const reserved[] = {"all", "allow", "deny", "from", "by", "in", "default"};

	if (!is_name(name))
		return fail(error, name,
		            "the name of a set begins with a letter, and has no dot, colon or blank"),
		       NULL;
	if (strlen(name) >= SET_NAME_SIZE)
		return fail(error, name, "the name of a set has at most 31 characters"), NULL;
	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
		if (strcmp(name, reserved[i]) == 0)
			return fail(error, name,
			            "this word has a meaning of its own in rules; name the set otherwise"),
			       NULL;
	if (find_builtin(name) != NULL)
		return fail(error, name, "there is a built-in set of this name"), NULL;
	if (find_set(sets, name) != NULL)
		return fail(error, name, "this set is defined already"), NULL;
	return add_set(sets, name, line, error);
}

static bool add_text(struct policy_set *set, const char *text, char error[POLICY_ERROR_SIZE])
{
	struct range range;
	const char *reason = range_parse(text, &range);

	if (reason != NULL)
		return fail(error, text, reason);
	return ranges_add(&set->ranges, &range) || fail(error, text, "out of memory");
}

static bool add_builtin_member(struct policy_set *set, const char *member, size_t length,
                               char error[POLICY_ERROR_SIZE])
{
	char text[ADDR_TEXT_SIZE];
	char *digit;

	memcpy(text, member, length);
	text[length] = '\0';
	digit = strchr(text, 'X');
	if (digit == NULL)
		return add_text(set, text, error);
	for (const char *value = "0123456789abcdef"; *value != '\0'; value++) {
		*digit = *value;
		if (!add_text(set, text, error))
			return false;
	}
	return true;
}

/* The built-in set, made when it is used for the first time; NULL, with error empty: there is none of this name. */
static struct policy_set *use_builtin(struct policy_sets *sets, const char *name,
                                      char error[POLICY_ERROR_SIZE])
{
	const struct builtin *builtin = find_builtin(name);
	struct policy_set *set = builtin != NULL ? add_set(sets, name, 0, error) : NULL;

	if (set == NULL)
		return NULL;
	set->builtin = true;
	for (const char *at = builtin->members; *at != '\0'; at += strspn(at, " ")) {
		size_t length = strcspn(at, " ");

		if (!add_builtin_member(set, at, length, error))
			return NULL;
		at += length;
	}
	ranges_normalize(&set->ranges);
	return set;
}

static struct policy_set *find_named(struct policy_sets *sets, const char *name,
                                     char error[POLICY_ERROR_SIZE])
{
	struct policy_set *set = find_set(sets, name);

	error[0] = '\0';
	if (set == NULL)
		set = use_builtin(sets, name, error);
	if (set == NULL && error[0] == '\0')
		fail(error, name, "there is no set of this name; sets are defined in `sets`");
	if (set != NULL)
		set->used = true;
	return set;
}

bool sets_add(struct policy_sets *sets, struct policy_set *set, const char *text,
              char error[POLICY_ERROR_SIZE])
{
	const struct policy_set *other;

	if (!is_name(text)) {
		if (!add_text(set, text, error))
			return false;
	} else {
		other = find_named(sets, text, error);
		if (other == NULL)
			return false;
		if (other == set)
			return fail(error, text, "the set contains itself");
		if (!ranges_add_all(&set->ranges, &other->ranges))
			return fail(error, text, "out of memory");
	}
	return true;
}

void sets_complete(struct policy_set *set)
{
	ranges_normalize(&set->ranges);
}

const struct policy_set *sets_find(struct policy_sets *sets, const char *text, char error[POLICY_ERROR_SIZE])
{
	struct policy_set *set;

	if (is_name(text))
		return find_named(sets, text, error);
	set = add_set(sets, "", 0, error);
	if (set == NULL || !add_text(set, text, error))
		return NULL;
	set->used = true;
	return set;
}
