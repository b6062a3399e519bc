/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/diagnosis/gather.h"

#include "ctl/client/answer.h"
#include "ctl/client/program.h"
#include "ctl/client/session.h"
#include "ctl/diagnosis/discovery_groups.h"
#include "ctl/machine/proc_net.h"
#include "kernel/mrt_owner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PROGRAM_TIMEOUT 5000 /* milliseconds */
#define ROUTES_BRIEF    1000
#define ITEMS_MAX       4096 /* kept of a list; of a whole table's routes these are a sample */

_Static_assert(sizeof((struct table_owner *)0)->name == MRT_OWNER_NAME_SIZE, "a name fits");

/* Collects the elements of a list; of a status, its members. */
struct collection {
	const char *list;
	size_t max;
	bool (*wanted)(struct json_object *element); /* NULL: all are */
	struct json_object *into;
};

/* The elements of a list arrive one by one, as objects. */
static void collect_member(struct json_object *into, const char *key, struct json_object *value)
{
	struct json_object *list;

	if (!json_object_is_type(value, json_type_object)) {
		json_object_object_add(into, key, json_object_get(value));
		return;
	}
	if (!json_object_object_get_ex(into, key, &list)) {
		list = json_object_new_array();
		json_object_object_add(into, key, list);
	}
	json_object_array_add(list, json_object_get(value));
}

static void collect(void *context, const char *key, struct json_object *value)
{
	struct collection *collection = context;

	if (json_object_is_type(collection->into, json_type_object))
		collect_member(collection->into, key, value);
	else if (strcmp(key, collection->list) == 0 && view_count(collection->into) < collection->max &&
	         (collection->wanted == NULL || collection->wanted(value)))
		json_object_array_add(collection->into, json_object_get(value));
}

static bool is_discovery(struct json_object *membership)
{
	struct addr group;

	return addr_parse(answer_text(membership, "group"), &group) && discovery_group_name(&group) != NULL;
}

static struct json_object *ask_list(struct session *session, const char *what, const char *list,
                                    const char *group)
{
	struct json_object *request = session_request("show");
	bool is_list = strcmp(what, "status") != 0;
	struct collection collection = {
		.list = list,
		/* A rule that is missing changes what the others mean. */
		.max = strcmp(list, "filters") == 0 || strcmp(list, "sets") == 0 ? SIZE_MAX : ITEMS_MAX,
		.wanted = group == NULL && strcmp(list, "memberships") == 0 ? is_discovery : NULL,
		.into = is_list ? json_object_new_array() : json_object_new_object(),
	};

	json_object_object_add(request, "what", json_object_new_string(what));
	if (group != NULL)
		json_object_object_add(request, "group", json_object_new_string(group));
	if (session_ask(session, request) && session_read(session, collect, &collection))
		return collection.into;
	json_object_put(collection.into);
	return NULL;
}

static struct json_object *ask(struct session *session, const char *what, const char *group)
{
	return ask_list(session, what, what, group);
}

/* False when an answer is missing. */
static bool ask_state(struct session *session, struct daemon_view *view)
{
	view->status = ask(session, "status", NULL);
	view->instances = view->status != NULL ? ask(session, "instances", NULL) : NULL;
	view->links = view->instances != NULL ? ask(session, "links", NULL) : NULL;
	view->upstream = view->links != NULL ? ask_list(session, "uplinks", "upstream", NULL) : NULL;
	return view->upstream != NULL;
}

static double count_routes(const struct daemon_view *view)
{
	double count = 0;

	for (size_t i = 0; i < view_count(view->instances); i++)
		count += answer_number(json_object_array_get_idx(view->instances, i), "routes");
	return count;
}

bool gather_daemon_briefly(const struct ctl *ctl, struct daemon_view *view)
{
	struct session *session = session_open(ctl);
	bool good;

	*view = (struct daemon_view){0};
	if (session == NULL)
		return false;
	view->pid_elsewhere = session_pid_elsewhere(session);
	good = ask_state(session, view);
	if (good && count_routes(view) <= ROUTES_BRIEF)
		view->routes = ask(session, "routes", NULL);
	session_close(session);
	if (!good)
		daemon_view_free(view);
	return good;
}

bool gather_daemon(const struct ctl *ctl, const char *group, struct daemon_view *view)
{
	struct session_problem problem = {.kind = SESSION_GOOD};
	struct session *session = session_open_with(ctl, &problem);

	*view = (struct daemon_view){.problem = problem};
	if (session == NULL)
		return false;
	view->pid_elsewhere = session_pid_elsewhere(session);
	if (view->pid_elsewhere != 0) {
		session_close(session);
		return false;
	}
	view->routes = ask_state(session, view) ? ask(session, "routes", group) : NULL;
	if (view->routes != NULL)
		view->memberships = ask_list(session, "upstream", "memberships", group);
	if (group != NULL && view->memberships != NULL)
		view->groups = ask(session, "groups", group);
	if (view->groups != NULL)
		view->filters = ask(session, "filters", NULL);
	if (view->filters != NULL)
		view->sets = ask(session, "sets", NULL);
	session_close(session);
	if (group != NULL ? view->groups != NULL : view->memberships != NULL)
		return true;
	daemon_view_free(view);
	view->problem = problem;
	return false;
}

