/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/monitor.h"

#include "ctl/client/answer.h"
#include "ctl/client/columns.h"
#include "ctl/client/print.h"
#include "ctl/client/session.h"
#include "ctl/command.h"
#include "ctl/filters.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* "query sent about 2 sources"; the group comes first, if the query is about one. */
static void describe_query(struct json_object *event, char *text, size_t size)
{
	double sources = answer_number(event, "sources");

	if (sources > 0)
		snprintf(text, size, "query sent about %.0f source%s", sources, sources > 1 ? "s" : "");
	else
		snprintf(text, size, "%squery sent",
		         answer_has(event, "group")                          ? ""
		         : strcmp(answer_text(event, "family"), "IPv4") == 0 ? "general IGMP "
		                                                             : "general MLD ");
}

/* "any source", "all but 1 source", "10.0.0.1", "2 sources" */
static void describe_filter(struct json_object *event, char *text, size_t size)
{
	double sources = answer_number(event, "sources");
	bool exclude = strcmp(answer_text(event, "mode"), "EXCLUDE") == 0;

	if (sources == 0)
		snprintf(text, size, exclude ? "any source" : "no source");
	else if (!exclude && sources == 1 && answer_has(event, "source"))
		snprintf(text, size, "%s", answer_text(event, "source"));
	else
		snprintf(text, size, "%s%.0f source%s", exclude ? "all but " : "", sources,
		         sources == 1 ? "" : "s");
}

/* "upstream: joined (any source)", "upstream: left" */
static void describe_upstream(struct json_object *event, const char *filter, char *text, size_t size)
{
	if (strcmp(answer_text(event, "mode"), "INCLUDE") == 0 && answer_number(event, "sources") == 0)
		snprintf(text, size, "upstream: left");
	else
		snprintf(text, size, "upstream: joined (%s)", filter);
}

/* "10.0.1.10 left", "no members remain" */
static void describe_leave(struct json_object *event, const char *host, char *text, size_t size)
{
	if (answer_has(event, "host"))
		snprintf(text, size, "%s left", host);
	else
		snprintf(text, size, "no members remain");
}

static void describe_outputs(struct json_object *event, char *text, size_t size)
{
	struct json_object *outputs = answer_member(event, "outputs");
	size_t count = answer_length(outputs), used;

	used = (size_t)snprintf(text, size, "source %s goes %s", answer_text(event, "source"),
	                        count > 0 ? "to" : "nowhere (unwanted)");
	for (size_t i = 0; i < count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, " %s",
		                         json_object_get_string(json_object_array_get_idx(outputs, i)));
}

/* "join of 10.0.0.5 denied by the filter rule in line 12" */
static void describe_denial(struct json_object *event, char *text, size_t size)
{
	double line = answer_number(event, "line");

	if (line > 0)
		snprintf(text, size, "join of %s denied by the filter rule in line %.0f",
		         answer_text(event, "host"), line);
	else
		snprintf(text, size, "join of %s denied by a filter", answer_text(event, "host"));
}

