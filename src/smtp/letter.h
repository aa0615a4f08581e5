/* One message on its way to one server, and what became of its recipients. */
#ifndef SMTP_LETTER_H
#define SMTP_LETTER_H

#include "wire/envelope.h"
#include "wire/record.h"
#include "wire/reply.h"

/* What became of one recipient. */
struct outcome {
	enum fate fate;		/* FATE_NONE: not asked yet */
	int code;		/* the reply's; 0: none came */
	char status[12];	/* x.y.z, made up from the code when not said */
	char *text;		/* owned; the reply's words or ours */
	bool again;		/* 452 behind accepted ones: too many at once;
				   another transaction may take it */
};

/* One message to send.  What it points at is the caller's. */
struct letter {
	const struct envelope *env;	/* its recipients with `selected` */
	int64_t size;		/* for SIZE=; -1 */
	struct outcome *met;	/* one for each recipient of env */
	size_t accepted;	/* recipients accepted in this transaction */
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

void letter_free_met(struct letter *);

#endif