void daemon_view_free(struct daemon_view *view)
{
	json_object_put(view->status);
	json_object_put(view->instances);
	json_object_put(view->links);
	json_object_put(view->upstream);
	json_object_put(view->memberships);
	json_object_put(view->groups);
	json_object_put(view->routes);
	json_object_put(view->filters);
	json_object_put(view->sets);
	*view = (struct daemon_view){0};
}

size_t view_count(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

static bool has_text(struct json_object *object, const char *key, const char *text)
{
	return key == NULL || strcmp(answer_text(object, key), text) == 0;
}

struct json_object *view_find(struct json_object *list, const char *key, const char *text, const char *key2,
                              const char *text2)
{
	for (size_t i = 0; i < view_count(list); i++) {
		struct json_object *object = json_object_array_get_idx(list, i);

		if (has_text(object, key, text) && has_text(object, key2, text2))
			return object;
	}
	return NULL;
}

/* False when there is no such program, or it prints no rules. *nft: the program is the iptables that stores
 * its rules in nftables. */
static bool add_saved(struct firewall *firewall, enum family family, const char *program, bool *nft)
{
	char save[32];
	const char *const arguments[] = {save, NULL};
	int error;
	char *text;
	bool added;

	snprintf(save, sizeof save, "%s-save", program);
	text = program_output(arguments, PROGRAM_TIMEOUT, &error);
	added = text != NULL && firewall_add_iptables(firewall, family, program, text);
	*nft = text != NULL && strstr(text, "(nf_tables)") != NULL;
	free(text);
	return added;
}

/* Only the legacy program can list legacy rules. The default program may be the legacy one. */
static bool add_iptables(struct firewall *firewall, enum family family)
{
	bool ipv4 = family == FAMILY_IPV4, nft, again;
	bool added = add_saved(firewall, family, ipv4 ? "iptables" : "ip6tables", &nft);

	if (added && !nft)
		return true;
	return add_saved(firewall, family, ipv4 ? "iptables-legacy" : "ip6tables-legacy", &again) || added;
}

static bool add_nft(struct firewall *firewall, int *error)
{
	const char *const rules[] = {"nft", "-j", "list", "ruleset", NULL};
	const char *const texts[] = {"nft", "-a", "-s", "-t", "list", "ruleset", NULL};
	char *text = program_output(rules, PROGRAM_TIMEOUT, error);
	bool added = text != NULL && firewall_add_nft(firewall, text);
	int ignored;

	if (text != NULL && !added)
		*error = EIO;
	free(text);
	text = added ? program_output(texts, PROGRAM_TIMEOUT, &ignored) : NULL;
	if (text != NULL)
		firewall_add_rule_texts(firewall, text);
	free(text);
	return added;
}

struct firewall *gather_firewall(const char **why)
{
	struct firewall *firewall = firewall_new();
	int error = 0;
	bool known;

	*why = geteuid() != 0 ? "only root may read the rules" : "out of memory";
	if (firewall == NULL || geteuid() != 0) {
		firewall_free(firewall);
		return NULL;
	}
	known = add_iptables(firewall, FAMILY_IPV4);
	known |= add_iptables(firewall, FAMILY_IPV6);
	known |= add_nft(firewall, &error);
	if (known)
		return firewall;
	firewall_free(firewall);
	*why = error == ENOENT ? "neither nft nor iptables-save is installed" : "nft does not list its rules";
	return NULL;
}

/* The file has a heading, and a line for each interface in use. */
static bool has_vifs(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[256];
	bool has = file != NULL && fgets(line, sizeof line, file) != NULL &&
	           fgets(line, sizeof line, file) != NULL;

	if (file != NULL)
		fclose(file);
	return has;
}

void gather_table_owner(enum family family, struct table_owner *owner)
{
	const char *path = family == FAMILY_IPV4 ? "/proc/net/ip_mr_vif" : "/proc/net/ip6_mr_vif";

	*owner = (struct table_owner){.has_kernel = access(path, F_OK) == 0};
	owner->taken = mrt_owner_find(family, false, &owner->pid, owner->name);
	if (owner->taken)
		return;
	owner->taken = has_vifs(path);
	owner->name[0] = '\0';
}

long long gather_rp_drops(void)
{
	FILE *file = fopen("/proc/net/netstat", "re");
	long long drops = file != NULL ? read_counter(file, "TcpExt", "IPReversePathFilter") : -1;

	if (file != NULL)
		fclose(file);
	return drops;
}
