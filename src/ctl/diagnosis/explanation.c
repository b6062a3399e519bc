/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/diagnosis/explanation.h"

#include "ctl/client/answer.h"
#include "ctl/machine/proc_net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SOURCES_MAX 32

/* Everything that is known, read once. */
struct evidence {
	struct question question;
	char group[ADDR_TEXT_SIZE];
	struct daemon_view daemon;
	struct interfaces interfaces;
	struct mroutes before, after;
	struct capture capture;
	const char *capture_why; /* NULL: the packets were captured */
	struct trace trace;
	const char *trace_why; /* NULL: packets were traced */
	long long rp_drops;    /* during the capture; -1: not known */
	struct firewall *firewall;
	char problem[1024]; /* "": none */
};

struct stream_taker {
	stream_take *take;
	void *context;
};

const char *question_read(struct question *question, const char *group, const char *source)
{
	if (!addr_parse(group, &question->group) || !addr_is_multicast(&question->group))
		return "the group is not a multicast address such as 239.1.1.1 or ff3e::1";
	question->has_source = source != NULL;
	if (source != NULL && (!addr_parse(source, &question->source) || !addr_is_source(&question->source) ||
	                       addr_family(&question->source) != addr_family(&question->group)))
		return "the source is not an address that can send to this group";
	return NULL;
}

static bool has_joined(const char *link, const struct addr *group)
{
	enum family family = addr_family(group);
	FILE *file = fopen(family == FAMILY_IPV4 ? "/proc/net/igmp" : "/proc/net/igmp6", "re");
	bool joined = file != NULL && joined_group(file, family, link, group);

	if (file != NULL)
		fclose(file);
	return joined;
}

static long rp_filter_of(const char *link)
{
	return read_rp_filter(PROC_SYS, link);
}

static void open_trace(struct evidence *evidence)
{
	const struct question *question = &evidence->question;
	int result = trace_open(&evidence->trace, &question->group,
	                        question->has_source ? &question->source : NULL, &evidence->interfaces);

	if (result != 0)
		evidence->trace_why = result == -EPERM ? "only root may trace packets (CAP_NET_ADMIN)"
		                                       : "the kernel lacks nf_tables of Linux 5.12";
}

/* Captures packets, or at least counts them, for the same time. */
static void look_at_packets(struct evidence *evidence)
{
	const struct question *question = &evidence->question;
	struct timespec pause = {(time_t)question->seconds,
	                         (long)((question->seconds - (double)(time_t)question->seconds) * 1e9)};
	long long rp_drops = gather_rp_drops();
	int result;

	open_trace(evidence);
	mroutes_read(&evidence->before, &question->group);
	result = capture_run(&evidence->capture, &question->group, &evidence->interfaces,
	                     (unsigned)(question->seconds * 1000));
	if (result != 0) {
		evidence->capture_why =
			result == -EPERM ? "only root may capture them (CAP_NET_RAW)" : strerror(-result);
		while (nanosleep(&pause, &pause) != 0 && errno == EINTR)
			continue;
	}
	mroutes_read(&evidence->after, &question->group);
	evidence->rp_drops = rp_drops >= 0 ? gather_rp_drops() - rp_drops : -1;
	trace_close(&evidence->trace);
}

static void add_source(struct addr *sources, size_t *count, const struct addr *source)
{
	for (size_t i = 0; i < *count; i++)
		if (addr_equal(&sources[i], source))
			return;
	if (*count < SOURCES_MAX && addr_is_source(source))
		sources[(*count)++] = *source;
}

/* False for a link of another instance: a stream that arrives there does not concern this one. */
static bool may_concern(const struct evidence *evidence, const char *instance, int index)
{
	const struct interface_state *interface = interfaces_by_index(&evidence->interfaces, index);
	struct json_object *links = evidence->daemon.links;

	return interface == NULL || instance == NULL ||
	       view_find(links, "link", interface->name, NULL, NULL) == NULL ||
	       view_find(links, "link", interface->name, "instance", instance) != NULL;
}

