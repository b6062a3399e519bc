/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whole packets, byte by byte as scapy makes them: the codecs must read them and write the same.
 */
#ifndef MCPROXY_TESTS_GOLDEN_H
#define MCPROXY_TESTS_GOLDEN_H

#include "core/base/addr.h"

#include <stdio.h>
#include <stdlib.h>

struct golden {
	const char *name;
	enum family family;
	const char *hex;
};

/* From 10.0.0.1 (queries), 10.0.0.5 and fe80::1. */
#define GOLDEN_V3_QUERY                                                                                      \
	"46c00024000040000102fa110a000001e0000001940400001164ec1e00000000027d0000" /* 10 s, QRV 2, QQIC 125 */
#define GOLDEN_V2_REPORT "46c00020000040000102e90e0a000005ef010203940400001600f8faef010203"
#define GOLDEN_V2_LEAVE  "46c00020000040000102fa100a000005e0000002940400001700f7faef010203"
#define GOLDEN_V3_REPORT                                                                                     \
	"46c00038000040000102f9e40a000005e0000016940400002200d4ce00000002"                                   \
	"04000000ef010203"                 /* TO_EX(239.1.2.3) {} */                                         \
	"05000002e80101010a0909090a09090a" /* ALLOW(232.1.1.1) {10.9.9.9 10.9.9.10} */
#define GOLDEN_MLD2_QUERY                                                                                    \
	"6000000000240001fe800000000000000000000000000001ff0200000000000000000000000000013a00050200000100"   \
	"820056962710000000000000000000000000000000000000027d0000" /* 10 s, QRV 2, QQIC 125 */
#define GOLDEN_MLD1_REPORT                                                                                   \
	"6000000000200001fe800000000000000000000000000001ff0500000000000000000000000000023a00050200000100"   \
	"8300801b00000000ff050000000000000000000000000002"
#define GOLDEN_MLD1_DONE                                                                                     \
	"6000000000200001fe800000000000000000000000000001ff0200000000000000000000000000023a00050200000100"   \
	"84007f1e00000000ff050000000000000000000000000002"
#define GOLDEN_MLD2_REPORT                                                                                   \
	"6000000000480001fe800000000000000000000000000001ff0200000000000000000000000000163a00050200000100"   \
	"8f002bb300000002"                                                                                   \
	"04000000ff050000000000000000000000001234" /* TO_EX(ff05::1234) {} */                                \
	"05000001ff3e000000000000000000000000000120010db8000000000000000000000001" /* ALLOW(ff3e::1) */

#define GOLDEN_PACKETS 8
extern const struct golden golden_packets[GOLDEN_PACKETS];

size_t golden_read(const char *hex, uint8_t *bytes);

#endif
