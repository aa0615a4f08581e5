/*
 * An MTA's queue on disk.  One struct spool_kind an MTA, one line in the list.
 *
 * Looking takes no lock and writes nothing; a message that vanished meanwhile
 * is skipped.  Order of work when mail is taken out: claim, send, settle, done;
 * a crash at any step may repeat a letter, never lose one.
 */
#ifndef SPOOL_SPOOL_H
#define SPOOL_SPOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"
#include "spool/body.h"
#include "wire/envelope.h"
#include "wire/record.h"

enum state {
	STATE_INCOMING, STATE_ACTIVE, STATE_DEFERRED, STATE_HOLD,
	STATE_MAILDROP, STATE_CORRUPT, STATE_DONE,
	STATE_UNTOLD,		/* of an entry: only reading it tells */
	STATE_LAST
};

#define STATE_BIT(s) (1u << (s))
#define STATES_ALL (STATE_BIT(STATE_LAST) - 1)
#define STATES_SHOWN (STATES_ALL & ~STATE_BIT(STATE_CORRUPT))	/* by default */

const char *state_name(enum state);
int state_parse(struct span);		/* -1: no state */

struct spool_kind;

/* One queue. */
struct spool {
	const struct spool_kind *kind;
	char *dir;		/* absolute */
	char *conf;		/* the MTA instance's configuration; NULL */
	bool live;		/* the running configuration owns it: its MTA's
				   commands may be run for it */
	void *own;		/* of the kind; freed by kind->close */
};

struct spools { struct spool *p; size_t n, room; };	/* a VEC */

/* Where one message lies; found without opening it. */
struct entry {
	struct buf ref;		/* absolute path of the file that names it */
	enum state state;
	bool whole;		/* only a complete message has such a name: it
				   may be counted unopened */
	unsigned beside;	/* of its kind: what the walk has seen of the
				   message's other files; 0 nothing */
};

/* One message.  Owned; message_free() leaves it empty. */
struct message {
	char *ref, *id;
	enum state state;
	int64_t arrival;	/* seconds since the epoch; -1 unknown (a listing) */
	int64_t size;		/* octets, the MTA's own figure; -1 unknown (likewise) */
	int64_t next_attempt;	/* seconds since the epoch; 0 unknown */
	int64_t last_attempt;	/* likewise */
	int64_t attempts;	/* -1 unknown */
	char *note;		/* what the queue says of the message as a whole: why
				   it is held, a quarantine's reason; NULL */
	bool forced_expire;
	dev_t dev;		/* of the file that names it: an ID may be used */
	ino_t ino;		/* again for another message */
	off_t within;		/* where it begins, if others lie in that file; else 0 */
	int64_t mtime;
	const char *only_mta;	/* what it needs that only its MTA can do; NULL */
	struct envelope env;
};

/*
 * What the MTA itself says of a message, for queue-list --why; only of a live
 * queue.  Owned; outlook_free() leaves it empty.
 */
struct outlook {
	bool down;		/* no MTA runs that would deliver from this queue */
	int64_t next_attempt;	/* seconds since the epoch; 0 unknown */
	int64_t last_attempt;	/* likewise */
	int64_t expires;	/* likewise: when the MTA gives it up */
	struct buf holder;	/* a sentence: who has the message now, and what
				   has to happen before it moves */
	struct buf commands;	/* what to type next, a line each, the likeliest
				   first; may be pasted into a shell */
};

/* What kind->read shall look at beyond the queue file itself, and what it need not. */
enum {
	READ_REASONS = 1,
	READ_NO_SIZE = 2,	/* the size may stay unknown */
	READ_AS_WALKED = 4,	/* what the walk has seen beside it is new enough: what
				   was done before the walk began counts, the rest may */
};

/* What kind->listing may not know. */
enum { LACKS_SIZE = 1, LACKS_ARRIVAL = 2 };

enum claim { CLAIM_ERROR = -1, CLAIM_OURS = 1, CLAIM_BUSY = 0, CLAIM_GONE = 2 };

struct walk;			/* each kind has its own */
struct claimed;			/* likewise: a message that is ours */

struct spool_kind {
	const char *name;

	/*
	 * Adds every queue of this kind that the host's configuration names,
	 * live set.  0, also when there is none; -1 could not look.  NULL: this
	 * kind has no place of its own.
	 */
	int (*discover)(struct spools *, struct err *);
	/*
	 * What discover() finds is one MTA's in several directories: Sendmail's queue
	 * groups, and the queue of its submission program.
	 */
	bool together;

	/*
	 * Makes a spool of spool->dir (given, not yet absolute; NULL: the
	 * kind's default queue on this host): checks that it is one, sets dir,
	 * conf, live.  -1: 74 not there or no such queue, 77 may not look.
	 */
	int (*open)(struct spool *, struct err *);
	void (*close)(struct spool *);	/* NULL: nothing to free but dir, conf */

