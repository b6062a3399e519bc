/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/options.h"

#include <stddef.h>

const char *options_source(const struct options *options)
{
	return options->config_path != NULL ? options->config_path : "command line";
}
