/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The page: files of src/web/page, which the build makes part of the program (src/web/embed.cmake).
 */
#ifndef MCPROXY_WEB_PAGE_H
#define MCPROXY_WEB_PAGE_H

#include <stddef.h>

struct page_file {
	const char *name;
	const char *type; /* of its content, for HTTP */
	const unsigned char *bytes;
	size_t size;
};

/* The last one has no name. */
extern const struct page_file page_files[];

#endif
