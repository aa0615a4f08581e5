/* What the files of the Exim kind share; nobody else includes this. */
#ifndef SPOOL_EXIM_H
#define SPOOL_EXIM_H

#include <time.h>

#include "base/seen.h"
#include "spool/file.h"
#include "spool/spool.h"

#define EXIM_ID_MAX 23

struct due;

/* Queue runs that a daemon starts again and again: of which queue, how often. */
struct exim_runs { struct span queue, every; };

/* An Exim that runs as a daemon. */
struct exim_daemon {
	struct buf words;	/* its command line, a NUL behind each word */
	uid_t uid;
	struct span conf;	/* of -C, as it stands there; empty: the usual one */
	bool macros;		/* -D: the configuration alone does not tell */
	struct { struct exim_runs *p; size_t n, room; } runs;
};

struct exim_daemons { struct exim_daemon *p; size_t n, room; };	/* a VEC */

/* What Exim remembers of an address, a domain or a host that failed. */
struct exim_retry {
	struct span key;	/* R: or T:, and whom it is about */
	int64_t first, next;	/* failed first, tried next: seconds since the epoch */
};

struct exim_retries {
	struct buf text;
	struct exim_retry *p;	/* a VEC, sorted */
	size_t n, room;
};

/* What `exim -bt' said of an address in mail from this sender. */
struct exim_asked {
	char *address, *sender;
	struct buf said;
	bool failed;		/* it could not be asked */
	int64_t life;		/* seconds until a failing address is given up; -1
				   unknown, 0 not asked for */
};

/* Who starts queue runs: no daemon runs; it does not; it does; nobody can tell. */
enum exim_runner { EXIM_DOWN, EXIM_LISTENS, EXIM_RUNS, EXIM_UNTOLD };

/* A spool's own; none before exim_own(). */
struct exim {
	struct { struct due *p; size_t n, room; } due;	/* to be released */
	struct seen swept;	/* directories */

	/* exim_ask.c; each asked once */
	bool knows_daemons, by_pid_file;
	struct exim_daemons daemons;	/* that work on this spool */
	bool knows_retries, tells_retries;
	struct exim_retries retries;
	struct { struct exim_asked *p; size_t n, room; } asked;
};

/* The parts of a -H file, borrowed from its text. */
struct exim_header {
	struct span headers;	/* the message's, each with its length in front */
	int64_t octets;		/* of those that are sent, in the spool's form */
	bool wireformat;	/* -D has CRLF line ends */
	bool frozen;
	int64_t frozen_at;	/* seconds since the epoch; 0 unknown */
};

/*
 * exim_header.c: reads the text of a -H file, and the journal's (empty: there is
 * none), into `m` (its ref is set).  0 or -1: 65, what is damaged.
 */
int exim_parse(struct exim_header *, struct span text, struct span journal,
    struct message *, struct err *);

/* Appends the header as it is sent, with LF line ends. */
void exim_header_text(struct buf *, const struct exim_header *);

/*
 * exim_log.c: reasons, attempts, the last of them and why it is frozen, from a
 * message's log, into a message that has none of these yet.  Without the log's
 * beginning (not `whole`) attempts stay unknown.
 */
void exim_log_read(struct message *, struct span log, bool whole);

/*
 * Does this reason say that the configuration keeps it back: until it is forced
 * (hold_domains), or for the first queue run (queue_domains, queue_smtp_domains)?
 */
bool exim_is_held(struct span reason);
bool exim_is_queued(struct span reason);

/* Wall clock time in seconds since the epoch. */
int64_t exim_wall_time(struct tm *);

/* Of entry.beside. */
enum { EXIM_NO_JOURNAL = 1, EXIM_HAS_BODY = 2 };

/* exim_names.c: the names in one directory of messages. */
struct exim_names {
	struct buf headers;	/* of -H: `f' or `?' (a file, or who knows),
				   its ID, a NUL */
	size_t at;		/* of headers: the next to give out */
	struct buf parts;	/* of directories of a split spool, a letter each */
	VEC(struct { char id[EXIM_ID_MAX + 1]; }) journals;	/* sorted */
	uint64_t unmatched;	/* -H without -D, -D without -H; 0: none */
	bool all;		/* none is missing */
};

/*
 * Reads them in the place of what was there ({0} before).  1; 0 there is no such
 * directory; -1: what could be read is there.
 */
int exim_names_read(struct exim_names *, const char *path, struct err *);
void exim_names_free(struct exim_names *);

/* Adds the name of the next -H to the entry's ref, and what stands beside; false: none. */
bool exim_names_next(struct exim_names *, struct entry *);

