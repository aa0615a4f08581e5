/*
 * A server as a target: what the files of session/deliver_smtp share; nobody else
 * includes this.
 */
#ifndef SESSION_DELIVER_SMTP_H
#define SESSION_DELIVER_SMTP_H

#include "session/deliver_own.h"

struct smtp_out {
	struct deliver d;
	struct servers servers;	/* just that one */
	struct dial dial;
	struct session session;
	bool begun;		/* there is a session */
	bool used;		/* it has had a transaction before this one */
	bool begins;		/* this one is its first */
	bool lmtp;

	VEC(struct question) queue;	/* from `head' on */
	size_t head;
	size_t octets;		/* of texts in it */

	/* the transaction under way */
	struct envelope env;
	struct letter letter;
	unsigned awaited;	/* whose reply is due; 0: none */
	bool asks;		/* that is MAIL's: nothing is accepted yet */
	bool again;		/* it is to be said in the next session */
	bool texting;		/* DATA was said */
	bool ended;		/* the text has ended: its reply is due */
	char *dead;		/* it cannot go on, and this is why; NULL */
	int code;		/* its text was refused with this; 0 */
	bool seven;		/* no octet of it may be over 0x7f */
	bool eight;		/* one was: it was broken off */
};

/* deliver_talk.c: one transaction, as far as the session goes */

/* Can this question be dealt with now?  Then it is, and what it holds is freed. */
bool smtp_out_can(struct smtp_out *, const struct question *);
void smtp_out_deal(struct smtp_out *, struct question *);

/* The reply that was due has come: it is passed on. */
void smtp_out_answered(struct smtp_out *);

/* MAIL of the transaction under way, in this session. */
void smtp_out_ask(struct smtp_out *);

/*
 * The verdict on the text, where it was heard before the session ended: the outcome of
 * somebody who has it, or, if nobody was left without one, of somebody who was refused.
 * NULL: nobody knows.
 */
const struct outcome *smtp_out_verdict(const struct smtp_out *);
void smtp_out_pass(struct smtp_out *, const struct outcome *);

/* 451, with this text; 0 is nobody. */
void smtp_out_refuse(struct smtp_out *, unsigned token, const char *why);

/* The transaction cannot go on: whoever asks is told why.  NULL: it can. */
void smtp_out_kill(struct smtp_out *, const char *why);

/* Whoever waits is told; the rest of the transaction will be. */
void smtp_out_lost(struct smtp_out *, const char *why);

void smtp_out_reset(struct smtp_out *);	/* no transaction */
void smtp_out_drop(struct smtp_out *);	/* no session */

#endif
