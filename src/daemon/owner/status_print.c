/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/log/clock.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/kernel_table.h"
#include "daemon/owner/link_readers.h"
#include "daemon/owner/owner.h"
#include "daemon/owner/status_inside.h"
#include "daemon/owner/uplink.h"

void status_print_vifs(FILE *out, const struct links_port *port)
{
	unsigned vif = port->vif[FAMILY_IPV4], mif = port->vif[FAMILY_IPV6];

	if (vif == LINKS_NO_VIF && mif == LINKS_NO_VIF)
		fprintf(out, " [vif=none]");
	else if (vif == LINKS_NO_VIF || mif == LINKS_NO_VIF || vif == mif)
		fprintf(out, " [vif=%u]", vif != LINKS_NO_VIF ? vif : mif);
	else
		fprintf(out, " [vif=%u mif=%u]", vif, mif);
}

void status_print_missing(const struct status *status, struct owner *owner, enum link_role role)
{
	const struct config_instance *config = owner->instances[status->instance].config;
	const struct config_link *names = role == ROLE_UPSTREAM ? config->upstream : config->downstream;
	size_t count = role == ROLE_UPSTREAM ? config->upstream_count : config->downstream_count;

	for (size_t i = 0; i < count; i++) {
		size_t cursor = 0;
		unsigned instance;
		const char *pattern;
		bool missing = false;

		while (links_next_missing(owner->links, &cursor, &instance, &pattern))
			missing |= instance == status->instance && strcmp(pattern, names[i].name) == 0;
		if (!missing)
			continue;
		if (role == ROLE_UPSTREAM)
			fprintf(status->out, " %s [missing]", names[i].name);
		else
			fprintf(status->out, "\n\t-- downstream %s [missing] --\n", names[i].name);
	}
}

static void print_holders(FILE *out, const struct instance_slot *instance)
{
	char text[HOLDER_TEXT_SIZE];

	for (int family = 0; family < FAMILIES; family++)
		if (instance->holders[family].there)
			fprintf(out, "\t-- %s not served: %s --\n", family_name(family),
			        holder_text(&instance->holders[family], text));
}

void status_print_instance(struct status *status, struct owner *owner)
{
	struct links_port port;
	size_t cursor = status->instance * LINKS_MAX;

	fprintf(status->out, "##-- instance upstream");
	while (links_next_port(owner->links, &cursor, &port) && port.instance == status->instance) {
		if (port.role != ROLE_UPSTREAM)
			continue;
		fprintf(status->out, " %s", port.name);
		status_print_vifs(status->out, &port);
	}
	status_print_missing(status, owner, ROLE_UPSTREAM);
	if (owner->instances[status->instance].config->upstream_count == 0)
		fprintf(status->out, " none, querier only");
	fprintf(status->out, " --##\n");
	print_holders(status->out, &owner->instances[status->instance]);
}

static void print_flow(struct status *status, const struct snapshot_flow *flow)
{
	char text[ADDR_TEXT_SIZE];

	if (status->groups == 0)
		fprintf(status->out, "\tgroup addr\n");
	if (status->groups == 0 || !addr_equal(&flow->group, &status->group)) {
		fprintf(status->out, "\t[%u] %s\n", status->groups++, addr_format(&flow->group, text));
		status->group = flow->group;
		status->sources = 0;
		if (status->detail >= 2)
			fprintf(status->out, "\t\tsrc addr | robustness_counter | flag\n");
	}
	if (status->detail >= 2)
		fprintf(status->out, "\t\t[%u] %s\t%u\t%s\n", status->sources++,
		        addr_format(&flow->source, text), flow->rounds,
		        flow->outputs ? "CACHED_SRC" : "UNUSED_SRC");
}

static void print_group(struct status *status, const struct snapshot_group *group)
{
	bool filtered = group->mode == FILTER_INCLUDE || group->sources > 0;
	char text[ADDR_TEXT_SIZE];

	if (status->groups == 0)
		fprintf(status->out, "\t\tgroup addr | robustness_counter | flag\n");
	fprintf(status->out, "\t\t[%u] %s\t%u\t%s%s%s\n", status->groups++, addr_format(&group->group, text),
	        group->rounds, group->queried ? "RESPONSE_STATE" : "RUNNING", filtered ? "\t" : "",
	        filtered ? filter_mode_name(group->mode) : "");
	status->sources = 0;
}

static void print_source(struct status *status, const struct snapshot_source *source)
{
	char text[ADDR_TEXT_SIZE];

	if (status->detail < 2)
		return;
	fprintf(status->out, "\t\t\t[%u] %s\t%s\n", status->sources++, addr_format(&source->source, text),
	        source->blocked ? "BLOCKED" : "FORWARDED");
}

