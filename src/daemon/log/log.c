/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/log/log.h"

#include "daemon/log/clock.h"
#include "daemon/log/repeats.h"
#include "daemon/log/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define LINE_SIZE 1024

static int level = LOG_INFO;
static struct log_repeats repeats;

static void fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

void log_open(bool to_syslog, bool debug_lines)
{
	level = debug_lines ? LOG_DEBUG : LOG_INFO;
	fill_standard_descriptors();
	if (to_syslog || !log_sink_stderr_is_read())
		log_sink_open_syslog(LOG_SINK_SYSLOG);
	else
		log_sink_open_stderr();
}

void log_close(void)
{
	log_repeats_expire(&repeats, MTIME_NEVER, log_sink_write);
	log_sink_close();
}

void log_set_level(int priority)
{
	level = priority;
}

int log_level(void)
{
	return level;
}

bool log_is_debug(void)
{
	return level >= LOG_DEBUG;
}

mtime log_deadline(void)
{
	return log_repeats_deadline(&repeats);
}

void log_expire(mtime now)
{
	log_repeats_expire(&repeats, now, log_sink_write);
}

/* Debug lines appear even if two are identical, and so does an error that ends the daemon. */
static bool is_logged(int priority, const char *text)
{
	if (priority > level)
		return false;
	return priority == LOG_DEBUG || priority == LOG_ERR ||
	       log_repeats_is_new(&repeats, clock_now(), priority, text, log_sink_write);
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
	if (is_logged(priority, text))
		log_sink_write(priority, text);
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

void errorx(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vlog(LOG_ERR, 0, format, arguments);
	va_end(arguments);
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

	if (!log_is_debug())
		return;
	va_start(arguments, format);
	vlog(LOG_DEBUG, 0, format, arguments);
	va_end(arguments);
}

void log_answer(const char *line)
{
	char text[LINE_SIZE];

	snprintf(text, sizeof text, "%s", line);
	log_sink_write(LOG_INFO, text);
}
