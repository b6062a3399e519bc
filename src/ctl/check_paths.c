/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/check_paths.h"

#include "core/contract/link_change.h"
#include "ctl/client/options.h"

#include <fnmatch.h>
#include <string.h>

/* A link by which the stream enters or leaves. */
struct end {
	const struct config_link *link;
	enum link_role role;
	const char *name; /* of the question, where the link is a pattern */
};

struct path {
	struct decision in, out;
	enum decision_kind kind; /* of both together */
};

/* text NULL: null */
static void put(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, text != NULL ? json_object_new_string(text) : NULL);
}

static struct path decide(const struct check_question *question, const struct end *from, const struct end *to)
{
	/* Reports of hosts concern downstream links alone. */
	struct decision_subject packets = question->subject;
	struct path path;

	packets.has_host = false;
	path.in = decision_find(from->link->settings.filter_in, &packets, from->name);
	path.out = decision_find(to->link->settings.filter_out,
	                         to->role == ROLE_DOWNSTREAM ? &question->subject : &packets, from->name);
	path.kind = path.in.kind > path.out.kind ? path.in.kind : path.out.kind;
	return path;
}

static struct json_object *decision_object(const struct check_question *question,
                                           const struct decision *decision)
{
	struct json_object *object = json_object_new_object();
	const struct policy_rule *rule = decision->rule;
	bool in_file = rule != NULL && rule->line > 0;

	put(object, "decision", decision_name(decision->kind));
	put(object, "rule", rule != NULL ? rule->text : NULL);
	put(object, "file", in_file ? question->path : NULL);
	json_object_object_add(object, "line", in_file ? json_object_new_int64(rule->line) : NULL);
	return object;
}

static void put_path(const struct check_question *question, const struct end *from, const struct end *to,
                     struct json_object *paths)
{
	struct path path = decide(question, from, to);
	struct json_object *object = json_object_new_object();

	put(object, "from", from->name);
	put(object, "to", to->name);
	put(object, "decision", decision_name(path.kind));
	json_object_object_add(object, "filter_in", decision_object(question, &path.in));
	json_object_object_add(object, "filter_out", decision_object(question, &path.out));
	json_object_array_add(paths, object);
}

/* The n-th link that serves the family, upstream ones first. */
static bool find_end(const struct config_instance *instance, enum family family, size_t n, struct end *end)
{
	bool is_upstream = n < instance->upstream_count;

	if (!is_upstream && n - instance->upstream_count >= instance->downstream_count)
		return false;
	*end = (struct end){
		.link = is_upstream ? &instance->upstream[n]
	                            : &instance->downstream[n - instance->upstream_count],
		.role = is_upstream ? ROLE_UPSTREAM : ROLE_DOWNSTREAM,
	};
	end->name = end->link->name;
	if (!is_upstream && end->link->settings.version[family] == VERSION_NONE)
		end->link = NULL; /* keeps its place */
	return true;
}

/* May the stream of the question enter by the link? */
static bool is_entry(const struct check_question *question, struct end *end)
{
	if (question->in == NULL)
		return end->role == ROLE_UPSTREAM;
	if (strcmp(question->in, end->name) != 0 && fnmatch(end->name, question->in, 0) != 0)
		return false;
	end->name = question->in;
	return true;
}

static struct json_object *put_paths(const struct check_question *question,
                                     const struct config_instance *instance)
{
	enum family family = addr_family(&question->subject.group);
	struct json_object *paths = json_object_new_array();
	struct end from, to;

	for (size_t i = 0; find_end(instance, family, i, &from); i++) {
		if (from.link == NULL || !is_entry(question, &from))
			continue;
		for (size_t j = 0; find_end(instance, family, j, &to); j++)
			if (to.link != NULL && i != j &&
			    (to.role == ROLE_DOWNSTREAM || from.role == ROLE_DOWNSTREAM))
				put_path(question, &from, &to, paths);
	}
	return paths;
}

/* The upstream links by which a downstream link takes the group. */
static void put_joined(const struct check_question *question, const struct config_instance *instance,
                       const struct end *to, struct json_object *joined)
{
	enum family family = addr_family(&question->subject.group);
	struct end from;

	for (size_t i = 0; i < instance->upstream_count && find_end(instance, family, i, &from); i++) {
		struct path path = decide(question, &from, to);
		struct json_object *object;

		if (path.kind == DECISION_DENIED)
			continue;
		object = json_object_new_object();
		put(object, "link", from.name);
		put(object, "for", to->name);
		put(object, "decision", decision_name(path.kind));
		json_object_array_add(joined, object);
		/* The next link takes what this one does not. */
		if (instance->settings.upstream_choice == CHOICE_FIRST && path.kind == DECISION_ALLOWED)
			break;
	}
}

static struct json_object *put_all_joined(const struct check_question *question,
                                          const struct config_instance *instance)
{
	struct json_object *joined = json_object_new_array();
	enum family family = addr_family(&question->subject.group);
	struct end to;

	for (size_t i = instance->upstream_count; find_end(instance, family, i, &to); i++)
		if (to.link != NULL)
			put_joined(question, instance, &to, joined);
	return joined;
}

static bool is_allowed(struct json_object *paths)
{
	for (size_t i = 0; i < json_object_array_length(paths); i++) {
		struct json_object *decision;

		if (json_object_object_get_ex(json_object_array_get_idx(paths, i), "decision", &decision) &&
		    strcmp(json_object_get_string(decision), decision_name(DECISION_DENIED)) != 0)
			return true;
	}
	return false;
}

struct json_object *check_paths(const struct config *config, const struct check_question *question)
{
	struct json_object *root = json_object_new_object(), *instances = json_object_new_array();
	enum family family = addr_family(&question->subject.group);
	bool allowed = false;

	json_object_object_add(root, "version", json_object_new_int(CTL_JSON_VERSION));
	put(root, "command", "check");
	for (size_t i = 0; i < config->instance_count; i++) {
		const struct config_instance *instance = &config->instances[i];
		struct json_object *object, *paths;

		if (!config_instance_wants(instance, family))
			continue;
		object = json_object_new_object();
		paths = put_paths(question, instance);
		put(object, "instance", instance->name);
		json_object_object_add(object, "paths", paths);
		json_object_object_add(object, "joined", put_all_joined(question, instance));
		json_object_array_add(instances, object);
		allowed |= is_allowed(paths);
	}
	json_object_object_add(root, "instances", instances);
	json_object_object_add(root, "allowed", json_object_new_boolean(allowed));
	return root;
}