static void print_upstream(struct status *status, struct owner *owner, const struct snapshot_link *link)
{
	struct uplink *uplink = uplink_find(owner, link->family, link->name);
	mtime now = clock_now();
	struct host_status host;
	char text[ADDR_TEXT_SIZE];

	if (uplink == NULL)
		return;
	host_get_status(uplink->host, now, &host);
	fprintf(status->out,
	        "\t\tspoken\t%s\n"
	        "\t\tgroups\t%zu, %zu refused by the kernel, %zu as supersets\n"
	        "\t\tkept\t%zu by the kernel, %zu by mcproxy\n",
	        version_name(link->family, host.version), host.groups, host.failing, host.supersets,
	        host.groups - host.kept_here, host.kept_here);
	if (host.query_received_at != MTIME_NEVER)
		fprintf(status->out, "\t\tquerier\t%s, heard %lld s ago\n", addr_format(&host.querier, text),
		        (long long)(now - host.query_received_at) / 1000);
	else
		fprintf(status->out, "\t\tquerier\tnone heard\n");
	fprintf(status->out, "\t\treports_sent\t%llu\n\t\trepeats_without_querier\t%llu\n",
	        (unsigned long long)host.reports_sent, (unsigned long long)host.repeats);
}

static double seconds(uint32_t milliseconds)
{
	return milliseconds / 1e3;
}

static void print_downstream(struct status *status, const struct snapshot_link *link)
{
	char text[ADDR_TEXT_SIZE];

	fprintf(status->out,
	        "\t\tquerier\t%s%s\n"
	        "\t\trobustness\t%u\n"
	        "\t\tquery_interval\t%g\n"
	        "\t\tquery_response_interval\t%g\n"
	        "\t\tstartup_query_interval\t%g\n"
	        "\t\tstartup_query_count\t%u\n"
	        "\t\tlast_member_query_interval\t%g\n"
	        "\t\tlast_member_query_count\t%u\n"
	        "\t\tgroup_membership_interval\t%g\n"
	        "\t\tother_querier_present_interval\t%g\n"
	        "\t\tolder_host_present_interval\t%g\n"
	        "\t\treports\t%u\n"
	        "\t\tqueries_sent\t%u\n"
	        "\t\tqueries_heard\t%u, %u of another version\n",
	        addr_format(link->querier ? &link->address : &link->other_querier, text),
	        link->querier ? ", this router" : "", link->robustness, seconds(link->query_interval),
	        seconds(link->query_response_interval), seconds(link->startup_query_interval),
	        link->startup_query_count, seconds(link->last_member_query_interval),
	        link->last_member_query_count, seconds(link->membership_interval),
	        seconds(link->other_querier_present_interval), seconds(link->older_host_present_interval),
	        link->reports, link->queries_sent, link->queries_received, link->older_queries);
}

/* What was lost outside the engine. */
static void print_vif_counters(struct status *status, struct owner *owner, const struct snapshot_link *link)
{
	unsigned number = links_vif(owner->links, (unsigned)status->instance, link->id, link->family);
	const struct table *table = owner->instances[status->instance].tables[link->family];
	struct vif *vif = table != NULL && number != LINKS_NO_VIF ? table->vifs[number] : NULL;

	if (vif == NULL)
		return;
	fprintf(status->out, "\t\tlost_in_socket\t%llu\n\t\tsends_failed\t%llu\n",
	        (unsigned long long)link_readers_lost(vif), (unsigned long long)vif->sends_failed);
	if (link->role == ROLE_UPSTREAM)
		fprintf(status->out,
		        "\t\tupcalls\t%llu\n\t\tupcalls_deferred\t%llu\n\t\troute_failures\t%llu\n",
		        (unsigned long long)table->upcalls, (unsigned long long)table->upcalls_deferred,
		        (unsigned long long)routes_failures(table->routes));
}

static void print_link(struct status *status, struct owner *owner, const struct snapshot_link *link)
{
	const struct holder *holder = &owner->instances[status->instance].holders[link->family];
	char text[HOLDER_TEXT_SIZE];

	fprintf(status->out, "\n\t-- protocol %s %s", link->name, version_name(link->family, link->version));
	if (holder->there)
		fprintf(status->out, " [not served: %s] --\n", holder_text(holder, text));
	else
		fprintf(status->out, "%s --\n", link->usable ? "" : " [not usable]");
	if (link->role == ROLE_UPSTREAM)
		print_upstream(status, owner, link);
	else
		print_downstream(status, link);
	for (int drop = 0; drop < DROP_CAUSES; drop++)
		if (link->drops[drop] > 0)
			fprintf(status->out, "\t\tdropped\t%u, %s\n", link->drops[drop], drop_name(drop));
	print_vif_counters(status, owner, link);
}

void status_print_item(struct status *status, struct owner *owner, const struct snapshot_item *record)
{
	switch ((enum snapshot_kind)record->kind) {
	case SNAPSHOT_FLOWS:
		print_flow(status, &record->flow);
		break;
	case SNAPSHOT_GROUPS:
		print_group(status, &record->group);
		break;
	case SNAPSHOT_SOURCES:
		print_source(status, &record->source);
		break;
	case SNAPSHOT_LINKS:
		print_link(status, owner, &record->link);
		break;
	case SNAPSHOT_HOSTS:
	case SNAPSHOT_INSTANCE:
	case SNAPSHOT_RULES:
	case SNAPSHOT_KINDS:
		break;
	}
}
