/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Text that others have chosen: names of interfaces and programs, words of the configuration, answers of the
 * daemon. Such a text must not control a terminal, look like a second line, or appear in another order than its
 * own. So every text that reaches a terminal or the log passes text_clean. Pure.
 */
#ifndef MCPROXY_CORE_BASE_TEXT_H
#define MCPROXY_CORE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the UTF-8 character at the start of the bytes, and its code; 0 if it is not valid (cut, too long,
 * a surrogate, above U+10FFFF). */
size_t text_character(const char *bytes, size_t size, uint32_t *code);

/* Is the character a control (C0, DEL, C1), a line separator, or a mark that changes the direction of text? */
bool text_is_control(uint32_t code);

/* Replaces each byte of such a character, and each byte that is not UTF-8, by `?`: the size stays the same. The
 * characters in kept stay, such as "\t\n". */
void text_clean(char *text, size_t size, const char *kept);

#endif
