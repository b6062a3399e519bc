/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/settings.h"

const char *version_name(enum family family, enum version version)
{
	static const char *const names[FAMILIES][4] = {
		[FAMILY_IPV4] = {"none", "IGMPv1", "IGMPv2", "IGMPv3"},
		[FAMILY_IPV6] = {"none", "none", "MLDv1", "MLDv2"},
	};

	return version <= VERSION_3 ? names[family][version] : "none";
}
