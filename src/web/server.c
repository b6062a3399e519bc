/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/server.h"

#include "daemon/log/clock.h"
#include "daemon/log/log.h"
#include "web/handler.h"
#include "web/relay.h"
#include "web/subscriber.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#define STAY_TIME            (15 * MTIME_SECOND)   /* after the last client of the events */
#define MEMORY_OF_HTTP       (size_t)65536         /* of a connection */
#define HTTP_CONNECTIONS_MAX (2 * CONNECTIONS_MAX) /* with those that end */

static void take_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                            enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *address =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const union MHD_ConnectionInfo *fd =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct server *server = context;
	struct client *client = *socket_context, *victim;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (client != NULL)
			clients_remove(&server->clients, client);
		server->closed = true;
		return;
	}
	if (address != NULL && fd != NULL)
		client = clients_add(&server->clients, address->client_addr, fd->connect_fd);
	*socket_context = client;
	if (client == NULL)
		return;
	client->expires_at = server->now + HEAD_TIME;
	if (!clients_admit(&server->clients, client, USE_NONE, &victim))
		exchange_drop_client(client);
	else if (victim != NULL)
		exchange_drop_client(victim);
}

__attribute__((format(printf, 2, 0))) static void log_http(void *context, const char *format,
                                                           va_list arguments)
{
	char text[256];

	(void)context;
	vsnprintf(text, sizeof text, format, arguments);
	text[strcspn(text, "\n")] = '\0';
	debug("http: %s", text);
}

static bool start_http(struct server *server, size_t i)
{
	server->https[i] = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, handler_handle,
		server, MHD_OPTION_EXTERNAL_LOGGER, log_http, NULL, MHD_OPTION_LISTEN_SOCKET,
		server->settings->listeners[i], MHD_OPTION_CONNECTION_LIMIT, HTTP_CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, MEMORY_OF_HTTP, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_NOTIFY_COMPLETED, handler_complete, server, MHD_OPTION_NOTIFY_CONNECTION,
		take_connection, server, MHD_OPTION_END);
	return server->https[i] != NULL;
}

/* Drops clients whose time is over, and stops watching the daemon when nobody looks. */
static void expire(struct server *server)
{
	struct client *client;

	DL_FOREACH (server->clients.list, client)
		if (server->now >= client->expires_at)
			exchange_drop_client(client);
	if (clients_count(&server->clients, USE_EVENTS) > 0)
		server->left_at = server->now;
	else if (watch_is_started(server->watch) && server->now >= server->left_at + STAY_TIME)
		watch_stop(server->watch);
}

static mtime deadline(const struct server *server)
{
	mtime at = watch_deadline(server->watch);
	const struct exchange *exchange;
	const struct client *client;

	if (server->closed)
		return server->now;
	DL_FOREACH (server->clients.list, client)
		at = mtime_min(at, client->expires_at);
	DL_FOREACH (server->exchanges, exchange) {
		if (exchange->suspended && exchange->client->use == USE_EVENTS)
			at = mtime_min(at, exchange->comment_at);
		if (exchange->suspended && exchange->daemon >= 0)
			at = mtime_min(at, exchange->waits_since + READ_TIME);
	}
	if (watch_is_started(server->watch) && clients_count(&server->clients, USE_EVENTS) == 0)
		at = mtime_min(at, server->left_at + STAY_TIME);
	for (size_t i = 0; i < server->settings->listener_count; i++) {
		MHD_UNSIGNED_LONG_LONG timeout;

		if (MHD_get_timeout(server->https[i], &timeout) == MHD_YES)
			at = mtime_min(at, server->now + (mtime)timeout);
	}
	return at;
}

#define FDS_MAX (2 + LISTENERS_MAX + WATCH_FDS + 2 * HTTP_CONNECTIONS_MAX)

static bool is_suspended(const struct client *client)
{
	return client->exchange != NULL && client->exchange->suspended;
}

/* Adds two descriptors for each client: MHD does not look at suspended connections, and misses an end that arrives
 * together with a part of a request. Returns the new count. */
