/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `explain GROUP [SOURCE]`: where a stream stops, and what helps.
 */
#include "ctl/client/answer.h"
#include "ctl/client/print.h"
#include "ctl/command.h"
#include "ctl/diagnosis/gather.h"
#include "ctl/diagnosis/path_steps.h"
#include "ctl/diagnosis/steps_print.h"
#include "ctl/machine/proc_net.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <time.h>

#define SECONDS_DEFAULT 2.0
#define SECONDS_MAX     3600.0
#define SOURCES_MAX     32

struct question {
	struct addr group;
	struct addr source;
	bool has_source;
	const char *link;
	double seconds;
};

/* Everything that is known, read once. */
struct evidence {
	struct question question;
	char group[ADDR_TEXT_SIZE];
	struct daemon_view daemon;
	struct interfaces interfaces;
	struct mroutes before, after;
	struct capture capture;
	const char *capture_why; /* NULL: the packets were captured */
	long long rp_drops;      /* during the capture; -1: not known */
	struct firewall *firewall;
	struct json_object *output; /* with --json: the list of streams */
};

static const struct option options[] = {
	{"link", required_argument, NULL, 'l'},
	{"seconds", required_argument, NULL, 's'},
	{0},
};

static bool read_seconds(const char *text, double *seconds)
{
	char *end;

	*seconds = strtod(text, &end);
	return end != text && *end == '\0' && *seconds >= 0.1 && *seconds <= SECONDS_MAX;
}

