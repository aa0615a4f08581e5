/* What the files of the mbox kind share; nobody else includes this. */
#ifndef SPOOL_MBOX_H
#define SPOOL_MBOX_H

#include <sys/stat.h>

#include "spool/maildir.h"

#define MBOX_JOURNAL ".tidegate"	/* behind the name of the file */

/* This recipient of the message at this octet is done. */
struct mbox_mark {
	off_t at;
	char *field;		/* his address, as field_add() writes it; owned */
};

struct mbox {
	struct stat of;		/* the file that the marks are about */
	VEC(struct mbox_mark) marks;	/* by octet */
	VEC(off_t) in_hand;	/* messages of ours */
	int fd, dir;		/* the file, locked, and where it lies; -1 */
	int journal;		/* -1 */
	bool marked;		/* by this process */
	bool refused;		/* it cannot be taken, which was told */
	bool torn;		/* the journal ends in half a line */
};

/* ---- mbox_scan.c ---- */

/* Goes over a file from one From line to the next: fd, at and empty are set, else zero. */
struct mbox_scan {
	int fd;
	off_t at;		/* of text.p[0] */
	struct buf text;
	size_t used;
	bool empty;		/* the line before was empty, or there is none */
};

/* Is there a From line at the start of the file, or nothing in it?  1, 0, -1. */
int mbox_begins(int fd, struct err *);

/* The next From line: 1 and where it is, its line skipped; 0 the end; -1. */
int mbox_next_from(struct mbox_scan *, off_t *at, struct buf *from, struct err *);

/* One message within its file. */
struct mbox_place {
	int fd;
	struct stat st;
	off_t at;		/* its From line */
	off_t start, end;	/* of the message, without From line and empty line */
	off_t next;		/* the next From line, or the end of the file */
	struct buf from;
};

/* Its bounds; fd, st and at are set, all else zero.  1, 0 there is none, -1. */
int mbox_bounds(struct mbox_place *, struct err *);

/* ---- mbox.c ---- */

int mbox_read(struct spool *, const struct entry *, unsigned what, struct message *,
    struct err *);

/* ---- mbox_marks.c: the journal ---- */

/*
 * Reads what is recorded beside the file at `path` into the marks, if it is about the
 * file that `of' describes; nothing otherwise.  0, or -1: unreadable.
 */
int mbox_marks_read(struct mbox *, const char *path, struct err *);

/* Begins a journal anew, in `dir`: durable on return.  0 or -1. */
int mbox_journal_begin(struct mbox *, const char *path, struct err *);

/*
 * Records it, durable after an fdatasync() of the journal.  0, or -1: it may not be
 * there, but to this process he is done.
 */
int mbox_journal_add(struct mbox *, off_t at, const char *address, struct err *);

/* Is it still the same file, and as it was? */
bool mbox_same(const struct stat *, const struct stat *);

/* Marks who is done among the recipients of the message at `at` of the file `st`. */
void mbox_marks_apply(const struct mbox *, const struct stat *st, off_t at,
    struct envelope *);

/* How many of the marks are about a message before this octet. */
size_t mbox_marks_before(const struct mbox *, off_t at);

void mbox_marks_free(struct mbox *);

/* ---- mbox_claim.c ---- */

enum claim mbox_claim(struct spool *, const struct entry *, struct message *,
    struct claimed **, struct err *);
int mbox_settle(struct claimed *, struct message *, size_t, const struct result *,
    struct err *);
int mbox_done(struct claimed *, struct message *, struct err *);
int mbox_sync(struct spool *, struct err *);
int mbox_end(struct spool *, struct err *);

/*
 * Locks it both ways in which what delivers may lock: false, somebody else has one of the
 * locks, or errno says another reason.
 */
bool mbox_lock(int fd);

/* ---- mbox_write.c ---- */

/*
 * Writes the locked file anew without what is marked, and takes it for the old one:
 * 0, fd is the new one, locked, and the journal is needed no more; -1: it is needed, for
 * the old one is there as it was, or may come back after a power cut.
 */
int mbox_write(struct mbox *, const char *path, struct err *);

#endif
