/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/config/notes.h"

#include "daemon/config/filter_notes.h"

#include <stdio.h>

/* mcproxy waits for such an interface, but its name may be misspelt. */
void config_note_missing(const char *name, char note[CONFIG_NOTE_SIZE])
{
	snprintf(note, CONFIG_NOTE_SIZE, "%s: there is no such interface now; mcproxy will wait for it",
	         name);
}

/* Patterns and addresses may match none. */
static void note_links(const struct config_link *links, size_t count, const struct config_notes *notes)
{
	char note[CONFIG_NOTE_SIZE];

	for (size_t i = 0; i < count; i++)
		if (links[i].name[0] != '@' && !is_glob(links[i].name) &&
		    notes->examine(notes->context, links[i].name, note))
			notes->take(notes->context, note);
}

void config_notes_make(const struct config *config, const struct config_notes *notes)
{
	for (size_t i = 0; i < config->instance_count; i++) {
		note_links(config->instances[i].upstream, config->instances[i].upstream_count, notes);
		note_links(config->instances[i].downstream, config->instances[i].downstream_count, notes);
	}
	config_filter_notes(config, notes);
}