/* exim_walk.c */
struct walk *exim_walk(struct spool *, unsigned states, struct err *);
int exim_next(struct walk *, struct entry *, struct err *);
void exim_walk_end(struct walk *);
int exim_find(struct spool *, const char *id, struct entry *, struct err *);
int exim_owns(const char *ref, struct buf *dir);
bool exim_shape(const char *dir);

/* 16 characters before 4.97, 23 since; 0: it is no ID.  `name` may go on. */
size_t exim_id(const char *name);

/* Is it the name of a directory of a split spool? */
bool exim_is_part(const char *name);

/* The path of -D, -J ("D", "J") beside a ref, or of its log ("msglog"). */
void exim_beside(struct buf *path, const char *ref, const char *what);

/* exim_read.c */

/* The octets of -D in front of the body, `ID-D` and LF: those that Exim locks. */
off_t exim_locked(const char *id);

int exim_read(struct spool *, const struct entry *, unsigned what,
    struct message *, struct err *);
int exim_body(struct spool *, const char *ref, struct body *, struct err *);

/* exim_host.c */
int exim_discover(struct spools *, struct err *);
int exim_open(struct spool *, struct err *);
/* What its binary is called here: exim4 or exim; NULL: there is none. */
const char *exim_name(void);

/* Runs it, with that configuration (NULL: the usual one), as program_run() does. */
int exim_run(const char *conf, const char *const args[], struct buf *out,
    struct err *);

/* The value of a main option, by `exim -bP`: 0 or -1. */
int exim_conf(const char *conf, const char *option, struct buf *value,
    struct err *);

/* exim_daemon.c */

/* Adds those that run here, as far as processes can be seen. */
void exim_daemons(struct exim_daemons *);
void exim_daemons_free(struct exim_daemons *);

/* Fills it in from its words; false: that is no daemon. */
bool exim_daemon_read(struct exim_daemon *);

/* The path of its -C, to be freed; NULL: none, or one that is not to be trusted. */
char *exim_daemon_conf(const struct exim_daemon *);

/* May it be the one that works on the spool `dir', by its user? */
bool exim_daemon_may(const struct exim_daemon *, const char *dir);

/* exim_retry.c */

/* Reads what exim_dumpdb printed (it is in `text' already). */
void exim_retries_read(struct exim_retries *);
void exim_retries_free(struct exim_retries *);

/*
 * What it says of an address that `exim -bt' said this of: when it may be tried next, 0
 * at once; and since when it fails, which stays as it is where it does not.
 */
int64_t exim_retry_at(const struct exim_retries *, const struct exim_asked *,
    const char *id, int64_t *since);

/* The last cutoff of `Retry rule: PATTERN ERROR F,2h,15m; ...', in seconds; -1. */
int64_t exim_retry_life(struct span said);

/* The first host and the domain of the address that `exim -bt' ended at; empty. */
void exim_said_where(struct span said, struct span *host, struct span *domain);

/* exim_ask.c */
struct exim *exim_own(struct spool *);
void exim_close(struct spool *);

/* Of the queue with that name; `every' (it may be NULL) how often, where it is told. */
enum exim_runner exim_runner(struct spool *, struct span queue, struct buf *every);

/* NULL: it cannot be told. */
const struct exim_retries *exim_retries(struct spool *);

/*
 * Where it would send that.  NULL: it cannot be asked, in err unless it is not worth a
 * word.  Good until the next call.
 */
struct exim_asked *exim_ask(struct spool *, const char *sender, const char *address,
    struct err *);

/* How long it tries that, in seconds; -1 unknown. */
int64_t exim_life(struct spool *, struct exim_asked *);

/* exim_verbs.c */
void exim_due_free(struct exim *);
int exim_release(struct spool *, const struct message *, struct err *);
size_t exim_release_end(struct spool *, struct err *);
bool exim_at_work(struct spool *, const struct message *);
int exim_hold(struct spool *, const struct message *, struct err *);
int exim_unhold(struct spool *, const struct message *, struct err *);
int exim_remove(struct spool *, const struct message *, struct err *);

/* exim_claim.c */
enum claim exim_claim(struct spool *, const struct entry *, struct message *,
    struct claimed **, struct err *);
int exim_settle(struct claimed *, struct message *, size_t i,
    const struct result *, struct err *);
int exim_done(struct claimed *, struct message *, struct err *);

/* exim_domains.c */
int exim_domains(struct spool *, struct buf *names, struct err *);

/* exim_why.c */
int exim_outlook(struct spool *, const struct message *, struct outlook *,
    struct err *);
int exim_route(struct spool *, const struct message *, const char *address,
    struct buf *, struct err *);

#endif
