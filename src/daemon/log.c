/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#define LINE_SIZE   1024
#define PREFIX_SIZE 3 /* "<3>" */

/* Until log_open everything but debug lines goes to stderr. */
static struct {
	bool background;
	bool debug;
	unsigned long lost; /* lines for which stderr had no room */
	bool journal;       /* stderr is read by journald, which takes a priority in front of a line */
} state;

/* JOURNAL_STREAM is inherited by whatever a service starts; it counts only if it still names our stderr. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat status;

	if (stream == NULL || sscanf(stream, "%llu:%llu", &device, &inode) != 2)
		return false;
	return fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

void log_open(bool foreground, bool debug_lines)
{
	state.background = !foreground;
	state.debug = debug_lines;
	state.journal = foreground && stderr_is_journal();
	if (!foreground)
		openlog("mcproxy", LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

bool log_is_debug(void)
{
	return state.debug;
}

/* What comes from a file or from the kernel must not look like two lines, nor steer a terminal. */
static void blank_controls(char *text)
{
	for (; *text != '\0'; text++)
		if (((unsigned char)*text < ' ' && *text != '\t') || *text == '\x7f')
			*text = ' ';
}

static void tell_lost(void)
{
	dprintf(STDERR_FILENO, "log: %lu lines lost, since nobody read them\n", state.lost);
	state.lost = 0;
}

static void emit(int priority, char *text)
{
	struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};
	char line[PREFIX_SIZE + LINE_SIZE + 1 + 1];
	int length;

	blank_controls(text);
	if (state.background) {
		syslog(priority, "%s", text);
		return;
	}
	if (state.journal)
		length = snprintf(line, sizeof line, "<%d>%s\n", priority, text);
	else
		length = snprintf(line, sizeof line, "%s\n", text);
	/* A reader that does not read must not stop the daemon. */
	if (poll(&fd, 1, 0) == 0) {
		state.lost++;
		return;
	}
	if (state.lost > 0)
		tell_lost();
	if (write(STDERR_FILENO, line, (size_t)length) < 0)
		return; /* there is nobody left to tell */
}

/* error: an errno whose text is appended, or 0. */
__attribute__((format(printf, 3, 0))) static void vlog(int priority, int error, const char *format,
                                                       va_list arguments)
{
	char text[LINE_SIZE];
	int saved_errno = errno;
	int length = vsnprintf(text, sizeof text, format, arguments);

	if (length < 0)
		text[length = 0] = '\0';
	if (error != 0 && (size_t)length < sizeof text)
		snprintf(text + length, sizeof text - (size_t)length, ": %s", strerror(error));
	emit(priority, text);
	errno = saved_errno;
}

void fatal(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vlog(LOG_ERR, errno, format, arguments);
	va_end(arguments);
	exit(EXIT_FAILURE);
}

void fatalx(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vlog(LOG_ERR, 0, format, arguments);
	va_end(arguments);
	exit(EXIT_FAILURE);
}

void warn(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vlog(LOG_WARNING, errno, format, arguments);
	va_end(arguments);
}

void warnx(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vlog(LOG_WARNING, 0, format, arguments);
	va_end(arguments);
}

void info(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vlog(LOG_INFO, 0, format, arguments);
	va_end(arguments);
}

void debug(const char *format, ...)
{
	va_list arguments;

	if (!state.debug)
		return;
	va_start(arguments, format);
	vlog(LOG_DEBUG, 0, format, arguments);
	va_end(arguments);
}