static void describe(struct json_object *event, const char *kind, char *text, size_t size)
{
	const char *host = answer_has(event, "host") ? answer_text(event, "host") : "a host";
	char filter[128];

	describe_filter(event, filter, sizeof filter);
	if (strcmp(kind, "link") == 0)
		snprintf(text, size, "link %s, address %s",
		         answer_bool(event, "usable") ? "usable" : "not usable",
		         answer_has(event, "address") ? answer_text(event, "address") : "none");
	else if (strcmp(kind, "querier") == 0)
		snprintf(text, size, "querier is %s%s", answer_text(event, "querier"),
		         answer_bool(event, "this_router") ? ", this router" : ", another router");
	else if (strcmp(kind, "join") == 0)
		snprintf(text, size, "%s joined (%s)", answer_bool(event, "static") ? "static," : host,
		         filter);
	else if (strcmp(kind, "leaving") == 0)
		snprintf(text, size, "%s left, asking others", host);
	else if (strcmp(kind, "host join") == 0)
		snprintf(text, size, "%s joined too", host);
	else if (strcmp(kind, "host leave") == 0)
		snprintf(text, size, "%s left, others remain", host);
	else if (strcmp(kind, "leave") == 0)
		describe_leave(event, host, text, size);
	else if (strcmp(kind, "filter") == 0)
		snprintf(text, size, "wanted from %s now%s%s", filter,
		         answer_has(event, "host") ? ", by " : "", answer_has(event, "host") ? host : "");
	else if (strcmp(kind, "query") == 0)
		describe_query(event, text, size);
	else if (strcmp(kind, "upstream") == 0)
		describe_upstream(event, filter, text, size);
	else if (strcmp(kind, "route") == 0)
		describe_outputs(event, text, size);
	else if (strcmp(kind, "source") == 0)
		snprintf(text, size, "source %s appeared", answer_text(event, "source"));
	else if (strcmp(kind, "source gone") == 0)
		snprintf(text, size, "source %s is gone", answer_text(event, "source"));
	else if (strcmp(kind, "source moved") == 0)
		snprintf(text, size, "source %s arrives here now", answer_text(event, "source"));
	else if (strcmp(kind, "older query") == 0)
		snprintf(text, size, "%s querier %s on a link configured for %s", answer_text(event, "heard"),
		         answer_text(event, "querier"), answer_text(event, "configured"));
	else if (strcmp(kind, "foreign querier") == 0)
		snprintf(text, size, "querier %s is outside the link's subnets",
		         answer_text(event, "querier"));
	else if (strcmp(kind, "denied") == 0)
		describe_denial(event, text, size);
	else if (strcmp(kind, "drop") == 0)
		snprintf(text, size, "dropped: %s (%.0f so far)%s%s", answer_text(event, "cause"),
		         answer_number(event, "count"), answer_has(event, "host") ? ", from " : "",
		         answer_has(event, "host") ? host : "");
	else if (strcmp(kind, "lost") == 0)
		snprintf(text, size, "%.0f event%s lost because they came too fast",
		         answer_number(event, "count"),
		         answer_number(event, "count") == 1 ? " was" : "s were");
	else
		snprintf(text, size, "%s", kind);
}

const char *monitor_format(struct json_object *event, char *text, size_t size)
{
	static const char *const keys[] = {"instance", "link", "group"};
	size_t used = 0;

	for (size_t i = 0; i < sizeof keys / sizeof keys[0] && used < size; i++)
		if (answer_has(event, keys[i]))
			used += (size_t)snprintf(text + used, size - used,
			                         "%s: ", answer_text(event, keys[i]));
	if (used < size)
		describe(event, answer_text(event, "event"), text + used, size - used);
	return text;
}

static enum colour event_colour(struct json_object *event)
{
	const char *kind = answer_text(event, "event");

	if (strcmp(kind, "drop") == 0 || strcmp(kind, "denied") == 0 || strcmp(kind, "lost") == 0 ||
	    strcmp(kind, "older query") == 0 || strcmp(kind, "foreign querier") == 0)
		return COLOUR_BAD;
	return strcmp(kind, "join") == 0 || strcmp(kind, "source") == 0 ? COLOUR_GOOD : COLOUR_NONE;
}

static void print_event(const struct ctl *ctl, struct json_object *event)
{
	double time = answer_number(event, "time");
	time_t seconds = (time_t)time;
	char text[2048], clock[16];
	struct tm local;

	strftime(clock, sizeof clock, "%H:%M:%S", localtime_r(&seconds, &local));
	print("%s.%03d ", clock, (int)((time - (double)seconds) * 1000));
	colour_print(stdout, ctl->colour, event_colour(event), monitor_format(event, text, sizeof text));
	putchar('\n');
}

/* Prints one line; false when it ends the monitor. */
static bool take_line(const struct ctl *ctl, const char *line)
{
	struct json_object *object = json_tokener_parse(line);
	bool good = object != NULL && !answer_has(object, "error");

	if (!good)
		print_to(stderr, "mcproxyctl: %s\n",
		         object ? answer_text(object, "error") : "the answer is not JSON");
	else if (ctl->json)
		print_json(stdout, line);
	else if (answer_has(object, "event"))
		print_event(ctl, object);
	json_object_put(object);
	return good && fflush(stdout) == 0;
}

int monitor_run(const struct ctl *ctl, int argc, char **argv)
{
	struct filters filter = {0};
	struct json_object *request;
	struct session *session;
	const char *line;
	bool good;

	if (!filters_read_only(&filter, argc, argv))
		return CTL_USAGE;
	session = session_open(ctl);
	if (session == NULL)
		return CTL_FAILED;
	request = session_request("monitor");
	filters_add(&filter, request);
	good = session_ask(session, request);
	while (good && (line = session_read_line(session, false)) != NULL) {
		good = take_line(ctl, line);
		session_wait(session); /* events come when they come */
	}
	session_close(session);
	return CTL_FAILED; /* only an error or the end of the daemon leads here */
}
