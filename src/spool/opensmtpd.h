/* What the files of the OpenSMTPD kind share; nobody else includes this. */
#ifndef SPOOL_OPENSMTPD_H
#define SPOOL_OPENSMTPD_H

#include "base/seen.h"
#include "spool/file.h"
#include "spool/spool.h"

#define OSMTPD_QUEUE "/var/spool/smtpd"	/* compiled in; no command prints it */
#define OSMTPD_ID 16			/* hexadecimal digits of an envelope's ID */
#define OSMTPD_MESSAGE 8		/* the first of them: the message's */

#define OSMTPD_CLAIMED "tidegate.claimed"	/* in the queue: what we have paused */

/* Of one queue, between calls. */
struct osmtpd {
	struct seen had;	/* envelopes that this process had in hand */
	VEC(char *) held;	/* IDs that smtpd has suspended; sorted */
	bool loaded;
	bool swept;		/* what killed runs left is cleaned up */
	size_t leaving;		/* were released, and are for other hosts */
};

struct osmtpd *osmtpd_own(struct spool *);

/* opensmtpd_ctl.c */

/* Fields of a line of `smtpctl show queue', parted by `|`. */
enum { FIELD_ID = 0, FIELD_TYPE = 2, FIELD_FLAGS = 3, FIELD_EXPIRE = 8,
    FIELD_RUNSTATE = 11, FIELD_SECONDS = 12, FIELDS = 13 };

/* The line's fields; false: it is no such line. */
bool osmtpd_fields(struct span line, struct span field[FIELDS]);

/* Is this one of the words of a list parted by commas? */
bool osmtpd_has_word(struct span list, const char *word);

struct osmtpd_seen {
	enum { OSMTPD_UNKNOWN, OSMTPD_PENDING, OSMTPD_OTHER } run;
	bool suspended;
	bool leaves;		/* for another host, not for a mailbox here */
};

/*
 * `smtpctl VERB ID': 1 and to how many envelopes it was said (0 also of one that is so
 * already); 0 smtpd does not run; -1: 77 only root may.
 */
int osmtpd_ctl(const char *verb, const char *id, long long *n, struct err *);

/* What smtpd is at with it, with the same returns. */
int osmtpd_look(const char *id, struct osmtpd_seen *, struct err *);

/* Does smtpd run?  1, 0, -1. */
int osmtpd_runs(struct err *);

/*
 * Is sending out paused as a whole (`smtpctl pause mta')?  1, 0 also when no smtpd runs;
 * -1 (77: only root may ask).  says_paused: the same of what `smtpctl show status' said.
 */
int osmtpd_sends_nothing(struct err *);
bool osmtpd_says_paused(struct span status);

/*
 * Has it left alone: 1, `was': it was paused before; 0 it is in delivery, or unknown,
 * nothing is changed; 2 no smtpd runs; -1: it could not be asked, and may have it.
 */
int osmtpd_pause(const char *id, bool *was, struct err *);

/* What is suspended now, but for what we have paused ourselves; nothing if it cannot say. */
void osmtpd_load_held(struct osmtpd *, const char *dir);
bool osmtpd_is_held(const struct osmtpd *, const char *id);
void osmtpd_drop_held(struct osmtpd *);

int osmtpd_release(struct spool *, const struct message *, struct err *);
size_t osmtpd_release_end(struct spool *, struct err *);
int osmtpd_hold(struct spool *, const struct message *, struct err *);
int osmtpd_unhold(struct spool *, const struct message *, struct err *);

/* opensmtpd_claim.c */
enum claim osmtpd_claim(struct spool *, const struct entry *, struct message *,
    struct claimed **, struct err *);
int osmtpd_settle(struct claimed *, struct message *, size_t, const struct result *,
    struct err *);
int osmtpd_done(struct claimed *, struct message *, struct err *);

/* opensmtpd_file.c: of a queue that no smtpd has in memory */
/* Removes an envelope, and with the last one the message.  0 or -1. */
int osmtpd_remove(const char *dir, const char *path, struct err *);

/*
 * Writes the envelope anew, with `why' as what went wrong and one attempt more.  `fd' is
 * open and locked, and becomes the new one.  0 or -1.
 */
int osmtpd_note(const char *dir, const char *path, int *fd, const char *why,
    struct err *);

/* opensmtpd_read.c */
int osmtpd_read(struct spool *, const struct entry *, unsigned what,
    struct message *, struct err *);
int osmtpd_body(struct spool *, const char *ref, struct body *, struct err *);

/* opensmtpd_why.c */
int osmtpd_outlook(struct spool *, const struct message *, struct outlook *,
    struct err *);

#endif
