/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The owner: the main thread, which alone makes multicast system calls. It holds the pure tables (links,
 * routes, hosts), the sockets, and a channel to each worker. What is in it is spread over a few modules, all
 * of them run by this one thread:
 *
 *   owner     the loop and its table of sources; start and stop
 *   instances their workers: start and stop
 *   reload  a new configuration while all goes on
 *   packets   kernel -> workers: who reads the IGMP and MLD packets of a link
 *   copies    streams that arrive on two links
 *   intake    kernel -> workers: upcalls, news of links and counters become inputs
 *   send_queue    packets out, in batches
 *   take_request     workers -> tables: requests become wishes in the tables
 *   edge      tables -> kernel: pulls operations from the tables, makes the system calls, records the results
 *   settings  rp_filter and forced versions, as long as it runs
 *   table     the kernel tables themselves: open, close, vifs
 *   holder    families that another multicast router holds
 *   repair     what other processes do to them is undone
 *   uplink    the same for the host side upstream
 *   snapshot_reader the owner's walks over snapshots
 *   status    snapshots -> text (status_print), and where it goes
 *   service    what the service manager is logged
 *   control   snapshots and events -> JSON, for clients of the control socket
 */
#ifndef MCPROXY_DAEMON_OWNER_OWNER_H
#define MCPROXY_DAEMON_OWNER_OWNER_H

#include "core/host/host.h"
#include "core/tables/links.h"
#include "core/tables/routes.h"
#include "core/tables/wrong_vif.h"
#include "daemon/config/config.h"
#include "daemon/owner/service.h"
#include "daemon/owner/snapshot_reader.h"
#include "daemon/worker/worker.h"
#include "kernel/link_socket.h"
#include "kernel/mrt.h"
#include "kernel/mrt_owner.h"
#include "kernel/netlink.h"
#include "kernel/rules.h"
#include "kernel/sysctl.h"

struct owner;
struct repair; /* repair.c */

/* A descriptor in the loop: the first member of whatever it belongs to. Urgent ones are served before all
 * others of a turn. */
struct loop_source {
	int fd;
	bool urgent;
	void (*ready)(struct owner *owner, struct loop_source *source, mtime now);
	struct loop_source *next_removed; /* freed at the end of the turn */
};

/* Whose worker reads a link's packets; see packets.h. */
struct link_reader {
	unsigned instance;
	uint8_t link; /* id, as that instance knows it */
};

/* Where IGMP or MLD packets of a vif's interface arrive and leave. */
struct vif {
	struct table *table;
	unsigned number;
	int ifindex;
	char name[LINK_NAME_SIZE]; /* of the interface, as long as it bore this one */
	struct link_socket *socket;
	struct link_reader reader;
	bool unread; /* a turn has ended without a reader */
	bool logged_reading;
	uint64_t sends_failed;
	uint64_t kernel_drops; /* until link_readers_lost asked last */
};

/* A kernel table of a family: vifs and forwarding entries. */
struct table {
	struct loop_source source; /* upcalls */
	struct table *next;
	unsigned number; /* as links_set_table knows it */
	uint32_t id;     /* as the kernel knows it; MRT_TABLE_DEFAULT */
	enum family family;
	struct mrt *mrt;
	struct routes *routes;
	struct wrong_vif *wrong_vif;
	struct vif *vifs[MRT_VIFS];
	uint64_t upcalls;
	int logged_error;       /* the last failure that was logged */
	int logged_vif_ifindex; /* the same for vifs, of one interface */
	int logged_vif_error;
	uint64_t restored;         /* entries, as far as it was logged */
	uint64_t moves;            /* streams that arrive by another vif than before */
	mtime members_read_at;     /* members of IPv6 groups on this machine, see copies.c */
	mtime copies_logged_at;    /* streams that arrive twice: when the first of those was logged */
	unsigned copies_logged;    /* that were logged since */
	uint64_t upcalls_deferred; /* the worker's channel was full: the kernel is made to ask again */
};

