/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Notes on filters and sets that probably do not do what was meant.
 */
#ifndef MCPROXY_DAEMON_CONFIG_FILTER_NOTES_H
#define MCPROXY_DAEMON_CONFIG_FILTER_NOTES_H

#include "daemon/config/notes.h"

/* Rules that can never match, also because no link has the name after `in`; filters that deny everything; sets without a use. */
void config_filter_notes(const struct config *config, const struct config_notes *notes);

#endif
