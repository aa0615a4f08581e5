/* Who a message is from and for, with what RFC 3461 (DSN) adds. */
#ifndef WIRE_ENVELOPE_H
#define WIRE_ENVELOPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"

/*
 * More recipients than any MTA puts into one queue file (Exim refuses its own from
 * 50,000 on): what has more is damaged or was made to fill our memory.
 */
#define ENVELOPE_RCPTS_MAX 250000

/* NOTIFY, RFC 3461 section 4.1; 0: not said */
enum { NOTIFY_NEVER = 1, NOTIFY_SUCCESS = 2, NOTIFY_FAILURE = 4, NOTIFY_DELAY = 8 };

/* RET, RFC 3461 section 4.3 */
enum ret { RET_NONE, RET_FULL, RET_HDRS };

/* What the queue says of the text (RFC 6152); a sender may have to look. */
enum body_type { BODY_UNKNOWN, BODY_7BIT, BODY_8BITMIME };

struct rcpt {
	char *address;		/* a mailbox as on the wire, quoted, without <> */
	char *orcpt;		/* `rfc822;ann@x`, decoded; NULL */
	unsigned notify;
	bool done;		/* nothing is left to do for it */
	bool selected;		/* meant by the selection or the record */
	char *reason;		/* why it waits, in the MTA's words; NULL */
	char *status;		/* `4.2.0`; NULL */
	int64_t offset;		/* the reader's own: where it stands in the file */
};

/* Everything in it is owned; envelope_free() leaves it empty. */
struct envelope {
	char *sender;		/* "" is the null sender; NULL is none known */
	char *envid;		/* decoded; NULL */
	enum ret ret;
	enum body_type body;
	bool smtputf8;		/* the message needs it, whoever it goes to; an
				   address that does is seen when it is said */
	VEC(struct rcpt) rcpts;
	bool crowded;		/* there were more recipients: it is not whole */
};

struct rcpt *envelope_add(struct envelope *, char *address);	/* takes it */

/*
 * The same of a queue file, from which no more than ENVELOPE_RCPTS_MAX are taken: one
 * more makes the envelope crowded and takes the place of the last.
 */
struct rcpt *envelope_read(struct envelope *, char *address);

/* 0; -1 (65) when it is crowded: who reads a queue file asks before he believes it. */
int envelope_whole(const struct envelope *, struct err *);

void envelope_free(struct envelope *);

#endif
