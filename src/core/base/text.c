/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/base/text.h"

#include <string.h>

size_t text_character(const char *bytes, size_t size, uint32_t *code)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *text = (const unsigned char *)bytes;
	size_t length = size == 0            ? 0
	                : text[0] < 0x80     ? 1
	                : text[0] >> 5 == 6  ? 2
	                : text[0] >> 4 == 14 ? 3
	                : text[0] >> 3 == 30 ? 4
	                                     : 0;

	if (length == 0 || length > size)
		return 0;
	*code = length == 1 ? text[0] : text[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if (text[i] >> 6 != 2)
			return 0;
		*code = *code << 6 | (text[i] & 0x3f);
	}
	return *code < smallest[length] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff) ? 0
	                                                                                            : length;
}

bool text_is_control(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{0x00, 0x1f},     {0x7f, 0x9f},     {0x61c, 0x61c},
		{0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069},
	};

	if (code >= ' ' && code <= '~')
		return false;
	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

static bool is_plain(char byte)
{
	return byte >= ' ' && byte <= '~';
}

void text_clean(char *text, size_t size, const char *kept)
{
	uint32_t code;

	for (size_t i = 0, length; i < size; i += length) {
		length = 1;
		if (is_plain(text[i]))
			continue;
		length = text_character(text + i, size - i, &code);
		if (length > 0 &&
		    (!text_is_control(code) || (code != 0 && code < 0x80 && strchr(kept, (int)code))))
			continue;
		length += length == 0;
		memset(text + i, '?', length);
	}
}
