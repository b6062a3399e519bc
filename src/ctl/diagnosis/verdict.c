/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/diagnosis/verdict.h"

/* The interface itself, or a port of that bridge. */
static bool is_part_of(const struct stream_facts *stream, int index, const char *name)
{
	const struct interface_state *interface = interfaces_by_index(stream->interfaces, index), *master;

	if (interface == NULL || name == NULL)
		return false;
	master = interface->master != 0 ? interfaces_by_index(stream->interfaces, interface->master) : NULL;
	return strcmp(interface->name, name) == 0 || (master != NULL && strcmp(master->name, name) == 0);
}

/* Does the stop keep the packet from its output? Packets that a bridge passes from port to port do not reach the
 * router. */
static bool is_on_the_way(const struct stream_facts *stream, const struct trace_stop *stop,
                          const struct firewall_packet *packet)
{
	if (stop->is_local || (packet->source_known && !addr_equal(&stop->source, &packet->source)))
		return false;
	if (stop->output == 0)
		return is_part_of(stream, stop->input, packet->input);
	/* With IPv6, the input is the output already where the packet leaves. */
	return is_part_of(stream, stop->output, packet->output) &&
	       (stop->input == stop->output || !is_part_of(stream, stop->input, packet->output));
}

static bool find_traced(const struct stream_facts *stream, const struct firewall_packet *packet,
                        struct firewall_drop *drop)
{
	const struct trace_stop *most = NULL;

	for (size_t i = 0; stream->trace != NULL && i < stream->trace->count; i++) {
		const struct trace_stop *stop = &stream->trace->list[i];

		if (is_on_the_way(stream, stop, packet) && (most == NULL || stop->packets > most->packets))
			most = stop;
	}
	if (most != NULL)
		firewall_identify(stream->firewall, most, drop);
	return most != NULL;
}

bool verdict_is_traced(const struct stream_facts *stream, const struct firewall_packet *packet)
{
	return stream->trace != NULL && packet->source_known &&
	       trace_has_source(stream->trace, &packet->source);
}

enum firewall_answer verdict_find(const struct stream_facts *stream, const struct firewall_packet *packet,
                                  struct firewall_drop *drop)
{
	static const enum hook hooks[] = {HOOK_PREROUTING, HOOK_FORWARD, HOOK_POSTROUTING};
	enum firewall_answer worst = FIREWALL_PASSES;

	if (find_traced(stream, packet, drop))
		return FIREWALL_DROPS;
	for (size_t i = 0; stream->firewall != NULL && i < 3 && worst != FIREWALL_DROPS; i++) {
		struct firewall_packet there = *packet;
		struct firewall_drop here;
		enum firewall_answer answer;

		there.traced = verdict_is_traced(stream, packet);
		if (hooks[i] == HOOK_PREROUTING)
			there.output = NULL;
		answer = firewall_try(stream->firewall, hooks[i], &there, &here);
		if (answer > worst) {
			worst = answer;
			*drop = here;
		}
	}
	return worst;
}

bool verdict_is_stuck(const struct stream_facts *stream, const char *bridge)
{
	const struct interface_state *master = interfaces_by_name(stream->interfaces, bridge);
	const struct addr *source = stream->has_source ? &stream->source : NULL;
	bool has_port = false;

	for (size_t i = 0; master != NULL && stream->capture != NULL && i < stream->interfaces->count; i++) {
		const struct interface_state *port = &stream->interfaces->list[i];
		struct sighting left;

		if (!master->is_bridge || port->master != master->index)
			continue;
		has_port = true;
		if (capture_sum(stream->capture, source, port->index, true, &left))
			return false;
	}
	return has_port;
}

const struct trace_stop *verdict_before_arrival(const struct stream_facts *stream)
{
	for (size_t i = 0; stream->trace != NULL && i < stream->trace->count; i++) {
		const struct trace_stop *stop = &stream->trace->list[i];
		const struct interface_state *port = interfaces_by_index(stream->interfaces, stop->input);

		if (stop->output == 0 && !stop->is_local && port != NULL && port->master != 0 &&
		    (!stream->has_source || addr_equal(&stop->source, &stream->source)))
			return stop;
	}
	return NULL;
}
