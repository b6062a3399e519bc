/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/config/syntax.h"

#include "daemon/config/scan.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define BLANK       " \t\r\n\v\f"
#define DEPTH_MAX   32 /* of brackets; deeper nesting gets the general hint */
#define WORD_SHOWN  24
#define QUOTE_SHOWN 48

struct token {
	enum piece piece;
	const char *start;
	size_t length;
	unsigned line;
};

struct bracket {
	char mark;
	unsigned line;
};

struct explainer {
	unsigned line; /* where the parser stopped */
	struct token before, now;
	struct bracket open[DEPTH_MAX];
	size_t depth;
	char *hint;
	size_t size;
};

__attribute__((format(printf, 2, 3))) static bool explain(const struct explainer *explainer,
                                                          const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(explainer->hint, explainer->size, format, arguments);
	va_end(arguments);
	return true;
}

static bool is_mark(const struct token *token, const char *marks)
{
	return token->piece == PIECE_MARK && strchr(marks, *token->start) != NULL;
}

static bool is_name(const struct token *token)
{
	return token->piece == PIECE_WORD &&
	       (isalpha((unsigned char)*token->start) || strchr("_*", *token->start) != NULL);
}

static int shown(const struct token *token)
{
	return (int)(token->length < WORD_SHOWN ? token->length : WORD_SHOWN);
}

/* Counts brackets from the beginning, because a missing one causes an error only later. */
static bool explain_bracket(struct explainer *explainer)
{
	const struct token *now = &explainer->now;
	const struct bracket *open = explainer->depth > 0 ? &explainer->open[explainer->depth - 1] : NULL;
	static const char opening[] = "({[", closing[] = ")}]";
	const char *kind;

	if (is_mark(now, opening) && explainer->depth < DEPTH_MAX)
		explainer->open[explainer->depth++] = (struct bracket){*now->start, now->line};
	if (now->piece == PIECE_END && open != NULL)
		return explain(explainer, "the %c of line %u is not closed", open->mark, open->line);
	if (!is_mark(now, closing))
		return false;
	if (open == NULL)
		return explain(explainer, "this %c closes nothing", *now->start);
	kind = strchr(opening, open->mark);
	if (closing[kind - opening] != *now->start)
		return explain(explainer, "the %c of line %u is not closed before this %c", open->mark,
		               open->line, *now->start);
	explainer->depth--;
	return false;
}

/* A setting that begins inside a list: a bracket that should close the list is missing. */
static bool explain_open_list(const struct explainer *explainer)
{
	const struct bracket *open = explainer->depth > 0 ? &explainer->open[explainer->depth - 1] : NULL;

	if (open == NULL || open->mark == '{')
		return false;
	if (is_mark(&explainer->now, ";") || (is_mark(&explainer->now, "=:") && is_name(&explainer->before)))
		return explain(explainer, "the %c of line %u is not closed before this", open->mark,
		               open->line);
	return false;
}

static bool is_one_of(const struct token *token, const char *const *words)
{
	for (; *words != NULL; words++)
		if (token->piece == PIECE_WORD && strlen(*words) == token->length &&
		    strncasecmp(*words, token->start, token->length) == 0)
			return true;
	return false;
}

static bool explain_value(const struct explainer *explainer)
{
	static const char *const truths[] = {"true", "false", NULL};
	static const char *const switches[] = {"yes", "no", "on", "off", NULL};
	const struct token *before = &explainer->before, *now = &explainer->now;
	bool is_value = is_mark(before, "=:([,");

	if (now->piece == PIECE_MARK && !isascii((unsigned char)*now->start))
		return explain(
			explainer,
			"a letter or quote that is not plain ASCII; text is written in \"plain quotes\"");
	if (is_mark(before, ",") && is_mark(now, ")]"))
		return explain(explainer, "there is one comma too many before the %c", *now->start);
	if (is_mark(before, "=:") && (is_mark(now, ";,)}]") || now->piece == PIECE_END))
		return explain(explainer, "a value is missing after the %c", *before->start);
	if (is_value && is_mark(now, "/"))
		return explain(explainer, "text is written in quotes, and so is the name of a file");
	if (is_value && is_one_of(now, switches))
		return explain(explainer, "true or false is expected, not %.*s", shown(now), now->start);
	if (is_value && is_name(now) && !is_one_of(now, truths))
		return explain(explainer, "text is written in quotes: \"%.*s\"", shown(now), now->start);
	if (is_value && now->piece == PIECE_WORD && isdigit((unsigned char)*now->start) &&
	    strspn(now->start, "0123456789.") < now->length)
		return explain(explainer, "%.*s: a number has no unit; a size is written as in \"64M\"",
		               shown(now), now->start);
	return false;
}

static bool explain_name(const struct explainer *explainer)
{
	const struct token *before = &explainer->before, *now = &explainer->now;

	if (is_mark(now, ">"))
		return explain(explainer, "an instance is written: instances = ( \"eth0 ==> eth1\" );");
	if (is_name(before) && !is_mark(now, "=:") && before->line == explainer->line)
		return explain(explainer, "a = is missing after %.*s", shown(before), before->start);
	return false;
}

/* Does the line contain an arrow outside strings and comments? */
static bool has_arrow(const char *text, unsigned line)
{
	struct scan scan = scan_begin(text);
	enum piece piece;

	do {
		piece = scan_next(&scan);
		if (piece == PIECE_MARK && scan.start_line == line && *scan.start == '>')
			return true;
	} while (piece != PIECE_END && piece != PIECE_ENDLESS && scan.start_line <= line);
	return false;
}

static bool explain_token(struct explainer *explainer)
{
	if (explain_bracket(explainer))
		return true;
	return explainer->now.line >= explainer->line &&
	       (explain_open_list(explainer) || explain_value(explainer) || explain_name(explainer));
}

void config_syntax_explain(const char *text, unsigned line, char *hint, size_t size)
{
	struct explainer explainer = {.line = line, .hint = hint, .size = size};
	struct scan scan = scan_begin(text);
	bool explained = false;

	snprintf(hint, size, "settings are written: name = value;");
	if (has_arrow(text, line)) {
		explain(&explainer, "an instance is written: instances = ( \"eth0 ==> eth1\" );");
		return;
	}
	do {
		explainer.before = explainer.now;
		explainer.now.piece = scan_next(&scan);
		explainer.now.start = scan.start;
		explainer.now.length = scan.length;
		explainer.now.line = scan.start_line;
		explained = explain_token(&explainer);
	} while (!explained && explainer.now.piece != PIECE_END && explainer.now.piece != PIECE_ENDLESS &&
	         explainer.before.line <= line);
}

void config_syntax_quote(const char *text, unsigned line, char *quote, size_t size)
{
	size_t length;

	for (; line > 1 && *text != '\0'; line--) {
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	text += strspn(text, " \t\r\v\f");
	length = strcspn(text, "\n");
	while (length > 0 && strchr(BLANK, text[length - 1]) != NULL)
		length--;
	snprintf(quote, size, "%.*s%s", (int)(length < QUOTE_SHOWN ? length : QUOTE_SHOWN), text,
	         length > QUOTE_SHOWN ? "..." : "");
}