/* The host side on an upstream interface, known by name, so that its wishes outlive the interface. */
struct uplink {
	struct uplink *next;
	char name[LINK_NAME_SIZE];
	enum family family;
	int ifindex; /* 0: not there */
	struct table *table;
	unsigned vif;                  /* in that table */
	struct link_settings settings; /* in force: of the first of its instances */
	struct host_link link;         /* as the host was logged */
	struct host *host;
	/* memory was short for a host of the settings' membership: tried again; 0: it is so */
	mtime replace_at;
	int *sockets; /* by slot; -1: closed */
	size_t socket_count;
	uint64_t instances; /* set of those that have it as upstream */
	int logged_error;   /* the last failure that was logged */
	bool logged_superset;
	bool logged_missing;    /* that no query is ready */
	uint8_t logged_version; /* enum version: what is spoken there */
	mtime version_at;       /* when the forced version may be read again */
	uint64_t send_failures;
	bool announce; /* its attachment has changed: all groups are to be reported with this turn */
};

/* What the log was logged of a link and family: each change once. */
enum link_word { WORD_NONE, WORD_USED, WORD_DOWN, WORD_NO_ADDRESS };
struct link_logged {
	uint8_t word; /* enum link_word */
	struct addr address;
};

/* Who holds a family's multicast routing in place of this daemon; see holder.h. */
struct holder {
	bool there;
	mtime missed_at; /* since when it is not found; MTIME_NEVER: it is */
	pid_t pid;       /* 0: not known */
	char program[MRT_OWNER_NAME_SIZE];
};

struct instance_slot {
	struct loop_source source; /* requests from the worker */
	struct owner *owner;
	unsigned number;
	const struct config_instance *config; /* NULL: the slot is free */
	unsigned table;                       /* number of its tables */
	struct table *tables[FAMILIES];       /* NULL: the family is not served */
	struct holder holders[FAMILIES];      /* of families that wait for their table */
	uint64_t forwarding[FAMILIES];        /* as REQUEST_FORWARDING tells */
	struct worker *worker;                /* NULL: stopped */
	struct channel *channel;
	uint64_t requests;
	uint64_t logged_conflicts; /* set of instances that have lost a stream to this one */
	uint8_t heartbeat;         /* enum heartbeat */
	bool settings_due;         /* to be logged anew */
	bool repeat_due[FAMILIES]; /* requests were lost, since memory was short */
	mtime repeat_at;           /* 0: none; when they are asked for again */
	uint64_t postponed;        /* requests so far, for which memory was short */
	bool events_wanted;        /* as the engine was logged */
	bool again;                /* there were more requests than one turn may take */
	struct link_logged logged[LINKS_MAX][FAMILIES]; /* by link id */
	uint64_t logged_no_multicast;                   /* set of links */
};

struct options {
	const char *config_path;
	const char *recording_path;
	bool status; /* -s */
	int verbose; /* -v, -vv */
	bool debug;
	bool syslog; /* -S */
	bool reset_rp_filter;
	bool check_only;
};

struct status;  /* status.h */
struct control; /* the control socket's own */

/* What the control socket does for the owner; its room is above this one, so main passes the handlers in. The owner
 * calls open and reopen always, the others while owner->control is set. */
struct control_handlers {
	/* Opens the configured socket into owner->control. Logs what fails; the daemon works without the socket. */
	void (*open)(struct owner *owner);
	/* The configuration of the socket has changed. Clients that are connected stay. */
	void (*reopen)(struct owner *owner);
	/* Opens the socket where that has failed before, such as beside another daemon. */
	void (*retry)(struct owner *owner);
	void (*close)(struct owner *owner);
	/* Makes answers, sends them, drops clients that do not read; once a turn. */
	void (*turn)(struct owner *owner, mtime now);
	mtime (*deadline)(const struct owner *owner);
	/* Does some client monitor events? */
	bool (*wants_events)(const struct owner *owner);
	/* Sends an event to those that do. link: its name or NULL; outputs: of a route, the names of links, each
	 * after a space. */
	void (*event)(struct owner *owner, const struct instance_slot *instance, const char *link,
	              const struct event *event, const char *outputs);
};

