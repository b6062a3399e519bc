/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/client/wrap.h"

#include "ctl/client/print.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_MIN 40
#define WIDTH_MAX 1000

unsigned screen_width(void)
{
	const char *columns = getenv("COLUMNS");
	unsigned long width = columns != NULL ? strtoul(columns, NULL, 10) : 0;
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		width = size.ws_col;
	if (width == 0 || width > WIDTH_MAX)
		return SCREEN_WIDTH;
	return width < WIDTH_MIN ? WIDTH_MIN : (unsigned)width;
}

unsigned text_width(const char *text)
{
	unsigned width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static size_t word_size(const char *text)
{
	return strcspn(text, " ");
}

/* Is the word a program that remedies run? */
static bool is_program(const char *text)
{
	static const char *const programs[] = {
		"sysctl", "nft",       "iptables", "iptables-legacy", "ip6tables",    "ip6tables-legacy",
		"ip",     "bridge",    "tc",       "nsenter",         "firewall-cmd", "ufw",
		"echo",   "systemctl", "usermod",  "adduser",
	};
	size_t size = word_size(text);

	for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
		if (strlen(programs[i]) == size && strncmp(programs[i], text, size) == 0)
			return true;
	return false;
}

/* The size of the command at the start of the text: to a mark that ends a part of the sentence, outside quotes. */
static size_t command_size(const char *text)
{
	char quote = '\0';
	size_t size = 0;

	for (; text[size] != '\0'; size++) {
		char byte = text[size], next = text[size + 1];

		if (quote != '\0')
			quote = byte == quote ? '\0' : quote;
		else if (byte == '\'' || byte == '"')
			quote = byte;
		else if (strchr(",;:)", byte) != NULL && (next == ' ' || next == '\0'))
			return size + 1;
		else if (byte == ' ' && next == '(')
			return size;
	}
	return size;
}

/* What must stay on one line: a command where one can begin, or a word. */
static size_t piece_size(const char *text, bool may_be_command)
{
	return may_be_command && is_program(text) ? command_size(text) : word_size(text);
}

static bool is_before_command(const char *piece, size_t size)
{
	static const char *const words[] = {"run", "or", "and", "with"};

	if (strchr(",;:", piece[size - 1]) != NULL)
		return true;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strlen(words[i]) == size && strncmp(words[i], piece, size) == 0)
			return true;
	return false;
}

void wrap_print(FILE *out, unsigned width, unsigned start, unsigned indent, const char *text)
{
	unsigned position = start;
	bool first = true, may_be_command = true;

	while (*text != '\0') {
		size_t size = piece_size(text, may_be_command);
		char *piece = strndup(text, size);
		unsigned needed;

		if (piece == NULL)
			return;
		needed = text_width(piece);
		if (!first && position + 1 + needed > width) {
			print_to(out, "\n%*s", (int)indent, "");
			position = indent;
		} else if (!first) {
			fputc(' ', out);
			position++;
		}
		print_to(out, "%s", piece);
		position += needed;
		may_be_command = size > 0 && is_before_command(piece, size);
		first = false;
		free(piece);
		text += size;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}
