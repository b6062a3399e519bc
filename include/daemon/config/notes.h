/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a valid configuration may still have wrong. The check of a file and a reload give the same notes.
 */
#ifndef MCPROXY_DAEMON_CONFIG_NOTES_H
#define MCPROXY_DAEMON_CONFIG_NOTES_H

#include "daemon/config/config.h"

#define CONFIG_NOTE_SIZE 512

/* Who knows the interfaces, and who gets the notes. */
struct config_notes {
	const char *path; /* of the configuration */
	/* Writes what is to note about an interface; false: nothing. */
	bool (*examine)(void *context, const char *name, char note[CONFIG_NOTE_SIZE]);
	void (*take)(void *context, const char *note);
	void *context;
};

/* The note on an interface that is not there. */
void config_note_missing(const char *name, char note[CONFIG_NOTE_SIZE]);

void config_notes_make(const struct config *config, const struct config_notes *notes);

#endif