static size_t prepare_clients(const struct server *server, struct pollfd fds[FDS_MAX], size_t count)
{
	const struct client *client;

	DL_FOREACH (server->clients.list, client) {
		bool suspended = is_suspended(client);

		if (count + 2 > FDS_MAX)
			break;
		fds[count++] = (struct pollfd){.fd = suspended || !client->has_ended ? client->fd : -1,
		                               .events = POLLRDHUP};
		fds[count++] =
			(struct pollfd){.fd = suspended ? client->exchange->daemon : -1, .events = POLLIN};
	}
	return count;
}

/* Drops clients that have gone, and resumes the answers of the daemon that can go on. */
static void wake_clients(struct server *server, const struct pollfd *fds, size_t count)
{
	struct client *client;
	size_t i = 0;

	DL_FOREACH (server->clients.list, client) {
		bool ended = i < count && fds[i].revents != 0,
		     answered = i + 1 < count && fds[i + 1].revents != 0;

		i += 2;
		client->has_ended |= ended;
		if (ended && is_suspended(client))
			exchange_drop_client(client);
		else if (ended && client->exchange == NULL)
			client->expires_at = mtime_min(client->expires_at, server->now + END_TIME);
		else if (is_suspended(client) && (answered || relay_is_late(client->exchange)))
			exchange_resume(client->exchange);
	}
}

/* Waits, then handles what has arrived. False after a signal to end. */
static bool turn(struct server *server)
{
	struct pollfd fds[FDS_MAX];
	size_t count = server->settings->listener_count, all;
	mtime at = deadline(server);
	int timeout = at == MTIME_NEVER   ? -1
	              : at <= server->now ? 0
	                                  : (int)mtime_min(at - server->now, 60000);

	for (size_t i = 0; i < count; i++)
		fds[i] = (struct pollfd){
			.fd = MHD_get_daemon_info(server->https[i], MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
			.events = POLLIN};
	fds[count++] = (struct pollfd){.fd = server->signals, .events = POLLIN};
	fds[count++] = (struct pollfd){.fd = tasks_fd(server->tasks), .events = POLLIN};
	watch_prepare(server->watch, fds + count);
	all = prepare_clients(server, fds, count + WATCH_FDS);
	if (poll(fds, all, timeout) < 0)
		return errno == EINTR;
	server->now = clock_now();
	server->closed = false;
	watch_receive(server->watch, fds + count, server->now);
	handler_take_tasks(server);
	watch_expire(server->watch, server->now);
	wake_clients(server, fds + count + WATCH_FDS, all - count - WATCH_FDS);
	return fds[count - 2].revents == 0;
}

static void look_for_findings(struct server *server)
{
	server->wants_findings |= watch_wants_findings(server->watch, server->now);
	if (!server->wants_findings || !tasks_can_ask(server->tasks, TASK_DOCTOR))
		return;
	server->wants_findings = false;
	server->findings = tasks_ask(server->tasks, TASK_DOCTOR, NULL, NULL, NULL);
	if (server->findings == NULL)
		watch_take_findings(server->watch, NULL, 0);
}

static void serve(struct server *server)
{
	while (turn(server)) {
		look_for_findings(server);
		handler_begin_tasks(server);
		expire(server);
		subscribers_wake(server);
		for (size_t i = 0; i < server->settings->listener_count; i++)
			MHD_run(server->https[i]);
	}
}

/* MHD cannot end with suspended connections. */
static void stop(struct server *server)
{
	struct client *client;

	DL_FOREACH (server->clients.list, client)
		exchange_drop_client(client);
	for (size_t i = 0; i < server->settings->listener_count; i++)
		if (server->https[i] != NULL)
			MHD_stop_daemon(server->https[i]);
	watch_free(server->watch);
	free(server->names);
	close(server->signals);
}

int server_run(const struct server_settings *settings, struct tasks *tasks)
{
	struct server server = {.settings = settings,
	                        .tasks = tasks,
	                        .watch = watch_new(settings->socket),
	                        .now = clock_now()};
	bool good = server.watch != NULL;
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	server.signals = signalfd(-1, &signals, SFD_CLOEXEC);
	for (size_t i = 0; i < settings->listener_count && good; i++)
		good = start_http(&server, i);
	if (good && server.signals >= 0)
		serve(&server);
	else
		errorx("the HTTP server cannot start");
	stop(&server);
	return good ? 0 : 1;
}
