/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Types of records by the RFCs' names.
 */
#ifndef MCPROXY_SUPPORT_RECORD_TYPE_NAME_H
#define MCPROXY_SUPPORT_RECORD_TYPE_NAME_H

#include "core/wire/message.h"

static inline const char *record_type_name(enum record_type type)
{
	static const char *const names[] = {
		[IS_IN] = "IS_IN", [IS_EX] = "IS_EX", [TO_IN] = "TO_IN",
		[TO_EX] = "TO_EX", [ALLOW] = "ALLOW", [BLOCK] = "BLOCK",
	};

	return type >= IS_IN && type <= BLOCK ? names[type] : "unknown";
}

#endif