/* NULL, or what is wrong. */
static const char *read_question(int argc, char **argv, struct question *question)
{
	int letter;

	*question = (struct question){.seconds = SECONDS_DEFAULT};
	optind = 0; /* restart getopt */
	opterr = 0;
	while ((letter = getopt_long(argc, argv, "l:s:", options, NULL)) != -1) {
		if (letter == 'l')
			question->link = optarg;
		else if (letter != 's' || !read_seconds(optarg, &question->seconds))
			return "the options are --link NAME and --seconds NUMBER";
	}
	argc -= optind;
	argv += optind;
	if (argc < 1 || argc > 2)
		return "a group address is expected, and optionally a source address";
	if (!addr_parse(argv[0], &question->group) || !addr_is_multicast(&question->group))
		return "the group is not a multicast address such as 239.1.1.1 or ff3e::1";
	question->has_source = argc == 2;
	if (argc == 2 && (!addr_parse(argv[1], &question->source) || !addr_is_source(&question->source) ||
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

static long long count_rp_drops(void)
{
	FILE *file = fopen("/proc/net/netstat", "re");
	long long drops = file != NULL ? read_counter(file, "TcpExt", "IPReversePathFilter") : -1;

	if (file != NULL)
		fclose(file);
	return drops;
}

/* Captures packets, or at least counts them, for the same time. */
static void look_at_packets(struct evidence *evidence)
{
	const struct question *question = &evidence->question;
	struct timespec pause = {(time_t)question->seconds,
	                         (long)((question->seconds - (double)(time_t)question->seconds) * 1e9)};
	long long rp_drops = count_rp_drops();
	int result;

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
	evidence->rp_drops = rp_drops >= 0 ? count_rp_drops() - rp_drops : -1;
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
	                              .interfaces = &evidence->interfaces,
	                              .has_joined = has_joined,
	                              .capture = evidence->capture_why == NULL ? &evidence->capture : NULL,
	                              .capture_why = evidence->capture_why,
	                              .seconds = evidence->question.seconds,
	                              .rp_drops = evidence->rp_drops,
	                              .rp_filter = rp_filter_of,
	                              .route_back = route_lookup,
	                              .firewall = evidence->firewall};

	if (source != NULL)
		stream.source = *source;
	stream.before = find_mroute(evidence, &evidence->before, &stream);
	stream.after = find_mroute(evidence, &evidence->after, &stream);
	return stream;
}

static bool explain_stream(const struct ctl *ctl, const struct evidence *evidence, const char *instance,
                           const struct addr *source)
{
	struct stream_facts stream = make_stream(evidence, instance, source);
	struct steps steps;
	enum step_result result = path_follow(&stream, &steps);

	if (ctl->json)
		json_object_array_add(evidence->output, steps_object(&stream, &steps));
	else
		steps_print(&stream, &steps, ctl->colour);
	return result != STEP_FAIL;
}

/* Explains every source in one instance. */
static bool explain_instance(const struct ctl *ctl, const struct evidence *evidence, const char *instance)
{
	struct addr sources[SOURCES_MAX];
	size_t count = find_sources(evidence, instance, sources);
	bool good = true;

	if (count == 0)
		return explain_stream(ctl, evidence, instance, NULL);
	for (size_t i = 0; i < count; i++)
		good &= explain_stream(ctl, evidence, instance, &sources[i]);
	return good;
}

/* Explains each instance with a member; if none has one, the instance of link_instance. */
static bool explain_all(const struct ctl *ctl, const struct evidence *evidence)
{
	struct json_object *groups = evidence->daemon.groups;
	const char *last = NULL;
	bool good = true;

	if (evidence->question.link != NULL || view_count(groups) == 0)
		return explain_instance(ctl, evidence, link_instance(evidence, evidence->question.link));
	for (size_t i = 0; i < view_count(groups); i++) {
		const char *instance = answer_text(json_object_array_get_idx(groups, i), "instance");

		/* Groups are sorted by instance. */
		if (last == NULL || strcmp(last, instance) != 0)
			good &= explain_instance(ctl, evidence, instance);
		last = instance;
	}
	return good;
}

static bool gather(const struct ctl *ctl, struct evidence *evidence)
{
	const char *why;
	int result;

	addr_format(&evidence->question.group, evidence->group);
	if (!gather_daemon(ctl, evidence->group, &evidence->daemon)) {
		if (evidence->daemon.pid_elsewhere != 0)
			print_to(stderr,
			         "mcproxyctl: explain: the mcproxy of %s runs in another network "
			         "namespace; run "
			         "nsenter -t %d -n mcproxyctl explain %s, or name the socket of the mcproxy "
			         "that runs here with --socket\n",
			         ctl->socket, (int)evidence->daemon.pid_elsewhere, evidence->group);
		else
			fputs("mcproxyctl: explain: the daemon does not answer; run mcproxyctl doctor\n",
			      stderr);
		return false;
	}
	result = interfaces_read(&evidence->interfaces);
	if (result != 0) {
		print_to(stderr, "mcproxyctl: explain: the interfaces cannot be read: %s\n",
		         strerror(-result));
		return false;
	}
	evidence->firewall = gather_firewall(&why);
	look_at_packets(evidence);
	return true;
}

static void print_streams(struct json_object *streams)
{
	struct json_object *root = json_object_new_object();

	json_object_object_add(root, "streams", json_object_get(streams));
	print_json(stdout, json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN));
	json_object_put(root);
}

int explain_run(const struct ctl *ctl, int argc, char **argv)
{
	struct evidence *evidence = calloc(1, sizeof *evidence);
	const char *problem;
	int status = CHECK_UNKNOWN;

	if (evidence == NULL)
		return CHECK_UNKNOWN;
	problem = read_question(argc, argv, &evidence->question);
	if (problem != NULL) {
		free(evidence);
		return command_usage(argv[0], problem);
	}
	if (gather(ctl, evidence)) {
		evidence->output = json_object_new_array();
		status = explain_all(ctl, evidence) ? CHECK_CLEAN : CHECK_FOUND;
		if (ctl->json)
			print_streams(evidence->output);
		json_object_put(evidence->output);
	}
	daemon_view_free(&evidence->daemon);
	interfaces_free(&evidence->interfaces);
	mroutes_free(&evidence->before);
	mroutes_free(&evidence->after);
	firewall_free(evidence->firewall);
	free(evidence);
	return status;
}
