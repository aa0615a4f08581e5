/* What the files of the Exim kind share; nobody else includes this. */
#ifndef SPOOL_EXIM_H
#define SPOOL_EXIM_H

#include "base/seen.h"
#include "spool/file.h"
#include "spool/spool.h"

struct due;

/* A spool's own; none before exim_own(). */
struct exim {
	struct { struct due *p; size_t n, room; } due;	/* to be released */
	struct seen swept;	/* directories */
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

/* exim_walk.c */
struct walk *exim_walk(struct spool *, unsigned states, struct err *);
int exim_next(struct walk *, struct entry *, struct err *);
void exim_walk_end(struct walk *);
int exim_find(struct spool *, const char *id, struct entry *, struct err *);
int exim_owns(const char *ref, struct buf *dir);
bool exim_shape(const char *dir);

/* 16 characters before 4.97, 23 since; 0: it is no ID.  `name` may go on. */
size_t exim_id(const char *name);

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

/* The value of a main option, by `exim -bP`: 0 or -1. */
int exim_conf(const char *option, struct buf *value, struct err *);

/* exim_verbs.c */
struct exim *exim_own(struct spool *);
void exim_close(struct spool *);
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
