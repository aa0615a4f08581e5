/*
 * The server's side of an SMTP session (RFC 5321), without hands: bytes come in by
 * receiver_feed(), replies stand in `out', and whoever drives it is asked what it
 * cannot decide: whether a sender, a recipient, a whole text is taken, who somebody
 * is, whether the roles are swapped.
 *
 *	receiver_start(&r, &terms);
 *	while (r.want != RECEIVER_OVER) {
 *		while ((q = receiver_ask(&r)) != NULL)
 *			deal with it; now or later, in any order, receiver_say()
 *		if (r.out.n > 0)
 *			send it, buf_drop(&r.out, n)
 *		else if (r.want == RECEIVER_TLS)
 *			shake hands, receiver_encrypted()
 *		else if (r.want == RECEIVER_TURN)
 *			we are the client now: smtp/client.h
 *		else if (!receiver_full(&r))
 *			hear, receiver_feed()
 *	}
 *
 * Replies go out in the order of the commands.  A transaction's commands are answered
 * before its text is asked for; the verdict on a text may wait while the next
 * transaction begins, so that several can be made safe together.
 *
 * Bounded whatever the peer does: a line has RECEIVER_LINE octets (in AUTH
 * RECEIVER_AUTH_LINE), and nothing is read while RECEIVER_HELD octets of text or
 * RECEIVER_OPEN questions wait for the driver.
 */
#ifndef SMTP_RECEIVER_H
#define SMTP_RECEIVER_H

#include "base/vec.h"
#include "wire/arguments.h"
#include "wire/ehlo.h"
#include "wire/envelope.h"

#define RECEIVER_LINE 4096	/* RFC 5321 section 4.5.3.1.4 asks for 512 */
#define RECEIVER_AUTH_LINE 12288	/* RFC 4954 section 4 */
#define RECEIVER_HELD 262144
#define RECEIVER_OPEN 2000
#define RECEIVER_BAD 10		/* bad commands until the peer is sent away */
#define RECEIVER_IDLE 100	/* NOOPs and the like, likewise, since the last MAIL */

/* What the peer is offered; it may change with TLS and AUTH.  Borrowed. */
struct receiver_terms {
	const char *name;	/* ours */
	/*
	 * EXT_ bits, in EHLO and obeyed; what is not among them is refused.
	 * 8BITMIME, CHUNKING, DSN, ENHANCEDSTATUSCODES, PIPELINING, SIZE, SMTPUTF8,
	 * LIMITS; STARTTLS, AUTH, ETRN, ATRN.
	 */
	unsigned offers;
	bool turn;		/* TURN, which has no bit */
	bool mail;		/* false: MAIL, RCPT, DATA, BDAT get a 502 */
	const char *mechanisms;	/* for AUTH, a blank between them */
	int64_t max_size;	/* octets of a text; 0: any */
	size_t max_rcpts;	/* of a transaction; more get 452 4.5.3 */
};

enum receiver_want {
	RECEIVER_BYTES,		/* `out' sent, more heard */
	RECEIVER_TLS,		/* 220 to STARTTLS: once `out' is sent */
	RECEIVER_TURN,		/* 250 to ATRN or TURN: likewise */
	RECEIVER_OVER,		/* likewise: close */
};

enum about {
	ABOUT_MAIL,		/* env: sender and parameters; size */
	ABOUT_RCPT,		/* env.rcpts.p[0] */
	ABOUT_TEXT,		/* `text': the next piece, lines ended by CRLF (a last
				   one may lack it, behind BDAT), dots not doubled */
	ABOUT_END,		/* that was all of it: its fate */
	ABOUT_FORGET,		/* this transaction comes to nothing; `why': its text
				   is refused */
	ABOUT_AUTH,		/* `text': the mechanism in capitals; `more', if
				   has_more: the initial response, base64 (or `=') */
	ABOUT_ANSWER,		/* `text': base64, behind receiver_challenge() */
	ABOUT_CANCEL,		/* the peer gave AUTH up */
	ABOUT_ETRN, ABOUT_ATRN,	/* `text': the argument as it was said; ATRN's may
				   be empty */
	ABOUT_TURN,
	ABOUT_REFUSED,		/* told: a message was not let in, and `why'; or of
				   its recipients the one in `text', which may be
				   no address at all */
};

