/* ETRN, RFC 1985: asks one server for the mail of many nodes. */
#ifndef SESSION_ETRN_H
#define SESSION_ETRN_H

#include "session/session.h"

/*
 * Postfix counts ETRN as a junk command, Exim allows ten commands without mail,
 * Sendmail answers from the eighth on later and later.
 */
#define ETRN_PER_CONNECTION 8

struct nodes { char **p; size_t n, room; };	/* a VEC, strings owned */

struct etrn_answer {
	const char *server;	/* as dialled, with its address */
	const char *node;
	int code;		/* 0: no reply */
	int64_t count;		/* messages waiting as it said; -1 unknown */
	const char *text;	/* the reply's words, or what went wrong */
	int status;		/* exit class of this answer */
};

/*
 * Asks for every node, whatever was answered before; at most
 * ETRN_PER_CONNECTION a connection.  A node whose session was lost is 75; after
 * two connections in a row without one answer the rest is 75 untried.  Each
 * answer is told as it comes.  Returns the status of all (status_worse()).
 */
int etrn_ask(const struct server *, const struct dial *, const struct nodes *,
    bool force, void (*told)(void *, const struct etrn_answer *), void *);

/* What else to tell people about this answer; begins with a blank, or "". */
const char *etrn_hint(const struct etrn_answer *);

void nodes_free(struct nodes *);

#endif