	/*
	 * Does `ref` (absolute) lie in a queue of this kind, by the directory's
	 * shape?  1 and the queue's directory in `dir`, else 0.
	 */
	int (*owns)(const char *ref, struct buf *dir);

	/*
	 * Walks over the entries in `states` (STATE_BIT()s).  next: 1 an entry,
	 * 0 no more, -1 a directory could not be read (the walk can go on).
	 */
	struct walk *(*walk)(struct spool *, unsigned states, struct err *);
	int (*next)(struct walk *, struct entry *, struct err *);
	void (*walk_end)(struct walk *);

	/*
	 * The same by an index that the MTA keeps of one domain (not its subdomains):
	 * gives every entry that has a recipient there, and others.  NULL, without an
	 * error: no index, or not one that is sure to name all.
	 */
	struct walk *(*walk_node)(struct spool *, const char *node,
	    unsigned states, struct err *);

	/*
	 * Fills in the entry of a ref in this queue without looking: read() says
	 * whether it is there.  NULL, or false: find() has to look.
	 */
	bool (*at)(struct spool *, const char *ref, struct entry *);

	/*
	 * The message with this ID, or whose ref ends in this name, wherever it
	 * is now: 1, 0 none (also when it could be no ID of this kind), -1.
	 */
	int (*find)(struct spool *, const char *id, struct entry *, struct err *);

	/*
	 * Is the entry one of those that this ID names?  For IDs that may stand
	 * for several entries (OpenSMTPD's message ID); NULL: none does.
	 */
	bool (*among)(const struct entry *, const char *id);

	/*
	 * Reads the message at `entry` into an empty struct.  1; 0 it is gone
	 * or not yet (or no longer) a message; -1 unreadable or damaged (the
	 * message names the file).  Several threads may read in one queue at once.
	 */
	int (*read)(struct spool *, const struct entry *, unsigned what,
	    struct message *, struct err *);

	/* Opens its text (body.h).  1; 0 gone; -1. */
	int (*body)(struct spool *, const char *ref, struct body *, struct err *);

	/* Both at once, where that costs less than one after the other; NULL. */
	int (*read_body)(struct spool *, const struct entry *,
	    struct message *, struct body *, struct err *);

	/*
	 * When the files may not be read: the MTA's own listing, a message a
	 * call.  1, 0 no more, -1.  NULL: this MTA has none that tells the truth.
	 * `lacks': what it does not say of a message.
	 */
	unsigned lacks;
	struct walk *(*listing)(struct spool *, struct err *);
	int (*listed)(struct walk *, struct message *, struct err *);
	void (*listing_end)(struct walk *);

	/*
	 * Claims the message at `entry` under the MTA's own lock, and reads it
	 * anew into `m` (empty before; filled only when ours).  One with
	 * only_mta set is not to be had (69).  CLAIM_ERROR without an error: as
	 * was told of one before it.
	 * NULL: there is no safe way; `only_copies': none while the MTA may run, so
	 * that only of a copied queue is it called (spool_yields(), which says
	 * `because' if that is not NULL).
	 */
	const char *because;
	bool only_copies;
	enum claim (*claim)(struct spool *, const struct entry *,
	    struct message *m, struct claimed **, struct err *);

	/*
	 * m->env.rcpts.p[i] met this result: delivered, relayed: marked done;
	 * deferred: pending, reason noted where the MTA keeps it; failed: stays
	 * pending.  Durable on return, or behind sync(); what is not yet may be
	 * delivered once more if the machine fails, never lost.  0 or -1 (not
	 * marked: told loudly).
	 * CLAIM_GONE (2): the message is no longer there: nothing recorded.
	 */
	int (*settle)(struct claimed *, struct message *m, size_t i,
	    const struct result *, struct err *);

	/*
	 * m->env.rcpts.p[i] failed for good and shall not be tried again: marked
	 * done as settle() marks what was delivered, with the same returns.  Where
	 * `reports` is there and was asked and says yes, the MTA tells the sender (it
	 * honours NOTIFY and RET); otherwise whoever calls this has done so before.
	 * NULL: settle() with `delivered' does it.
	 */
	int (*fail)(struct claimed *, struct message *m, size_t i,
	    const struct result *, struct err *);
	bool (*reports)(struct claimed *, const struct message *m);

	/* Once a message, after its recipients: gives it back; frees `claimed`. */
	int (*done)(struct claimed *, struct message *m, struct err *);

	/*
	 * Makes durable what settle() and done() have left for it: once for many
	 * messages, and in the end.  NULL: they leave nothing.
	 */
	int (*sync)(struct spool *, struct err *);