struct owner {
	const struct options *options;
	struct config *config;
	mtime started_at;
	int epoll;
	struct loop_source signals;
	struct loop_source netlink_source;
	struct netlink *netlink;
	bool first_dump_over;
	bool logged_netlink;      /* that news of interfaces cannot be read */
	mtime netlink_refresh_at; /* MTIME_NEVER: all is well */
	struct links *links;
	struct table *tables;  /* those that are open */
	mtime holders_at;      /* when those that others hold are tried again; MTIME_NEVER: there are none */
	struct repair *repair; /* NULL: none */
	struct rules *rules;   /* that lead to them; NULL: all is in the default table */
	struct uplink *uplinks;
	struct instance_slot
		*instances;      /* CONFIG_INSTANCES_MAX of them, each in its place as long as it runs */
	size_t instance_count;   /* behind these all slots are free; there may be free ones among them */
	struct sysctl *rpfilter; /* NULL: not with -r */
	struct sysctl *forced_version[FAMILIES]; /* of the kernel's host side upstream */
	mtime settings_at, settings_read;        /* when they are read again, and were last; see settings.h */
	int recording_fd;
	struct snapshot_reader walks[SNAPSHOT_CURSORS];
	struct status *status;
	const struct control_handlers *control_handlers;
	struct control *control; /* NULL: none */
	bool readers_due;        /* there may be links that nobody reads, though somebody should */
	struct loop_source *removed;
	struct service service;
	bool logged_memory;    /* that the tables are out of memory */
	bool logged_rp_filter; /* that rp_filter cannot be written */
	bool logged_recording; /* that the recording ended before its time */
	bool again;            /* the turn left work over: do not sleep */
	bool written;          /* the turn has changed entries, vifs or rules in the kernel */
	bool reload_wanted;
	unsigned reloads;                       /* so far */
	char reload_problem[CONFIG_ERROR_SIZE]; /* of the last one; empty: it is in force */
	bool stopping;
};

/* Runs the daemon until SIGTERM or SIGINT; the exit status. Takes the configuration over. */
int owner_run(const struct options *options, struct config *config,
              const struct control_handlers *control_handlers);

/* For the modules of the owner. */

bool owner_watch(struct owner *owner, struct loop_source *source);
void owner_unwatch(struct owner *owner, struct loop_source *source);
/* As configured; a refusal is said where it was asked for. */
void owner_set_priority(const struct owner *owner);
uint64_t owner_random(void); /* for the seeds of hash tables */

/* intake.c */

void intake_upcalls(struct owner *owner, struct loop_source *source, mtime now);
void intake_netlink(struct owner *owner, struct loop_source *source, mtime now);
/* Says which configured links of a set of instances are not there. */
void interfaces_log_missing(struct owner *owner, uint64_t instances);
/* Asks for news of interfaces again where reading them failed. */
void intake_refresh_netlink(struct owner *owner, mtime now);
/* Tells instances of streams of which they could not be logged before. */
void upcalls_retry(struct owner *owner, struct table *table);
/* Reads the counters that are due and tells them. */
void intake_counters(struct owner *owner, struct table *table, mtime now);
/* The vifs that an instance wants a stream sent to may be upstream links of others: they get the stream
 * there. Returns the set of those whose channel is full; they are logged later. */
uint64_t intake_share(struct owner *owner, struct table *table, const struct route_key *key);
/* Reads the counters of streams whose packets have arrived by a wrong vif. */
void intake_wrong_vif(struct owner *owner, struct table *table, mtime now);
/* Lets the engines tell events while somebody reads them: the debug log or a monitor. */
void intake_events(struct owner *owner);
/* One wake-up for each worker that got something. */
void intake_wake(struct owner *owner);

/* take_request.c */

void requests_take(struct owner *owner, struct loop_source *source, mtime now);
/* Has workers request again what there was no memory for. */
void grant_repeat(struct owner *owner, mtime now);
mtime grant_deadline(const struct owner *owner);
/* Says once that the recording has ended before its time. error: an errno, or 0. */
void recording_log_error(struct owner *owner, int error);

/* edge.c */

/* Brings the kernel to where the tables want it. */
void edge_apply(struct owner *owner, mtime now);
/* The same for the entries of a table alone. */
void edge_apply_routes(struct owner *owner, struct table *table, mtime now);
mtime edge_deadline(const struct owner *owner);

#endif
