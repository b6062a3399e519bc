/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/questions.h"

#include "ctl/client/answer.h"

#include <stdio.h>
#include <string.h>

/* A list that takes t to read is read again after so many times t, if events ask for it or regularly. */
#define PAUSE_SOON    3
#define PAUSE_REGULAR 20

static const struct {
	const char *what;
	enum list list;
	mtime interval; /* even if no event has come */
} asks[ASKS] = {
	[ASK_STATUS] = {"status", LISTS, 5 * MTIME_SECOND},
	[ASK_INSTANCES] = {"instances", LIST_INSTANCES, 2 * MTIME_SECOND},
	[ASK_LINKS] = {"links", LIST_LINKS, 2 * MTIME_SECOND},
	[ASK_UPLINKS] = {"uplinks", LIST_UPSTREAM, 2 * MTIME_SECOND},
	[ASK_FILTERS] = {"filters", LIST_FILTERS, 2 * MTIME_SECOND},
	[ASK_GROUPS] = {"groups", LIST_GROUPS, 60 * MTIME_SECOND},
	[ASK_ROUTES] = {"routes", LIST_ROUTES, MTIME_SECOND},
};

/* What an event changes. */
static const struct {
	const char *event;
	enum ask ask, too; /* too: ASKS for nothing else */
	bool one;          /* only one object of the list */
	bool doctor;       /* maybe what doctor finds */
} rows[] = {
	{"link", ASK_LINKS, ASK_UPLINKS, false, true},   {"querier", ASK_LINKS, ASKS, false, true},
	{"older query", ASK_LINKS, ASKS, false, true},   {"foreign querier", ASK_LINKS, ASKS, false, true},
	{"join", ASK_GROUPS, ASKS, true, false},         {"leaving", ASK_GROUPS, ASKS, true, false},
	{"leave", ASK_GROUPS, ASKS, true, false},        {"host join", ASK_GROUPS, ASKS, true, false},
	{"host leave", ASK_GROUPS, ASKS, true, false},   {"filter", ASK_GROUPS, ASKS, true, false},
	{"upstream", ASK_UPLINKS, ASKS, false, false},   {"source", ASK_ROUTES, ASKS, true, false},
	{"source moved", ASK_ROUTES, ASKS, true, false}, {"source gone", ASK_ROUTES, ASKS, true, false},
	{"route", ASK_ROUTES, ASKS, true, false},        {"denied", ASK_FILTERS, ASKS, false, false},
	{"drop", ASK_LINKS, ASKS, false, true},          {"lost", ASK_GROUPS, ASK_ROUTES, false, false},
};

const char *question_what(const struct question *question)
{
	return asks[question->ask].what;
}

enum list question_list(const struct question *question)
{
	return asks[question->ask].list;
}

void questions_begin(struct questions *questions, mtime now)
{
	*questions = (struct questions){0};
	for (enum ask ask = 0; ask < ASKS; ask++)
		questions->turns[ask].soon_at = questions->turns[ask].regular_at = now;
}

static void note_one(struct questions *questions, enum ask ask, struct json_object *event, const char *line)
{
	struct question single = {.ask = ask};

	if (questions->turns[ask].soon)
		return; /* the whole list comes */
	snprintf(single.instance, sizeof single.instance, "%s", answer_text(event, "instance"));
	snprintf(single.link, sizeof single.link, "%s", ask == ASK_GROUPS ? answer_text(event, "link") : "");
	snprintf(single.group, sizeof single.group, "%s", answer_text(event, "group"));
	if (!model_key(asks[ask].list, line, strlen(line), single.key) || single.group[0] == '\0')
		return;
	for (size_t i = 0; i < questions->single_count; i++)
		if (questions->singles[i].ask == ask && strcmp(questions->singles[i].key, single.key) == 0)
			return;
	if (questions->single_count < QUESTIONS_SINGLES_MAX)
		questions->singles[questions->single_count++] = single;
	else
		questions->turns[ask].soon = true;
}

bool questions_note(struct questions *questions, struct json_object *event, const char *line)
{
	const char *kind = answer_text(event, "event");
	size_t i = 0;

	while (i < sizeof rows / sizeof rows[0] && strcmp(rows[i].event, kind) != 0)
		i++;
	if (i == sizeof rows / sizeof rows[0])
		return false;
	if (rows[i].one)
		note_one(questions, rows[i].ask, event, line);
	else
		questions->turns[rows[i].ask].soon = true;
	if (rows[i].too != ASKS)
		questions->turns[rows[i].too].soon = true;
	return rows[i].doctor;
}

static mtime due_at(const struct questions *questions, enum ask ask)
{
	return questions->turns[ask].soon ? questions->turns[ask].soon_at : questions->turns[ask].regular_at;
}

/* The whole list has each of its objects. */
static void forget_singles(struct questions *questions, enum ask ask)
{
	size_t kept = 0;

	for (size_t i = 0; i < questions->single_count; i++)
		if (questions->singles[i].ask != ask)
			questions->singles[kept++] = questions->singles[i];
	questions->single_count = kept;
}

bool questions_next(struct questions *questions, mtime now, struct question *next)
{
	if (questions->single_count > 0 && questions_are_answered(questions)) {
		*next = questions->singles[0];
		questions->singles[0] = questions->singles[--questions->single_count];
		return true;
	}
	*next = (struct question){0};
	while (next->ask < ASKS && due_at(questions, next->ask) > now)
		next->ask++;
	if (next->ask == ASKS)
		return false;
	questions->turns[next->ask].soon = false;
	forget_singles(questions, next->ask);
	return true;
}

void questions_answer(struct questions *questions, const struct question *question, mtime asked_at, mtime now)
{
	mtime cost = now - asked_at, pause = PAUSE_REGULAR * cost, interval = asks[question->ask].interval;

	if (question->key[0] != '\0')
		return;
	questions->turns[question->ask].read = true;
	questions->turns[question->ask].soon_at = now + PAUSE_SOON * cost;
	questions->turns[question->ask].regular_at = now + (pause > interval ? pause : interval);
}

bool questions_are_answered(const struct questions *questions)
{
	for (enum ask ask = 0; ask < ASKS; ask++)
		if (!questions->turns[ask].read)
			return false;
	return true;
}

mtime questions_deadline(const struct questions *questions)
{
	mtime at = MTIME_NEVER;

	if (questions->single_count > 0)
		return 0;
	for (enum ask ask = 0; ask < ASKS; ask++)
		at = mtime_min(at, due_at(questions, ask));
	return at;
}