	/*
	 * When nothing more is claimed of this queue by this process: what is marked in
	 * it goes, where that is done for all at once.  0 or -1 (marked, but still
	 * there).  NULL: settle() and done() have seen to it.
	 */
	int (*end)(struct spool *, struct err *);

	/*
	 * Release.  release_node: everything for exactly this domain; 1 done, 0
	 * the MTA has no such command for it (nothing was done), -1.  `covers`
	 * tells whether release_node(node) would reach this message.
	 * release: this one message (held mail is let go); 0; 1 nothing was done, it
	 * is in delivery just now; -1.
	 */
	int (*release_node)(struct spool *, const char *node, struct err *);
	bool (*covers)(struct spool *, const char *node, const struct message *);
	int (*release)(struct spool *, const struct message *, struct err *);

	/*
	 * Called when release() was told of the last one, for an MTA that is better
	 * told of many at once: release() has only noted them.  Starts it, and does
	 * not wait until all is delivered.  0; else how many were not released.
	 */
	size_t (*release_end)(struct spool *, struct err *);

	/*
	 * Has the MTA this message in delivery just now?  For --wait, where neither
	 * its state nor its file tells; NULL: they do.
	 */
	bool (*at_work)(struct spool *, const struct message *);

	/*
	 * Everything that is not held, at once, of a live queue (else -1, 69): for
	 * an MTA that cannot be told of one message (release is NULL).  0 or -1.
	 */
	int (*release_all)(struct spool *, struct err *);

	/*
	 * By the MTA's own commands, of a live queue (else -1, 69), for the whole
	 * message, which was read just before; or spool_take_away().  hold: it is kept until unhold; 0
	 * also when it already was.  unhold: it waits like any other, it is not
	 * tried at once.  remove: thrown away, nobody is told.  0; 1 nothing was
	 * done, it is in delivery just now; -1.  NULL: this MTA has no such
	 * command (69).
	 */
	int (*hold)(struct spool *, const struct message *, struct err *);
	int (*unhold)(struct spool *, const struct message *, struct err *);
	int (*remove)(struct spool *, const struct message *, struct err *);

	/*
	 * For --why, by the MTA's own commands.  outlook: 0 or -1, what could be
	 * found is in it.  route: 1 and where the MTA would send this message for
	 * this address, on one line; 0 it has no command that says so, or it is
	 * down (outlook tells); -1.
	 */
	int (*outlook)(struct spool *, const struct message *, struct outlook *,
	    struct err *);
	int (*route)(struct spool *, const struct message *, const char *address,
	    struct buf *, struct err *);

	/* The MTA's own domains, added to `names` (to be freed).  0 or -1. */
	int (*domains)(struct spool *, struct buf *names, struct err *);
};

extern const struct spool_kind spool_postfix, spool_exim, spool_sendmail,
    spool_opensmtpd, spool_nullmailer, spool_dma, spool_courier, spool_qmail,
    spool_mbox, spool_maildir;

/* All kinds, ended by NULL. */
extern const struct spool_kind *const spool_kinds[];

/*
 * A queue from `KIND[:DIR]`.  0, or -1: 64 unknown kind, or what kind->open says.
 */
int spool_open(struct spool *, const char *spec, struct err *);

/* Every queue found on this host; what could not be looked at stands in err. */
int spool_discover(struct spools *, struct err *);

void spool_close(struct spool *);
void spools_free(struct spools *);

/*
 * The queue that `ref` lies in: one of `known`, else one made from the shape of
 * its directory and added to `known`.  NULL: 65 in err, not a ref; 77 may not look.
 */
struct spool *spool_of(struct spools *known, const char *ref, struct err *);

/*
 * Where the message at `ref` is now: there, or moved within its queue (looked
 * for by its ID).  1 with entry filled, 0 gone, -1.
 */
int spool_at(struct spool *, const char *ref, struct entry *, struct err *);

/*
 * May mail be taken out of this queue at all?  0; -1 (69): its MTA offers no safe way
 * while it may run.
 */
int spool_yields(const struct spool *, struct err *);

/* kind->end, where there is one. */
int spool_end(struct spool *, struct err *);

/*
 * kind->remove for a kind without such a command, and for files alone: claims
 * the message, if it is still the one that was read, and marks everybody done.
 */
int spool_take_away(struct spool *, const struct message *, struct err *);

void message_free(struct message *);
void outlook_free(struct outlook *);

/*
 * What the command line calls a message, as an absolute ref: to be freed.  An ID, or
 * what is not there, stays as it is.
 */
char *ref_absolute(const char *);

/* The last part of a path. */
const char *ref_name(const char *ref);

#endif