/* The source that was asked about, or all sources that the daemon, the kernel or the capture knows. */
static size_t find_sources(const struct evidence *evidence, const char *instance,
                           struct addr sources[SOURCES_MAX])
{
	struct json_object *routes = evidence->daemon.routes;
	size_t count = 0;
	struct addr source;

	if (evidence->question.has_source) {
		add_source(sources, &count, &evidence->question.source);
		return count;
	}
	for (size_t i = 0; i < view_count(routes); i++) {
		struct json_object *route = json_object_array_get_idx(routes, i);

		if (instance != NULL && strcmp(answer_text(route, "instance"), instance) == 0 &&
		    addr_parse(answer_text(route, "source"), &source))
			add_source(sources, &count, &source);
	}
	for (size_t i = 0; i < evidence->after.count; i++) {
		const struct mroute *mroute = &evidence->after.list[i];

		/* The kernel has unresolved entries for MLD messages without Router Alert. */
		if (may_concern(evidence, instance, mroute->input) &&
		    addr_is_proxied_stream(&mroute->source, &mroute->group))
			add_source(sources, &count, &mroute->source);
	}
	for (size_t i = 0; i < evidence->capture.count; i++) {
		const struct sighting *sighting = &evidence->capture.list[i];

		if (!sighting->outgoing && may_concern(evidence, instance, sighting->interface))
			add_source(sources, &count, &sighting->source);
	}
	return count;
}

/* The instance of the link; without a link, the first instance with a downstream link of this family. */
static const char *link_instance(const struct evidence *evidence, const char *link)
{
	const char *family = addr_family(&evidence->question.group) == FAMILY_IPV4 ? "IPv4" : "IPv6";
	struct json_object *links = evidence->daemon.links, *found = NULL;

	if (link != NULL)
		found = view_find(links, "link", link, "family", family);
	if (link != NULL && found == NULL)
		found = view_find(links, "link", link, NULL, NULL);
	if (found == NULL)
		found = view_find(links, "role", "downstream", "family", family);
	return found != NULL ? answer_text(found, "instance") : NULL;
}

/* Prefers an entry whose input is a link of the instance, because each table has its own. */
static const struct mroute *find_mroute(const struct evidence *evidence, const struct mroutes *mroutes,
                                        const struct stream_facts *stream)
{
	const struct mroute *found = NULL;

	for (size_t i = 0; i < mroutes->count; i++) {
		const struct mroute *mroute = &mroutes->list[i];
		const struct interface_state *input =
			interfaces_by_index(&evidence->interfaces, mroute->input);

		if (!stream->has_source || !addr_equal(&mroute->source, &stream->source))
			continue;
		if (input != NULL && stream->instance != NULL &&
		    view_find(stream->links, "link", input->name, "instance", stream->instance) != NULL)
			return mroute;
		found = found != NULL ? found : mroute;
	}
	return found;
}

static struct stream_facts make_stream(const struct evidence *evidence, const char *instance,
                                       const struct addr *source)
{
	struct stream_facts stream = {.group = evidence->question.group,
	                              .has_source = source != NULL,
	                              .wanted_link = evidence->question.link,
	                              .instance = instance,
	                              .links = evidence->daemon.links,
	                              .groups = evidence->daemon.groups,
	                              .routes = evidence->daemon.routes,
	                              .upstream = evidence->daemon.upstream,
	                              .memberships = evidence->daemon.memberships,
	                              .filters = evidence->daemon.filters,
	                              .sets = evidence->daemon.sets,
	                              .host = evidence->question.host,
	                              .interfaces = &evidence->interfaces,
	                              .has_joined = has_joined,
	                              .capture = evidence->capture_why == NULL ? &evidence->capture : NULL,
	                              .capture_why = evidence->capture_why,
	                              .seconds = evidence->question.seconds,
	                              .rp_drops = evidence->rp_drops,
	                              .rp_filter = rp_filter_of,
	                              .route_back = route_lookup,
	                              .firewall = evidence->firewall,
	                              .trace = evidence->trace_why == NULL ? &evidence->trace : NULL,
	                              .trace_why = evidence->trace_why};

	if (source != NULL)
		stream.source = *source;
	stream.before = find_mroute(evidence, &evidence->before, &stream);
	stream.after = find_mroute(evidence, &evidence->after, &stream);
	return stream;
}

