/* What the files of the Sendmail kind share; nobody else includes this. */
#ifndef SPOOL_SENDMAIL_H
#define SPOOL_SENDMAIL_H

#include "base/seen.h"
#include "spool/file.h"
#include "spool/spool.h"

#define SENDMAIL_CF "/etc/mail/sendmail.cf"
#define SUBMIT_CF "/etc/mail/submit.cf"

/* What a qf says beyond a struct message; borrowed from its text. */
struct sm_file {
	struct span df;		/* another directory of the df; empty: none */
	VEC(struct span) fields;	/* header fields as they stand: H?flags?... */
	VEC(struct span) macros;	/* `rESMTP`, `{name}value` */
	bool ended;		/* the line `.` was there */
};

/*
 * sendmail_qf.c: reads a qf's text into `m` (its ref and id are set).  0 or -1: 65,
 * what is damaged; without x->ended it is no message yet, whatever is returned.
 */
int sm_parse(struct sm_file *, struct span text, struct message *, struct err *);
void sm_file_free(struct sm_file *);

/* The next item with the lines that go on with it; false: no LF ends it. */
bool sm_cut_item(struct span *rest, struct span *item);

/* Appends the header as an SMTP mailer would be given it, with LF line ends. */
void sm_header(struct buf *, const struct sm_file *);

/* sendmail_address.c: the address in `Bob <bob@y>`, to be freed; "" for none */
char *sm_address(struct span);

/* sendmail_walk.c */
struct walk *sm_walk(struct spool *, unsigned states, struct err *);
int sm_next(struct walk *, struct entry *, struct err *);
void sm_walk_end(struct walk *);
int sm_find(struct spool *, const char *id, struct entry *, struct err *);
int sm_owns(const char *ref, struct buf *dir);
bool sm_shape(const char *dir);

/* Of the qf, df or xf in a queue's directory makes that directory. */
void sm_whole(char *dir);

/* Is `dir' one of the directories of Sendmail's own queue `top', by a link? */
bool sm_leads_to(const char *top, const char *dir);

/* The ID in a file's name, `qfID`; NULL: it is none of ours. */
const char *sm_id(const char *name);

/*
 * The path of the df of a ref, never outside of the queue's directory or of a queue
 * beside it: that of another group, where only one of them is looked at.
 */
void sm_df(const struct spool *, const char *ref, struct span other,
    struct buf *path);

/* sendmail_read.c; sm_read_fd: from an open qf, and the path of its df (or NULL) */
int sm_read_fd(struct spool *, const struct entry *, int fd, const struct stat *,
    unsigned what, struct message *, struct buf *df, struct err *);
int sm_read(struct spool *, const struct entry *, unsigned what,
    struct message *, struct err *);
int sm_body(struct spool *, const char *ref, struct body *, struct err *);

/* sendmail_host.c */
int sm_discover(struct spools *, struct err *);
int sm_open(struct spool *, struct err *);

/* Is it the queue of mail that the daemon has not yet taken over? */
bool sm_is_client(const struct spool *);

/* The value of `O NAME=` in a configuration file; 1, 0 it is not there, -1. */
int sm_option(const char *conf, const char *name, struct buf *value, struct err *);

/*
 * sendmail_ask.c: Sendmail's own program and what it and its configuration say of a
 * queue, each asked once; spool->own, from sm_own(), or from sm_kept() when nothing is
 * to be asked.
 */
struct sm_asked { char *address, *route; };
struct sm_own {
	bool known;		/* what follows has been asked */
	char *program;		/* the path of one that is Sendmail's; NULL: none */
	bool on_path;		/* it is what a shell calls `sendmail' */
	bool down;		/* no daemon and no queue runner is there */
	int64_t life, report_life;	/* seconds: when mail is given up */
	int64_t rest;		/* seconds between two tries; 0 none, or unknown */
	VEC(struct sm_asked) asked;
	struct seen swept;	/* directories */
	VEC(char *) due;	/* -qIID of what is to be released */
};
struct sm_own *sm_own(struct spool *);
struct sm_own *sm_kept(struct spool *);
void sm_close(struct spool *);

/* What it says of an address, to be kept by the spool: 1, 0 it was not asked, -1. */
int sm_ask(struct spool *, const char *address, const char **route, struct err *);

/* The flags of the mailer in such an answer: 1, 0 unknown. */
int sm_mailer(const struct spool *, const char *route, struct buf *name,
    struct buf *flags);

/* sendmail_claim.c */
enum claim sm_claim(struct spool *, const struct entry *, struct message *,
    struct claimed **, struct err *);
int sm_settle(struct claimed *, struct message *, size_t, const struct result *,
    struct err *);
int sm_done(struct claimed *, struct message *, struct err *);

/* sendmail_verbs.c */
int sm_release(struct spool *, const struct message *, struct err *);
size_t sm_release_end(struct spool *, struct err *);
void sm_due_free(struct sm_own *);
int sm_hold(struct spool *, const struct message *, struct err *);
int sm_unhold(struct spool *, const struct message *, struct err *);

/* sendmail_why.c */
int sm_outlook(struct spool *, const struct message *, struct outlook *,
    struct err *);
int sm_route(struct spool *, const struct message *, const char *address,
    struct buf *, struct err *);

#endif
