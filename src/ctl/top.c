/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `top`: a live screen of links and streams.
 */
#include "core/base/text.h"
#include "ctl/client/columns.h"
#include "ctl/client/print.h"
#include "ctl/client/program.h"
#include "ctl/client/session.h"
#include "ctl/command.h"
#include "ctl/top_model.h"

#include <curses.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INTERVAL_DEFAULT 1.0 /* seconds */
#define INTERVAL_MIN     0.1
#define INTERVAL_MAX     3600.0

struct top {
	const struct ctl *ctl;
	struct session *session;
	struct top_model model;
	int interval; /* milliseconds */
	size_t first; /* the stream at the top of the list */
	bool paused;
	bool failed;
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

static bool ask(struct top *top, const char *what)
{
	struct json_object *request = session_request("show");

	json_object_object_add(request, "what", json_object_new_string(what));
	return session_ask(top->session, request) &&
	       (top->ctl->json ? session_copy(top->session)
	                       : session_read(top->session, top_model_take, &top->model));
}

static bool look(struct top *top)
{
	bool good;

	top_model_begin(&top->model);
	good = ask(top, "links") && ask(top, "routes") && !top->model.failed;
	top_model_end(&top->model);
	return good;
}

/* Prints one row, cut at the right edge. */
__attribute__((format(printf, 3, 4))) static void put_row(int row, int attributes, const char *format, ...)
{
	char text[512];
	va_list arguments;

	if (row >= LINES)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	attron(attributes);
	text_clean(text, strlen(text), "");
	mvaddnstr(row, 0, text, COLS);
	attroff(attributes);
}

static int draw_links(const struct top_model *model, int row)
{
	char groups[16], reports[16], drops[16];

	put_row(row++, A_REVERSE, "%-15s %-10s %-7s %-10s %7s %10s %9s %-20s", "LINK", "ROLE", "VERSION",
	        "STATE", "GROUPS", "REPORTS/S", "DROPS/S", "");
	/* Half of the screen at most. */
	for (size_t i = 0; i < model->links.count && row < LINES / 2; i++) {
		const struct top_link *link = top_model_link(model, i);

		put_row(row++, link->usable ? A_NORMAL : A_BOLD, "%-15s %-10s %-7s %-10s %7s %10s %9s",
		        link->link, link->role, link->version,
		        !link->served  ? "not served"
		        : link->usable ? "usable"
		                       : "not usable",
		        format_amount(link->groups, groups), format_amount(link->report_rate, reports),
		        format_amount(link->drop_rate, drops));
	}
	return row + 1;
}

static void draw_stream(const struct top_stream *stream, int row)
{
	char bits[16], packets[16], age[16], hosts[16] = "-";

	if (stream->hosts > 0)
		format_amount(stream->hosts, hosts);
	put_row(row, stream->output_count > 0 ? A_NORMAL : A_DIM, "%-15s %-15s %-8s %6s %6s %7s %8s %s",
	        stream->group, stream->source, stream->input, format_amount(stream->bit_rate, bits),
	        format_amount(stream->packet_rate, packets), hosts, format_age(stream->age, age),
	        stream->output_count > 0 ? stream->outputs : "- (unwanted)");
}

/* Prints the streams that fit below the links. */
static int draw_streams(const struct top *top, int row)
{
	const struct top_model *model = &top->model;
	int last = LINES - 1;

	put_row(row++, A_REVERSE, "%-15s %-15s %-8s %6s %6s %7s %8s %-40s", "GROUP", "SOURCE", "FROM",
	        "BIT/S", "PKT/S", "MEMBERS", "AGE", "TO");
	for (size_t i = top->first; i < model->streams.count && row < last; i++)
		draw_stream(top_model_stream(model, i), row++);
	return row;
}

static void draw(struct top *top)
{
	const struct top_model *model = &top->model;
	char age[32], rate[24];
	int row = 0;

	erase();
	put_row(row++, A_BOLD, "mcproxy, up %s; streams: %zu, %zu of them unwanted; %s",
	        format_duration(model->uptime, age), model->streams.count, model->unwanted,
	        format_rate(model->bit_rate, rate));
	row = draw_links(model, row + 1);
	draw_streams(top, row);
	put_row(LINES - 1, A_DIM,
	        "by %s%s | r rate  p packets  g group  a age  m members | arrows  space pause  q quit",
	        top_order_name(model->order), top->paused ? ", paused" : "");
	refresh();
}

static void scroll_by(struct top *top, long by)
{
	long first = (long)top->first + by, last = (long)top->model.streams.count - 1;

	if (first > last)
		first = last;
	top->first = first > 0 ? (size_t)first : 0;
}

static void sort_by(struct top *top, enum top_order order)
{
	top->model.order = order;
	top->first = 0;
	top_model_sort(&top->model);
}

/* False: quit. */
static bool act(struct top *top, int key)
{
	static const char order_keys[TOP_ORDERS + 1] = "rpgam";
	const char *order = key > 0 && key < 128 ? strchr(order_keys, key) : NULL;

	if (order != NULL)
		sort_by(top, (enum top_order)(order - order_keys));
	switch (key) {
	case 'q':
		return false;
	case ' ':
		top->paused = !top->paused;
		break;
	case KEY_DOWN:
	case 'j':
		scroll_by(top, 1);
		break;
	case KEY_UP:
	case 'k':
		scroll_by(top, -1);
		break;
	case KEY_NPAGE:
		scroll_by(top, LINES / 2);
		break;
	case KEY_PPAGE:
		scroll_by(top, -LINES / 2);
		break;
	case KEY_HOME:
		top->first = 0;
		break;
	default:
		break;
	}
	return true;
}

static void run_screen(struct top *top)
{
	int64_t next = 0;

	while (!stopped) {
		int64_t left = next - milliseconds_now();
		int key;

		if (left <= 0) {
			top->failed = !top->paused && !look(top);
			if (top->failed)
				return;
			next = milliseconds_now() + top->interval;
			left = top->interval;
			scroll_by(top, 0);
		}
		draw(top);
		timeout((int)left);
		key = getch(); /* KEY_RESIZE arrives here too, and the screen is drawn again */
		if (!act(top, key))
			return;
	}
}

static int show_screen(struct top *top)
{
	SCREEN *screen;
	struct sigaction action = {.sa_handler = stop};

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		fputs("mcproxyctl: top: a terminal is needed; `show routes` prints once\n", stderr);
		return CTL_FAILED;
	}
	setlocale(LC_CTYPE, "");
	screen = newterm(NULL, stdout, stdin);
	if (screen == NULL) {
		print_to(stderr, "mcproxyctl: top: the terminal %s is not known; set TERM\n",
		         getenv("TERM") != NULL ? getenv("TERM") : "");
		return CTL_FAILED;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	noecho();
	cbreak();
	keypad(stdscr, TRUE);
	curs_set(0);
	run_screen(top);
	endwin();
	delscreen(screen);
	if (top->failed)
		fputs("mcproxyctl: top: the daemon no longer answers\n", stderr);
	return top->failed ? CTL_FAILED : CTL_DONE;
}

/* One answer after the other. */
static int print_answers(struct top *top)
{
	while (look(top) && fflush(stdout) == 0)
		usleep((useconds_t)top->interval * 1000);
	return CTL_FAILED;
}

int top_run(const struct ctl *ctl, int argc, char **argv)
{
	struct top top = {.ctl = ctl};
	double interval = argc > 1 ? strtod(argv[1], NULL) : INTERVAL_DEFAULT;
	int status;

	if (argc > 2 || !(interval >= INTERVAL_MIN && interval <= INTERVAL_MAX))
		return command_usage(argv[0], "a number of seconds from 0.1 to 3600 is expected");
	top.interval = (int)(interval * 1000);
	top.session = session_open(ctl);
	if (top.session == NULL)
		return CTL_FAILED;
	status = ctl->json ? print_answers(&top) : show_screen(&top);
	top_model_fini(&top.model);
	session_close(top.session);
	return status;
}
