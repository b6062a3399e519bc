/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/base/shell.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+.,:/=@%"

/* A quote inside quotes: ends them, adds a quote, and opens them again. */
#define QUOTE "'\\''"

static bool is_plain(const char *text)
{
	return *text != '\0' && text[strspn(text, PLAIN)] == '\0';
}

struct shell_word shell_word(const char *text)
{
	struct shell_word word = {"'"};
	size_t used = 1, room = sizeof word.text - sizeof QUOTE; /* also for the last quote */

	if (is_plain(text)) {
		snprintf(word.text, sizeof word.text, "%s", text);
		return word;
	}
	for (; *text != '\0' && used < room; text++) {
		const char *piece = *text == '\'' ? QUOTE : (char[]){*text, '\0'};

		memcpy(word.text + used, piece, strlen(piece));
		used += strlen(piece);
	}
	word.text[used] = '\'';
	return word;
}

struct shell_word shell_sysctl(const char *directory, const char *interface, const char *setting)
{
	char key[SHELL_WORD_SIZE];
	size_t start = strlen(directory) + 1, end = start + strlen(interface);

	snprintf(key, sizeof key, "%s.%s.%s", directory, interface, setting);
	/* Dots separate; a dot of the name is a slash. */
	for (size_t i = start; i < end && i < sizeof key; i++)
		if (key[i] == '.')
			key[i] = '/';
	return shell_word(key);
}
