/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A configuration file of mcproxy, as `mcproxy -t` of this machine judges it.
 */
#ifndef MCPROXY_CTL_MACHINE_CONFIG_FILE_H
#define MCPROXY_CTL_MACHINE_CONFIG_FILE_H

#include <stdbool.h>

#define CONFIG_FILE "/etc/mcproxy.conf" /* the default */

struct config_file {
	const char *path; /* NULL: no file was judged */
	bool valid;
	char *text;      /* what the program printed, in lines; NULL: it could not be run */
	const char *why; /* why not: a constant text */
};

/* The path must outlive the result. */
void config_file_judge(struct config_file *file, const char *path);
void config_file_free(struct config_file *file);

#endif
