/* SPDX-License-Identifier: BSD-2-Clause
 *
 * In place of the C library's for the small build: assertions stay on, but without the text of what failed
 * and where, which a core file tells as well.
 */
#undef assert
#define assert(condition) ((condition) ? (void)0 : abort())

#ifndef MCPROXY_SMALL_ASSERT_H
#define MCPROXY_SMALL_ASSERT_H

#include <stdlib.h>

#endif
