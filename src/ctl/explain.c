/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/explain.h"

#include "ctl/client/answer.h"
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
struct picture {
	struct question question;
	char group[ADDR_TEXT_SIZE];
	struct daemon_view daemon;
	struct interfaces interfaces;
	struct mroutes before, after;
	struct capture capture;
	const char *capture_why; /* NULL: it was made */
	long long rp_drops;      /* meanwhile; -1: not known */
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
	optind = 0; /* begin anew */
	while ((letter = getopt_long(argc, argv, "l:s:", options, NULL)) != -1) {
		if (letter == 'l')
			question->link = optarg;
		else if (letter != 's' || !read_seconds(optarg, &question->seconds))
			return "the options are --link NAME and --seconds NUMBER";
	}
	argc -= optind;
	argv += optind;
	if (argc < 1 || argc > 2)
		return "the address of a group is expected, and perhaps that of a source";
	if (!addr_parse(argv[0], &question->group) || !addr_is_multicast(&question->group))
		return "that is no multicast group, such as 239.1.1.1 or ff3e::1";
	question->has_source = argc == 2;
	if (argc == 2 && (!addr_parse(argv[1], &question->source) || !addr_is_source(&question->source) ||
	                  addr_family(&question->source) != addr_family(&question->group)))
		return "the source is no address that a stream of this group can come from";
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

/* Packets are looked at, or at least counted, for the same time. */
static void look_at_packets(struct picture *picture)
{
	const struct question *question = &picture->question;
	struct timespec pause = {(time_t)question->seconds,
	                         (long)((question->seconds - (double)(time_t)question->seconds) * 1e9)};
	long long rp_drops = count_rp_drops();
	int result;

	mroutes_read(&picture->before, &question->group);
	result = capture_run(&picture->capture, &question->group, &picture->interfaces,
	                     (unsigned)(question->seconds * 1000));
	if (result != 0) {
		picture->capture_why = result == -EPERM ? "only root may (CAP_NET_RAW)" : strerror(-result);
		while (nanosleep(&pause, &pause) != 0 && errno == EINTR)
			continue;
	}
	mroutes_read(&picture->after, &question->group);
	picture->rp_drops = rp_drops >= 0 ? count_rp_drops() - rp_drops : -1;
}

static void add_source(struct addr *sources, size_t *count, const struct addr *source)
{
	for (size_t i = 0; i < *count; i++)
		if (addr_equal(&sources[i], source))
			return;
	if (*count < SOURCES_MAX && addr_is_source(source))
		sources[(*count)++] = *source;
}

/* Is the interface no link of another instance? A stream that comes in there is none of this one's. */
static bool may_concern(const struct picture *picture, const char *instance, int index)
{
	const struct interface *interface = interfaces_by_index(&picture->interfaces, index);
	struct json_object *links = picture->daemon.links;

	return interface == NULL || instance == NULL ||
	       view_find(links, "link", interface->name, NULL, NULL) == NULL ||
	       view_find(links, "link", interface->name, "instance", instance) != NULL;
}

/* That is asked about, or all that are known: by the daemon, the kernel, or from what was seen. */
static size_t find_sources(const struct picture *picture, const char *instance,
                           struct addr sources[SOURCES_MAX])
{
	struct json_object *routes = picture->daemon.routes;
	size_t count = 0;
	struct addr source;

