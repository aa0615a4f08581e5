/* What the files of the Postfix kind share; nobody else includes this. */
#ifndef SPOOL_POSTFIX_H
#define SPOOL_POSTFIX_H

#include <sys/stat.h>

#include "base/text.h"
#include "spool/file.h"
#include "spool/spool.h"

/* postfix_record.c: the record stream of a queue file; {fd} starts one */
struct pf_reader {
	int fd;			/* borrowed */
	struct buf in;
	off_t at;		/* of in.p[0] */
	size_t used;		/* of in, already given out */
	off_t end;		/* the file's size; 0: not yet asked */
	off_t seen;		/* octets given out since the last pf_seek() */
	int jumps;		/* pointers followed */
	off_t record;		/* where the last record began */
};

/*
 * The next record: its type (1..255) and data (good until the next call), after
 * following pointers and skipping padding; 0 at the end of the file; -1 damaged
 * (65) or unreadable; the caller puts the file's name in front.
 */
int pf_record(struct pf_reader *, struct span *data, struct err *);
void pf_seek(struct pf_reader *, off_t);
off_t pf_tell(const struct pf_reader *);	/* where the next record begins */
void pf_reader_free(struct pf_reader *);	/* not the fd */

/* postfix_envelope.c: {m} starts one */
#define PF_COUNTS 6
struct pf_envelope {
	struct message *m;	/* borrowed: filled */
	bool timed;		/* its arrival is known */
	long long count[PF_COUNTS];	/* of the C record */
	size_t counts;
	off_t record;
	char *original, *orcpt;		/* of the next recipient */
	unsigned notify;
};

/* A record of the envelope or the extracted segment: 0 or -1 damaged (65). */
int pf_take(struct pf_envelope *, int type, off_t record, struct span data,
    struct err *);
void pf_envelope_end(struct pf_envelope *);

/*
 * postfix_read.c: fills `m` from an open queue file; 1, 0 not (yet) a message,
 * -1.  `st` is fstat's; the fd's offset is not used.  Each recipient's `offset`
 * is where its R or D record begins.
 */
int pf_read_fd(struct spool *, const struct entry *, int fd,
    const struct stat *, unsigned what, struct message *m, struct err *);
int pf_read(struct spool *, const struct entry *, unsigned what,
    struct message *, struct err *);

/*
 * Opens a queue file for reading: 1; 0 gone or, by type or mode, no message (a
 * symbolic link or a fifo never is, whoever put it there); -1.
 */
int pf_open_ref(const char *ref, struct stat *, int *fd, struct err *);

/* postfix_body.c */
int pf_body(struct spool *, const char *ref, struct body *, struct err *);

/*
 * postfix_log.c: defer/ID, bounce/ID, trace/ID.  pf_log_path: 1 and the path of
 * such a log; 0 there is none, and the path where this queue would have it (its
 * hashed directory may have to be made); -1.  pf_log_reasons joins the reasons
 * in defer/ID to m's pending recipients by offset: 0 (also without a log), -1.
 */
int pf_log_path(struct spool *, const char *log, const char *id,
    struct buf *path, struct err *);
int pf_log_reasons(struct spool *, struct message *, struct err *);

/* postfix_walk.c */
struct walk *pf_walk(struct spool *, unsigned states, struct err *);
int pf_next(struct walk *, struct entry *, struct err *);
void pf_walk_end(struct walk *);

/* From deferred this walk gives only these, as far as they are there; copied. */
void pf_walk_named(struct walk *, const char *const *ids, size_t n);
int pf_find(struct spool *, const char *id, struct entry *, struct err *);
int pf_owns(const char *ref, struct buf *dir);

/* Letters, digits and _, more than one: what may stand in a path. */
bool pf_is_id(const char *);

/* The characters a hashed queue takes from an ID, one a level (16 at most). */
#define PF_DEPTH 16
void pf_hash(const char *id, char hash[PF_DEPTH + 1]);

/* Where `id` lies in this queue, flat or hashed: 1 and the path, 0, -1. */
int pf_place(const struct spool *, const char *queue, const char *id,
    struct buf *path, struct err *);

/* Does it look like a Postfix queue, as far as one may look? */
bool pf_shape(const char *dir);

