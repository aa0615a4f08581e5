/* What the files of the Maildir kind share; nobody else includes this. */
#ifndef SPOOL_MAILDIR_H
#define SPOOL_MAILDIR_H

#include <sys/stat.h>

#include "spool/spool.h"

#define MAILDIR_CLAIMED "tidegate.claimed"

/* Files this process has had in its hands: its own walk passes them by. */
struct maildir {
	ino_t *p;
	size_t n, room;
};

void maildir_touch(struct maildir *, ino_t);
bool maildir_touched(const struct maildir *, ino_t);

/* maildir_read.c: the lines in front that are the envelope */
enum maildir_field { FIELD_NONE, FIELD_SENDER, FIELD_RCPT, FIELD_ORIGINAL };

struct maildir_line {
	enum maildir_field field;
	size_t start, end;	/* in head.text; end is behind the LF */
	char *address;		/* owned */
};

struct maildir_head {
	off_t from, to;		/* where in the file the message lies; to 0: its end */
	struct buf text;	/* begins there */
	VEC(struct maildir_line) lines;
	off_t body;		/* where the message itself begins */
	enum maildir_field rcpts;	/* which of them names the recipients */
};

/*
 * Of the message at from..to, set before, all else zero (the offset of `fd` is not
 * used).  lines and body count from `from`.  0 or -1.
 */
int maildir_head(struct maildir_head *, int fd, const char *ref, struct err *);
void maildir_head_free(struct maildir_head *);

/* Sender (NULL: no line says) and recipients, each once. */
void maildir_envelope(struct envelope *, const struct maildir_head *);

int maildir_read(struct spool *, const struct entry *, unsigned what,
    struct message *, struct err *);
int maildir_read_fd(const char *dir, const char *ref, int fd,
    struct message *, struct err *);
int maildir_read_body(struct spool *, const struct entry *, struct message *,
    struct body *, struct err *);
int maildir_body(struct spool *, const char *ref, struct body *, struct err *);

/* The path of what is recorded as done for a claimed message. */
void maildir_done_path(struct buf *, const char *dir, const char *name);

/* maildir_claim.c */
enum claim maildir_claim(struct spool *, const struct entry *,
    struct message *, struct claimed **, struct err *);
int maildir_settle(struct claimed *, struct message *, size_t,
    const struct result *, struct err *);
int maildir_done(struct claimed *, struct message *, struct err *);

/* ---- maildir_narrow.c ---- */

/* Writes the lines in front without those of recipients that are done.  0 or -1 (errno). */
int maildir_put_lines(const struct maildir_head *, const struct message *, int to);

/*
 * Replaces the claimed message `ref` (open as `from`) by one
 * without the lines of the recipients that are done, written as `new` first.
 * Returns the new file, locked and synced; -1: the old one is as it was.
 */
int maildir_narrow(int from, const char *ref, const char *new,
    const struct message *, struct err *);

/* The length of the ID in a file's name: flags stand behind it. */
size_t maildir_id(const char *name);

#endif