/* What it holds is the engine's, but may be moved out and left {0}. */
struct question {
	enum about about;
	unsigned token;		/* for receiver_say(); 0: no reply is due */
	unsigned transaction;	/* each has another; 0: it is not about one */
	struct envelope env;
	int64_t size;		/* as MAIL declared it; -1 */
	struct buf text, more;
	bool has_more;
	struct complaint why;	/* what the peer hears; code 0: nothing was wrong */
};

/* A reply that is not sent yet. */
struct answer {
	unsigned token;		/* 0: nobody is asked */
	enum about about;
	unsigned transaction;
	bool ready;
	struct buf text;
};

/* Why a text is swallowed. */
enum spoilt { SPOILT_NOT, SPOILT_BARE, SPOILT_SIZE, SPOILT_ORDER };

struct receiver {
	enum receiver_want want;
	struct buf out;
	bool greeted;		/* EHLO or HELO was said */
	bool extended;		/* EHLO */
	bool authenticated;	/* 235 was said */
	bool encrypted;		/* by STARTTLS */
	bool quit;		/* the peer has said QUIT */
	char *helo;		/* the peer's name, as it said it; NULL */

	const struct receiver_terms *terms;
	struct buf in;
	enum receiver_want then;	/* when all is answered */
	bool stop;		/* no command is looked at any more */
	bool alone;		/* none before the one that was asked is answered */
	int bad, idle;
	struct question now;	/* the one the driver has */
	VEC(struct question) questions;
	size_t asked;		/* of these, given to the driver */
	size_t held;		/* octets of text among the others */
	VEC(struct answer) answers;
	size_t said;		/* of these, in `out' */
	unsigned token;		/* the last one */

	/* the transaction */
	bool open;		/* MAIL was not refused */
	bool utf8;		/* with SMTPUTF8 */
	unsigned transaction, undecided;
	size_t rcpts, accepted;
	enum { IN_COMMAND, IN_AUTH, IN_DATA, IN_CHUNK } in_what;
	enum { AT_LINE, AT_DOT, AT_DOT_CR, AT_MIDDLE, AT_CR } at;
	bool chunked;		/* some BDAT came */
	bool last;		/* this chunk is the last one */
	uint64_t left;		/* of this chunk */
	int64_t octets;		/* of the text so far */
	enum spoilt spoilt;
};

/* Begins with the greeting in `out'. */
void receiver_start(struct receiver *, const struct receiver_terms *);

/* Takes what the peer sent. */
void receiver_feed(struct receiver *, struct span);

/* Is there enough to do without hearing more? */
bool receiver_full(const struct receiver *);

/* The next one, good until the next call; NULL. */
struct question *receiver_ask(struct receiver *);

/*
 * Answers one.  `status' may be NULL: without an enhanced code, as with 3xx.  Octets
 * of `text' that do not belong into a reply are made `?', a LF begins another line, and
 * of a line that would have more than 512 the rest is left out.
 * 235 to ABOUT_AUTH or ABOUT_ANSWER: somebody is known now.  250 to ABOUT_ATRN or
 * ABOUT_TURN: the turn, unless the peer has said more behind it, which nobody may
 * (RFC 2645 section 5.2.1): then the session ends with a 503.
 */
void receiver_say(struct receiver *, unsigned token, int code, const char *status,
    const char *text);

/* AUTH goes on: 334 with this base64; ABOUT_ANSWER or ABOUT_CANCEL follows. */
void receiver_challenge(struct receiver *, unsigned token, struct span base64);

/* With RECEIVER_TLS: all that was said in the clear is forgotten (RFC 3207). */
void receiver_encrypted(struct receiver *, const struct receiver_terms *);

/* Other terms from the next command on. */
void receiver_change(struct receiver *, const struct receiver_terms *);

/* 421 with this text, and it is over; what was asked is not answered any more. */
void receiver_dismiss(struct receiver *, const char *text);

/* The peer is gone: ABOUT_FORGET for a transaction that has no end; RECEIVER_OVER. */
void receiver_lost(struct receiver *);

/* Is a text under way, or a verdict on one due? */
bool receiver_busy(const struct receiver *);

void receiver_free(struct receiver *);

#endif
