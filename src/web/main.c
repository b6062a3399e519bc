/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mcproxy-web: a live page of the state of mcproxy, for browsers.
 */
#include "core/base/option.h"
#include "ctl/client/print.h"
#include "daemon/log/log.h"
#include "web/confinement.h"
#include "web/listener.h"
#include "web/server.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEFAULT_ADDRESS "127.0.0.1:4605"
#define DEFAULT_USER    "mcproxy-web"
#define DEFAULT_NAMES   "/etc/hosts"

/* The command line. */
struct order {
	const char *addresses[LISTENERS_MAX];
	const char *password_file, *user;
	struct server_settings server;
};

/* Long options without a letter. */
enum { OPTION_LISTEN = 256, OPTION_SOCKET, OPTION_HOST, OPTION_PASSWORD_FILE, OPTION_USER, OPTION_NAMES };

static const struct option options[] = {
	{"listen", required_argument, NULL, OPTION_LISTEN},
	{"socket", required_argument, NULL, OPTION_SOCKET},
	{"host", required_argument, NULL, OPTION_HOST},
	{"password-file", required_argument, NULL, OPTION_PASSWORD_FILE},
	{"user", required_argument, NULL, OPTION_USER},
	{"names", required_argument, NULL, OPTION_NAMES},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

static void print_help(void)
{
	puts("mcproxy-web: shows the state of a running mcproxy in a browser\n\n"
	     "usage: mcproxy-web [OPTION...]\n\n"
	     "  --listen ADDRESS:PORT  where to listen (" DEFAULT_ADDRESS "); may be repeated\n"
	     "  --socket PATH          control socket of mcproxy (" CTL_SOCKET ")\n"
	     "  --host NAME            a name by which browsers may reach the page, beside\n"
	     "                         localhost and the address itself; may be repeated\n"
	     "  --password-file FILE   ask for a name and a password: lines of name:password\n"
	     "  --names FILE           names of hosts (" DEFAULT_NAMES ") in the format of hosts(5)\n"
	     "                         or of the leases of dnsmasq; may be repeated\n"
	     "  --user NAME            user to become, if started by root (" DEFAULT_USER ")\n"
	     "  -h, --help             print help and exit\n"
	     "  -V, --version          print the version and exit\n\n"
	     "See mcproxy-web(8).");
}

/* Takes a repeated option; false if there are too many. */
static bool take(const char **list, size_t max, size_t *count, const char *value)
{
	if (*count == max)
		return false;
	list[(*count)++] = value;
	return true;
}

/* False after a message. */
static bool read_options(int argc, char **argv, struct order *order)
{
	struct request_rules *rules = &order->server.rules;
	char problem[128];
	bool good = true;
	int letter;

	opterr = 0;
	while (good && (letter = getopt_long(argc, argv, "hV", options, NULL)) != -1) {
		switch (letter) {
		case OPTION_LISTEN:
			good = take(order->addresses, LISTENERS_MAX, &order->server.listener_count, optarg);
			break;
		case OPTION_SOCKET:
			order->server.socket = optarg;
			break;
		case OPTION_HOST:
			good = take(rules->hosts, HOSTS_MAX, &rules->host_count, optarg);
			break;
		case OPTION_NAMES:
			good = take(order->server.names, NAMES_FILES_MAX, &order->server.names_count, optarg);
			break;
		case OPTION_PASSWORD_FILE:
			order->password_file = optarg;
			break;
		case OPTION_USER:
			order->user = optarg;
			break;
		case 'h':
			print_help();
			exit(0);
		case 'V':
			puts("mcproxy-web " MCPROXY_VERSION);
			exit(0);
		default:
			option_problem(options, optopt, argv[optind - 1], problem, sizeof problem);
			print_to(stderr, "mcproxy-web: %s; see mcproxy-web --help\n", problem);
			return false;
		}
	}
	if (good && optind == argc)
		return true;
	print_to(stderr, "mcproxy-web: %s; see mcproxy-web --help\n",
	         good ? "only options are expected" : "--listen, --host or --names is given too often");
	return false;
}

/* Adds the accounts of the file; false after a message. */
static bool read_passwords(const char *path, struct request_rules *rules)
{
	char line[2 * ACCOUNT_SIZE];
	FILE *file = fopen(path, "re");
	struct stat status;
	bool good = true;

	if (file == NULL) {
		warn("%s", path);
		return false;
	}
	if (fstat(fileno(file), &status) == 0 && (status.st_mode & S_IROTH) != 0)
		warnx("%s: every user of this machine can read the passwords; chmod o-r %s", path, path);
	while (good && fgets(line, sizeof line, file) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] != '\0' && line[0] != '#')
			good = request_add_account(rules, line);
	}
	fclose(file);
	good &= rules->account_count > 0;
	if (!good)
		warnx("%s: lines of name:password are expected, of at most %d bytes, at most %d", path,
		      ACCOUNT_SIZE - 1, ACCOUNTS_MAX);
	explicit_bzero(line, sizeof line);
	return good;
}

/* False after a message. */
static bool open_listeners(struct order *order)
{
	struct server_settings *server = &order->server;
	bool local;

	if (server->listener_count == 0)
		order->addresses[server->listener_count++] = DEFAULT_ADDRESS;
	for (size_t i = 0; i < server->listener_count; i++) {
		server->listeners[i] = listener_open(order->addresses[i], &local);
		if (server->listeners[i] < 0) {
			errno = -server->listeners[i];
			warn("--listen %s", order->addresses[i]);
			return false;
		}
		if (!local && server->rules.account_count == 0)
			warnx("%s: other machines can read the state of mcproxy here without a password; "
			      "--password-file asks for one",
			      order->addresses[i]);
	}
	return true;
}

int main(int argc, char **argv)
{
	struct order order = {.user = DEFAULT_USER, .server.socket = CTL_SOCKET};
	struct ctl ctl = {.json = true};
	struct tasks *tasks;
	sigset_t signals;

	if (!read_options(argc, argv, &order))
		return 2;
	log_open(false, false);
	if (order.password_file != NULL && !read_passwords(order.password_file, &order.server.rules))
		return 1;
	if (order.server.names_count == 0)
		order.server.names[order.server.names_count++] = DEFAULT_NAMES;
	if (!open_listeners(&order) ||
	    !confinement_enter(order.user, order.server.names, order.server.names_count))
		return 1;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	ctl.socket = order.server.socket;
	tasks = tasks_new(&ctl);
	if (tasks == NULL) {
		warn("the threads cannot start");
		return 1;
	}
	return server_run(&order.server, tasks);
}
