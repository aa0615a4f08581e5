/*
 * Mail that comes over a connection on which we are the server: the receiving engine, a
 * line, and a target (session/deliver.h), joined.
 */
#ifndef SESSION_RECEIVE_H
#define SESSION_RECEIVE_H

#include "session/deliver.h"
#include "session/line.h"
#include "wire/record.h"

struct receive {
	/* set by the caller; strings are borrowed */
	const char *name;	/* ours */
	const char *peer;	/* theirs, for words */
	struct { char **p; size_t n, room; } accept;	/* nodes of recipients; a VEC */
	int64_t max_size;	/* octets; 0: any */
	size_t max_rcpts;
	int64_t idle_ms;	/* so long the peer may say nothing */
	int64_t deadline;	/* for everything; NEVER */
	bool verbose;
	/* One recipient's fate, as it is answered (ref `-'); NULL */
	void (*told)(void *, const struct result *);
	void *arg;

	/* what came */
	size_t messages, refused;	/* accepted texts; others */
	int64_t octets;		/* of the accepted ones */

	/* its own */
	struct receiver_terms terms;
	struct receiver engine;
	struct line *line;
	struct deliver *to;
	VEC(struct coming *) coming;	/* transactions without a fate */
	struct buf heard;
	bool eof;		/* the peer says nothing more */
	int64_t silent;		/* when to stop waiting for the peer */
	size_t unnoticed;	/* octets heard that have not put it off */
};

/* Opens the target, before anybody is asked for mail: 0, -1 as deliver_open(). */
int receive_open(struct receive *, const struct deliver_opts *, struct err *);

/*
 * Greets whoever is at the other end of `line', of which `early' was heard already, and
 * takes what he sends until he says QUIT: 0.  -1: 75 the connection was lost, the time is
 * over, he broke off in the middle; 76.  What was accepted stays accepted, all else he
 * has still.  The line stays open.
 */
int receive_run(struct receive *, struct line *, struct span early, struct err *);

void receive_close(struct receive *);

#endif
