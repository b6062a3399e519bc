/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/log/sink.h"

#include "core/base/text.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#define LINE_SIZE 1200

/* Lines go to stderr until a sink is opened. */
static struct {
	const char *syslog_path; /* NULL: stderr */
	int fd;                  /* of the system log; -1: not connected */
	bool journal;            /* stderr is read by journald */
	unsigned long lost;      /* lines that did not fit */
} sink = {.fd = -1};

/* Every program that a service starts inherits JOURNAL_STREAM: it counts only if it still identifies this
 * stderr. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat status;

	if (stream == NULL || sscanf(stream, "%llu:%llu", &device, &inode) != 2)
		return false;
	return fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

bool log_sink_stderr_is_read(void)
{
	struct stat status;

	return fstat(STDERR_FILENO, &status) == 0 &&
	       !(S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3));
}

void log_sink_open_stderr(void)
{
	log_sink_close();
	sink.journal = stderr_is_journal();
}

void log_sink_open_syslog(const char *path)
{
	log_sink_close();
	sink.syslog_path = path;
}

void log_sink_close(void)
{
	if (sink.fd >= 0)
		close(sink.fd);
	sink.fd = -1;
	sink.syslog_path = NULL;
	sink.journal = false;
	sink.lost = 0;
}

static void syslog_connect(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof address.sun_path, "%s", sink.syslog_path);
	sink.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sink.fd < 0 || connect(sink.fd, (struct sockaddr *)&address, sizeof address) == 0)
		return;
	close(sink.fd);
	sink.fd = -1;
}

static bool syslog_send(const char *line, size_t length)
{
	if (sink.fd < 0)
		syslog_connect();
	return sink.fd >= 0 && send(sink.fd, line, length, MSG_NOSIGNAL) == (ssize_t)length;
}

/* The system logger adds the time. */
static bool syslog_line(int priority, const char *text)
{
	char line[LINE_SIZE];
	int length = snprintf(line, sizeof line, "<%d>mcproxy[%d]: %s", LOG_DAEMON | priority, (int)getpid(),
	                      text);

	if (syslog_send(line, (size_t)length))
		return true;
	if (errno == EAGAIN)
		return false;
	/* The logger may have restarted: then its socket is a new one. */
	if (sink.fd >= 0)
		close(sink.fd);
	sink.fd = -1;
	return syslog_send(line, (size_t)length);
}

/* Errors are ignored, because there is no place to report them. */
static bool stderr_line(int priority, const char *text)
{
	struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};
	char line[LINE_SIZE], prefix[8] = "";
	int length;

	if (poll(&fd, 1, 0) == 0)
		return false;
	if (sink.journal)
		snprintf(prefix, sizeof prefix, "<%d>", priority);
	length = snprintf(line, sizeof line, "%s%s\n", prefix, text);
	return write(STDERR_FILENO, line, (size_t)length) == length || errno != EAGAIN;
}

static bool sink_line(int priority, const char *text)
{
	return sink.syslog_path != NULL ? syslog_line(priority, text) : stderr_line(priority, text);
}

void log_sink_write(int priority, char *line)
{
	char lost[64];

	text_clean(line, strlen(line), "\t");
	if (sink.lost > 0) {
		snprintf(lost, sizeof lost, "log: %lu lines lost, because nothing read them", sink.lost);
		if (sink_line(LOG_WARNING, lost))
			sink.lost = 0;
	}
	if (!sink_line(priority, line))
		sink.lost++;
}
