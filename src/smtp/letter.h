/* One message on its way to one server, and what became of its recipients. */
#ifndef SMTP_LETTER_H
#define SMTP_LETTER_H

#include "wire/ehlo.h"
#include "wire/envelope.h"
#include "wire/record.h"
#include "wire/reply.h"

/* What became of one recipient. */
struct outcome {
	enum fate fate;		/* FATE_NONE: not asked yet */
	int code;		/* the reply's; 0: none came */
	char status[12];	/* x.y.z, made up from the code when not said */
	char *text;		/* owned; the reply's words or ours */
	bool again;		/* 452 behind accepted ones, or over the server's
				   LIMITS: another transaction may take it */
	bool untried;		/* deferred because the session ended: the server
				   has not taken it, another session may try */
	bool stray;		/* accepted behind a refused RSET or MAIL */
};

/* One message to send.  What it points at is the caller's. */
struct letter {
	const struct envelope *env;	/* its recipients with `selected` */
	int64_t size;		/* for SIZE= and BDAT; -1: not known */
	struct outcome *met;	/* one for each recipient of env */

	/* of this transaction; the engine's */
	size_t accepted;	/* recipients accepted */
	size_t open;		/* commands not answered yet */
	bool under_way;		/* from client_mail() to its last reply */
	bool lost;		/* the session ended before its last reply */
	bool text_said;		/* its last octet stands in `out` */
	bool useless;		/* a text for nobody: its verdict means nothing */
	bool stray;		/* some recipient is: in whose transaction? */
	uint64_t end;		/* where that octet is in all that was said */
	int mail_code;		/* the reply to MAIL; 0: none yet */
};

/* Takes `text`. */
void outcome_set(struct outcome *, enum fate, int code, const char *status,
    char *text);

/* A 4xx is deferred and a 5xx failed; without an enhanced code, x.0.0. */
void outcome_refused(struct outcome *, const struct reply *);

/* Is it selected, pending, without a fate and not for another transaction? */
bool letter_means(const struct letter *, size_t rcpt);

/* Each gives everybody meant this fate. */
void letter_all(struct letter *, enum fate, const char *status,
    const char *text);
void letter_refused(struct letter *, const struct reply *);
void letter_accepted(struct letter *, const struct reply *, bool dsn_offered);

/* LMTP: the verdict on the next accepted one (RFC 2033 section 4.2). */
void letter_verdict(struct letter *, const struct reply *, bool dsn_offered);
bool letter_awaits_verdict(const struct letter *);

/*
 * The session ended before its end.  In doubt: the text's last octet had gone.
 * Otherwise everybody meant, and who was to have another transaction, is
 * `untried`.
 */
void letter_lost(struct letter *, bool in_doubt, const char *status,
    const char *why);

/* Who is stray has no fate again: the server may have sent it all the same. */
void letter_stray(struct letter *);

/* Who is over the server's LIMITS (RFC 9422) is to have another transaction. */
void letter_limit(struct letter *, const struct ehlo *);

void letter_free_met(struct letter *);

#endif