/* postfix_host.c: the running instances, and what postconf says of them */
int pf_discover(struct spools *, struct err *);
int pf_open(struct spool *, struct err *);
int pf_conf(const struct spool *, const char *name, struct buf *value, struct err *);

/*
 * Runs one of Postfix's own programs, found on PATH or in an sbin directory,
 * with `-c conf` first unless conf is NULL.  `args` end in NULL.  Returns its
 * exit status, what it said on stderr in `e` when that is not 0; -1: not run
 * (69: it is not on this host).
 */
int pf_run(const char *conf, const char *name, const char *const args[],
    struct span input, struct buf *out, struct err *);
struct walk *pf_listing(struct spool *, struct err *);
int pf_listed(struct walk *, struct message *, struct err *);
void pf_listing_end(struct walk *);

/* postfix_why.c: what --why has found out of a queue; spool->own, from pf_own() */
struct pf_own {
	bool down;		/* its master does not run */
	bool mute;		/* its resolver did not answer: it is not asked again */
	int64_t lifetime, report_lifetime, scan;	/* seconds; -1 unknown */
};
struct pf_own *pf_own(struct spool *, struct err *);

/*
 * postfix_resolve.c: what its resolver says of an address in mail from `sender`.
 * 1; 0 Postfix is down (own->down), or did not answer before (own->mute); -1.
 */
struct pf_answer {
	struct buf transport, hop;
	bool failed;		/* it could not look: a table, say, is not there */
};
int pf_resolve(struct spool *, const char *sender, const char *address,
    struct pf_answer *, struct err *);
void pf_answer_free(struct pf_answer *);

int pf_outlook(struct spool *, const struct message *, struct outlook *,
    struct err *);
int pf_route(struct spool *, const struct message *, const char *address,
    struct buf *, struct err *);
void pf_close(struct spool *);

/* postfix_claim.c */
enum claim pf_claim(struct spool *, const struct entry *, struct message *,
    struct claimed **, struct err *);
int pf_settle(struct claimed *, struct message *, size_t,
    const struct result *, struct err *);
int pf_fail(struct claimed *, struct message *, size_t,
    const struct result *, struct err *);
bool pf_reports(struct claimed *, const struct message *);
int pf_done(struct claimed *, struct message *, struct err *);
int pf_sync(struct spool *, struct err *);

/*
 * postfix_defer.c: writing such logs.  pf_log_text: the whole text of a log
 * that may not be there (empty then).  pf_log_blocks: what a new log of the
 * pending recipients says, with the blocks of `old` for those that `news` (a
 * flag a recipient) does not name.  pf_log_write: a new log instead of any old
 * one, with the owner of the queue file `like`, durable.  pf_log_append: one
 * block behind what is there, durable or not at all.
 */
int pf_log_text(struct spool *, const char *log, const char *id, struct buf *,
    struct err *);
int pf_log_remove(struct spool *, const char *log, const char *id, struct err *);
void pf_log_block(struct buf *, const struct rcpt *, const char *action,
    struct span old);
void pf_log_blocks(struct buf *, const struct message *, const bool *news,
    struct span old);
int pf_log_write(struct spool *, const char *log, const struct message *,
    const struct stat *like, struct span text, struct err *);
int pf_log_append(struct spool *, const char *log, const struct message *,
    const struct stat *like, struct span text, struct err *);

/*
 * postfix_flush.c.  pf_flush_told: `postconf -x ... PF_FLUSH_NAMES' said so of this
 * configuration; to start it once more would cost more than all the rest.
 */
#define PF_FLUSH_NAMES "fast_flush_domains", "maximal_backoff_time", "queue_run_delay"
void pf_flush_told(const char *conf, struct span);
bool pf_covers(struct spool *, const char *, const struct message *);
struct walk *pf_walk_node(struct spool *, const char *, unsigned, struct err *);

/* postfix_log.c: does this queue have directories within, as far as one sees? */
bool pf_is_hashed(const struct spool *, const char *queue);

/* postfix_release.c */
int pf_release_node(struct spool *, const char *, struct err *);
int pf_release(struct spool *, const struct message *, struct err *);
int pf_hold(struct spool *, const struct message *, struct err *);
int pf_unhold(struct spool *, const struct message *, struct err *);
int pf_remove(struct spool *, const struct message *, struct err *);
int pf_domains(struct spool *, struct buf *, struct err *);

#endif
