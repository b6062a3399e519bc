/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/config/foreign.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SEPARATORS " \t\r\v\f\n;{}()\"'"
#define WORD_SIZE  32

enum syntax {
	SYNTAX_NONE,
	SYNTAX_PHYINT,
	SYNTAX_LINES,
	SYNTAX_PINSTANCE,
	SYNTAX_COMMAS,
	SYNTAX_UCI,
	SYNTAX_OWN_UCI
};

/* The words that begin a statement. In quotes, or with a = or : after them, they are something else. */
static const struct sign {
	const char *word, *next; /* next: NULL: any word */
	enum syntax syntax;
	const char *program;
} signs[] = {
	{"pinstance", NULL, SYNTAX_PINSTANCE, "mcproxy 1.1"},
	{"phyint", NULL, SYNTAX_PHYINT, "igmpproxy"},
	{"igmp", "enable", SYNTAX_LINES, "improxy"},
	{"igmp", "disable", SYNTAX_LINES, "improxy"},
	{"mld", "enable", SYNTAX_LINES, "improxy"},
	{"mld", "disable", SYNTAX_LINES, "improxy"},
	{"omcproxy", NULL, SYNTAX_COMMAS, "omcproxy"},
	{"config", "proxy", SYNTAX_UCI, "omcproxy (UCI)"},
	{"config", "igmpproxy", SYNTAX_UCI, "igmpproxy (UCI)"},
	{"config", "phyint", SYNTAX_UCI, "igmpproxy (UCI)"},
	{"config", "mcproxy", SYNTAX_OWN_UCI, "OpenWrt (UCI)"},
	{"config", "instance", SYNTAX_OWN_UCI, "OpenWrt (UCI)"},
};

struct words {
	const char *at;
	unsigned line;
	bool first;  /* the word begins a line or follows a ; */
	bool quoted; /* a quote stands before it */
	char word[WORD_SIZE];
};

/* The next word; false at the end. */
static bool next_word(struct words *words)
{
	size_t length;

	words->quoted = false;
	words->first = words->first && words->word[0] == '\0';
	for (; *words->at != '\0' && (strchr(SEPARATORS, *words->at) != NULL || *words->at == '#');
	     words->at++) {
		if (*words->at == '#')
			words->at += strcspn(words->at, "\n");
		words->line += *words->at == '\n';
		words->first |= *words->at == '\n' || *words->at == ';';
		words->quoted = *words->at == '"' || *words->at == '\'';
		if (*words->at == '\0')
			break;
	}
	length = strcspn(words->at, SEPARATORS "#");
	snprintf(words->word, sizeof words->word, "%.*s", (int)length, words->at);
	words->at += length;
	return length > 0;
}

static struct words words_begin(const char *text)
{
	return (struct words){.at = text, .line = 1, .first = true};
}

static bool is_word(const struct words *words, const char *word)
{
	return strcasecmp(words->word, word) == 0;
}

static bool is_assigned(const struct words *words)
{
	const char *after = words->at + strspn(words->at, " \t\"");

	return *after == '=' || *after == ':';
}

static bool matches(const struct sign *sign, struct words words)
{
	if (!words.first || words.quoted || is_assigned(&words) || !is_word(&words, sign->word))
		return false;
	words.first = false;
	return next_word(&words) && !words.first && (sign->next == NULL || is_word(&words, sign->next));
}

static const struct sign *find_sign(const char *text, unsigned *line)
{
	struct words words = words_begin(text);

	while (next_word(&words))
		for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
			if (matches(&signs[i], words)) {
				*line = words.line;
				return &signs[i];
			}
	return NULL;
}

/* The two sides of an instance. */
struct sides {
	char up[64], down[96];
};

/* False when there is no room. */
static bool add_name(char *side, size_t size, const char *name)
{
	size_t used = strlen(side), length = strcspn(name, ":");

	if (used + length + 2 > size)
		return false;
	snprintf(side + used, size - used, "%s%.*s", used > 0 ? " " : "", (int)length, name);
	return true;
}

static bool add_side(struct sides *sides, bool up, const char *name)
{
	return up ? add_name(sides->up, sizeof sides->up, name)
	          : add_name(sides->down, sizeof sides->down, name);
}

/* "phyint eth0 upstream", "upstream eth0". */
static bool collect_roles(const char *text, bool role_follows, struct sides *sides)
{
	struct words words = words_begin(text);
	char before[WORD_SIZE] = "";
	bool good = true;

	while (good && next_word(&words)) {
		bool up = strcasecmp(role_follows ? words.word : before, "upstream") == 0;
		bool down = strcasecmp(role_follows ? words.word : before, "downstream") == 0;

		if ((up || down) && !(role_follows && words.first))
			good = add_side(sides, up, role_follows ? before : words.word);
		memcpy(before, words.word, sizeof before);
	}
	return good;
}

/* The first `pinstance NAME: eth0 ==> eth1`. */
static bool collect_pinstance(const char *text, struct sides *sides)
{
	struct words words = words_begin(text);
	bool up = true, good = true;

	while (next_word(&words) && !is_word(&words, "pinstance"))
		continue;
	while (next_word(&words) && strchr(words.word, ':') == NULL)
		continue;
	words.first = false;
	while (good && next_word(&words) && !words.first)
		if (is_word(&words, "==>"))
			up = false;
		else
			good = add_side(sides, up, words.word);
	return good;
}

/* `omcproxy eth0,eth1,scope=global` */
static bool collect_commas(const char *text, struct sides *sides)
{
	struct words words = words_begin(text);
	bool up = true, good = true;
	char *rest, *name;

	while (next_word(&words) && strchr(words.word, ',') == NULL)
		continue;
	rest = words.word;
	while (good && (name = strsep(&rest, ",")) != NULL) {
		if (strncmp(name, "scope=", 6) != 0)
			good = add_side(sides, up, name);
		up = false;
	}
	return good;
}

static bool collect(const char *text, enum syntax syntax, struct sides *sides)
{
	switch (syntax) {
	case SYNTAX_PHYINT:
		return collect_roles(text, true, sides);
	case SYNTAX_LINES:
		return collect_roles(text, false, sides);
	case SYNTAX_PINSTANCE:
		return collect_pinstance(text, sides);
	case SYNTAX_COMMAS:
		return collect_commas(text, sides);
	case SYNTAX_NONE:
	case SYNTAX_UCI:
	case SYNTAX_OWN_UCI:
		return false;
	}
	return false;
}

unsigned config_foreign_explain(const char *text, char *hint, size_t size)
{
	struct sides sides = {.up = ""};
	unsigned line = 0;
	const struct sign *sign = find_sign(text, &line);

	if (sign == NULL)
		return 0;
	if (sign->syntax == SYNTAX_OWN_UCI)
		snprintf(
			hint, size,
			"this is OpenWrt's UCI file /etc/config/mcproxy, which only /etc/init.d/mcproxy reads; start that");
	else if (collect(text, sign->syntax, &sides) && sides.down[0] != '\0')
		snprintf(
			hint, size,
			"this is the syntax of %s; convert it with mcproxyctl convert, or write: instances = ( \"%s%s==> %s\" );",
			sign->program, sides.up, sides.up[0] != '\0' ? " " : "", sides.down);
	else
		snprintf(
			hint, size,
			"this is the syntax of %s; convert it with mcproxyctl convert, or write, with the names of interfaces: instances = ( \"eth0 ==> "
			"eth1\" );",
			sign->program);
	return line;
}
