/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/client/print.h"
#include "ctl/client/session.h"
#include "ctl/command.h"
#include "ctl/metrics_text.h"
#include "kernel/file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The arguments of the command. */
struct order {
	bool streams;
	enum metrics_format format;
	const char *output; /* NULL: stdout */
};

static bool ask(const struct ctl *ctl, struct session *session, const char *what, struct metrics *metrics)
{
	struct json_object *request = session_request("show");

	json_object_object_add(request, "what", json_object_new_string(what));
	return session_ask(session, request) &&
	       (ctl->json ? session_copy(session) : session_read(session, metrics_take, metrics));
}

static bool gather(const struct ctl *ctl, struct metrics *metrics, bool streams)
{
	static const char *const whats[] = {"status", "instances", "links", "uplinks", "filters", "routes"};
	size_t count = sizeof whats / sizeof whats[0] - (streams ? 0 : 1);
	struct session *session = session_open(ctl);
	bool good = session != NULL;

	for (size_t i = 0; good && i < count; i++)
		good = ask(ctl, session, whats[i], metrics);
	session_close(session);
	return good;
}

/* A user without the right to ask does not know whether the daemon runs. */
static bool may_ask(const struct ctl *ctl)
{
	return access(ctl->socket, W_OK) == 0 || errno != EACCES;
}

/* Without this, a slip such as `--output /dev/stdout` would replace the device. */
static int check_target(const char *path)
{
	struct stat there;

	if (lstat(path, &there) != 0 || S_ISREG(there.st_mode))
		return 0;
	return S_ISDIR(there.st_mode) ? -EISDIR : S_ISLNK(there.st_mode) ? -ELOOP : -ENXIO;
}

/* A collector that reads the file during the write gets the old one. 0 or -errno. */
static int write_file(const char *path, struct metrics *metrics, enum metrics_format format)
{
	int fd, result = check_target(path);
	char temporary[FILE_PATH_SIZE];
	FILE *out;

	fd = result == 0 ? file_open_temporary(path, 0644, temporary) : result;
	if (fd < 0)
		return fd;
	out = fdopen(fd, "w");
	if (out == NULL) {
		result = -errno;
		close(fd);
	} else {
		metrics_print(metrics, format, out);
		result = fflush(out) == 0 ? 0 : -errno;
		if (fclose(out) != 0 && result == 0)
			result = -errno;
	}
	if (result == 0)
		return file_rename(temporary, path, true);
	unlink(temporary);
	return result;
}

/* The file reports that the daemon does not answer, so the command has succeeded. */
static int deliver(const struct order *order, struct metrics *metrics, bool up)
{
	int result;

	if (order->output == NULL) {
		metrics_print(up ? metrics : NULL, order->format, stdout);
		return up ? CTL_DONE : CTL_FAILED;
	}
	result = write_file(order->output, up ? metrics : NULL, order->format);
	if (result == 0)
		return CTL_DONE;
	print_to(stderr, "mcproxyctl: metrics: %s: %s\n", order->output, file_problem(result));
	return CTL_FAILED;
}

/* NULL, or what is wrong with the arguments. */
static const char *read_order(const struct ctl *ctl, int argc, char **argv, struct order *order)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--streams") == 0)
			order->streams = true;
		else if (strcmp(argv[i], "--openmetrics") == 0)
			order->format = METRICS_OPENMETRICS;
		else if (strcmp(argv[i], "--output") == 0 && i + 1 < argc)
			order->output = argv[++i];
		else
			return strcmp(argv[i], "--output") == 0
			               ? "--output needs the name of a file"
			               : "only --streams, --openmetrics and --output FILE are expected";
	}
	if (ctl->json && (order->format == METRICS_OPENMETRICS || order->output != NULL))
		return "--json cannot be combined with --openmetrics or --output";
	return NULL;
}

int metrics_run(const struct ctl *ctl, int argc, char **argv)
{
	struct order order = {.format = METRICS_PROMETHEUS};
	const char *problem = read_order(ctl, argc, argv, &order);
	struct metrics *metrics;
	int status;
	bool up;

	if (problem != NULL)
		return command_usage(argv[0], problem);
	metrics = metrics_new();
	if (metrics == NULL) {
		fputs("mcproxyctl: out of memory\n", stderr);
		return CTL_FAILED;
	}
	up = gather(ctl, metrics, order.streams);
	if (ctl->json || (!up && !may_ask(ctl)))
		status = up ? CTL_DONE : CTL_FAILED;
	else
		status = deliver(&order, metrics, up);
	metrics_free(metrics);
	return status;
}
