/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The text of an output.
 */
#ifndef MCPROXY_CTL_CONVERT_WRITE_H
#define MCPROXY_CTL_CONVERT_WRITE_H

#include "ctl/convert/output.h"

/* The lines of the text, each with its origin in the input. */
struct lines output_page(struct output *output);
/* Lines as one text, to be freed; NULL without memory. */
char *lines_text(const struct lines *lines);
void output_free(struct output *output);

#endif