	if (picture->question.has_source) {
		add_source(sources, &count, &picture->question.source);
		return count;
	}
	for (size_t i = 0; i < view_count(routes); i++) {
		struct json_object *route = json_object_array_get_idx(routes, i);

		if (instance != NULL && strcmp(answer_text(route, "instance"), instance) == 0 &&
		    addr_parse(answer_text(route, "source"), &source))
			add_source(sources, &count, &source);
	}
	for (size_t i = 0; i < picture->after.count; i++) {
		const struct mroute *mroute = &picture->after.list[i];

		/* The kernel has unresolved entries for MLD messages without Router Alert. */
		if (may_concern(picture, instance, mroute->input) &&
		    addr_is_proxied_stream(&mroute->source, &mroute->group))
			add_source(sources, &count, &mroute->source);
	}
	for (size_t i = 0; i < picture->capture.count; i++) {
		const struct sight *sight = &picture->capture.list[i];

		if (!sight->outgoing && may_concern(picture, instance, sight->interface))
			add_source(sources, &count, &sight->source);
	}
	return count;
}

/* That of the link; else the first one that serves hosts of this family. */
static const char *link_instance(const struct picture *picture, const char *link)
{
	const char *family = addr_family(&picture->question.group) == FAMILY_IPV4 ? "IPv4" : "IPv6";
	struct json_object *links = picture->daemon.links, *found = NULL;

	if (link != NULL)
		found = view_find(links, "link", link, "family", family);
	if (link != NULL && found == NULL)
		found = view_find(links, "link", link, NULL, NULL);
	if (found == NULL)
		found = view_find(links, "role", "downstream", "family", family);
	return found != NULL ? answer_text(found, "instance") : NULL;
}

/* An entry whose input is a link of the instance comes first: each table has its own. */
static const struct mroute *find_mroute(const struct picture *picture, const struct mroutes *mroutes,
                                        const struct stream *stream)
{
	const struct mroute *found = NULL;

	for (size_t i = 0; i < mroutes->count; i++) {
		const struct mroute *mroute = &mroutes->list[i];
		const struct interface *input = interfaces_by_index(&picture->interfaces, mroute->input);

		if (!stream->has_source || !addr_equal(&mroute->source, &stream->source))
			continue;
		if (input != NULL && stream->instance != NULL &&
		    view_find(stream->links, "link", input->name, "instance", stream->instance) != NULL)
			return mroute;
		found = found != NULL ? found : mroute;
	}
	return found;
}

static struct stream make_stream(const struct picture *picture, const char *instance,
                                 const struct addr *source)
{
	struct stream stream = {.group = picture->question.group,
	                        .has_source = source != NULL,
	                        .wanted_link = picture->question.link,
	                        .instance = instance,
	                        .links = picture->daemon.links,
	                        .groups = picture->daemon.groups,
	                        .routes = picture->daemon.routes,
	                        .upstream = picture->daemon.upstream,
	                        .memberships = picture->daemon.memberships,
	                        .interfaces = &picture->interfaces,
	                        .has_joined = has_joined,
	                        .capture = picture->capture_why == NULL ? &picture->capture : NULL,
	                        .capture_why = picture->capture_why,
	                        .seconds = picture->question.seconds,
	                        .rp_drops = picture->rp_drops,
	                        .rp_filter = rp_filter_of,
	                        .route_back = route_lookup,
	                        .firewall = picture->firewall};

	if (source != NULL)
		stream.source = *source;
	stream.before = find_mroute(picture, &picture->before, &stream);
	stream.after = find_mroute(picture, &picture->after, &stream);
	return stream;
}

static bool explain_stream(const struct ctl *ctl, const struct picture *picture, const char *instance,
                           const struct addr *source)
{
	struct stream stream = make_stream(picture, instance, source);
	struct steps steps;
	enum step_result result = path_follow(&stream, &steps);

	if (ctl->json)
		json_object_array_add(picture->output, steps_object(&stream, &steps));
	else
		steps_print(&stream, &steps, ctl->colour);
	return result != STEP_FAIL;
}

/* Every source in one instance. */
static bool explain_instance(const struct ctl *ctl, const struct picture *picture, const char *instance)
{
	struct addr sources[SOURCES_MAX];
	size_t count = find_sources(picture, instance, sources);
	bool good = true;

	if (count == 0)
		return explain_stream(ctl, picture, instance, NULL);
	for (size_t i = 0; i < count; i++)
		good &= explain_stream(ctl, picture, instance, &sources[i]);
	return good;
}

/* Each instance with a member; if there is none, the one whose hosts might be. */
static bool explain_all(const struct ctl *ctl, const struct picture *picture)
{
	struct json_object *groups = picture->daemon.groups;
	const char *last = NULL;
	bool good = true;

	if (picture->question.link != NULL || view_count(groups) == 0)
		return explain_instance(ctl, picture, link_instance(picture, picture->question.link));
	for (size_t i = 0; i < view_count(groups); i++) {
		const char *instance = answer_text(json_object_array_get_idx(groups, i), "instance");

		/* Groups come instance by instance. */
		if (last == NULL || strcmp(last, instance) != 0)
			good &= explain_instance(ctl, picture, instance);
		last = instance;
	}
	return good;
}

static bool gather(const struct ctl *ctl, struct picture *picture)
{
	const char *why;
	int result;

	addr_format(&picture->question.group, picture->group);
	if (!gather_daemon(ctl, picture->group, &picture->daemon)) {
		if (picture->daemon.pid_elsewhere != 0)
			fprintf(stderr,
			        "mcproxyctl: explain: the mcproxy of %s runs in another network namespace; "
			        "ask there: nsenter -t %d -n mcproxyctl explain %s; or name the socket of "
			        "the one that runs here with --socket\n",
			        ctl->socket, (int)picture->daemon.pid_elsewhere, picture->group);
		else
			fputs("mcproxyctl: explain: the daemon has to answer first; see mcproxyctl doctor\n",
			      stderr);
		return false;
	}
	result = interfaces_read(&picture->interfaces);
	if (result != 0) {
		fprintf(stderr, "mcproxyctl: explain: the interfaces cannot be read: %s\n",
		        strerror(-result));
		return false;
	}
	picture->firewall = gather_firewall(&why);
	look_at_packets(picture);
	return true;
}

int explain_run(const struct ctl *ctl, int argc, char **argv)
{
	struct picture *picture = calloc(1, sizeof *picture);
	const char *problem;
	int status = CHECK_UNKNOWN;

	if (picture == NULL)
		return CHECK_UNKNOWN;
	problem = read_question(argc, argv, &picture->question);
	if (problem != NULL) {
		free(picture);
		return command_usage(argv[0], problem);
	}
	if (gather(ctl, picture)) {
		picture->output = json_object_new_array();
		status = explain_all(ctl, picture) ? CHECK_CLEAN : CHECK_FOUND;
		if (ctl->json)
			printf("{\"streams\":%s}\n",
			       json_object_to_json_string_ext(picture->output, JSON_C_TO_STRING_PLAIN));
		json_object_put(picture->output);
	}
	daemon_view_free(&picture->daemon);
	interfaces_free(&picture->interfaces);
	mroutes_free(&picture->before);
	mroutes_free(&picture->after);
	firewall_free(picture->firewall);
	free(picture);
	return status;
}