static bool explain_stream(struct evidence *evidence, const char *instance, const struct addr *source,
                           const struct stream_taker *taker)
{
	struct stream_facts stream = make_stream(evidence, instance, source);
	struct steps steps;
	enum step_result result = path_follow(&stream, &steps);

	taker->take(taker->context, &stream, &steps);
	return result != STEP_FAIL;
}

/* Explains every source in one instance. */
static bool explain_instance(struct evidence *evidence, const char *instance,
                             const struct stream_taker *taker)
{
	struct addr sources[SOURCES_MAX];
	size_t count = find_sources(evidence, instance, sources);
	bool good = true;

	if (count == 0)
		return explain_stream(evidence, instance, NULL, taker);
	for (size_t i = 0; i < count; i++)
		good &= explain_stream(evidence, instance, &sources[i], taker);
	return good;
}

/* Explains each instance with a member; if none has one, the instance of link_instance. */
bool explanation_make(struct evidence *evidence, stream_take *take, void *context)
{
	struct json_object *groups = evidence->daemon.groups;
	const struct stream_taker taker = {take, context};
	const char *last = NULL;
	bool good = true;

	if (evidence->question.link != NULL || view_count(groups) == 0)
		return explain_instance(evidence, link_instance(evidence, evidence->question.link), &taker);
	for (size_t i = 0; i < view_count(groups); i++) {
		const char *instance = answer_text(json_object_array_get_idx(groups, i), "instance");

		/* Groups are sorted by instance. */
		if (last == NULL || strcmp(last, instance) != 0)
			good &= explain_instance(evidence, instance, &taker);
		last = instance;
	}
	return good;
}

static void set_problem(struct evidence *evidence, const char *socket)
{
	const struct session_problem *problem = &evidence->daemon.problem;

	if (evidence->daemon.pid_elsewhere != 0)
		snprintf(
			evidence->problem, sizeof evidence->problem,
			"explain: the mcproxy of %s runs in another network namespace; run nsenter -t %d -n "
			"mcproxyctl explain %s, or name the socket of the mcproxy that runs here with --socket",
			socket, (int)evidence->daemon.pid_elsewhere, evidence->group);
	else
		snprintf(evidence->problem, sizeof evidence->problem, "%s: %s; %s", socket, problem->what,
		         problem->remedy);
}

struct evidence *evidence_gather(const struct ctl *ctl, const struct question *question)
{
	struct evidence *evidence = calloc(1, sizeof *evidence);
	const char *why;
	int result;

	if (evidence == NULL)
		return NULL;
	evidence->question = *question;
	addr_format(&question->group, evidence->group);
	if (!gather_daemon(ctl, evidence->group, &evidence->daemon)) {
		set_problem(evidence, ctl->socket);
		return evidence;
	}
	result = interfaces_read(&evidence->interfaces);
	if (result != 0) {
		snprintf(evidence->problem, sizeof evidence->problem,
		         "explain: the interfaces cannot be read: %s", strerror(-result));
		return evidence;
	}
	evidence->firewall = gather_firewall(&why);
	look_at_packets(evidence);
	return evidence;
}

const char *evidence_problem(const struct evidence *evidence)
{
	return evidence->problem[0] != '\0' ? evidence->problem : NULL;
}

void evidence_free(struct evidence *evidence)
{
	if (evidence == NULL)
		return;
	daemon_view_free(&evidence->daemon);
	interfaces_free(&evidence->interfaces);
	mroutes_free(&evidence->before);
	mroutes_free(&evidence->after);
	firewall_free(evidence->firewall);
	free(evidence);
}

struct json_object *explanation_object(struct json_object *streams)
{
	struct json_object *root = json_object_new_object();

	json_object_object_add(root, "version", json_object_new_int(CTL_JSON_VERSION));
	json_object_object_add(root, "command", json_object_new_string("explain"));
	json_object_object_add(root, "streams", streams);
	return root;
}
