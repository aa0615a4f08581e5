/*
 * The client's side of an SMTP session (RFC 5321), without hands: bytes come in
 * by client_feed(), bytes for the server stand in `out`, and `want` says what
 * is needed next.
 *
 *	client_start(&c, "gw.customer.test", 0);
 *	while (c.want != WANT_NOTHING) {
 *		if (client_takes_mail(&c))
 *			client_mail(), when there is a message
 *		if (c.want == WANT_WORK)
 *			client_etrn() or client_starttls() or client_quit() ...
 *		else if (c.want == WANT_TEXT)
 *			client_text() ..., client_text_end()
 *		else
 *			send c.out, client_sent(); hear, client_feed(); on loss
 *			client_lost()
 *	}
 *
 * With PIPELINING and CHUNKING messages follow each other while replies are
 * awaited; with PIPELINING alone the next one's commands go behind the text of
 * the one before; otherwise one command is said at a time.  `under_way` of a
 * letter says when its last reply has come; they end in the order they began.
 */
#ifndef SMTP_CLIENT_H
#define SMTP_CLIENT_H

#include "base/vec.h"
#include "smtp/letter.h"
#include "wire/ehlo.h"
#include "wire/reply.h"

enum want {
	WANT_BYTES,		/* `out` sent, the reply heard */
	WANT_WORK,		/* nothing under way: the next request, or QUIT */
	WANT_TEXT,		/* the text of `texting` */
	WANT_TLS,		/* 220 to STARTTLS: shake hands, client_encrypted() */
	WANT_ANSWER,		/* 334 to AUTH, the challenge in `said` */
	WANT_TURN,		/* 250 to ATRN or TURN: we are the server now */
	WANT_NOTHING,		/* it is over */
};

enum verb {
	V_GREETING, V_EHLO, V_HELO, V_LHLO, V_STARTTLS, V_AUTH, V_ANSWER, V_RSET,
	V_MAIL, V_RCPT, V_DATA, V_TEXT, V_BDAT, V_ETRN, V_ATRN, V_TURN,
	V_QUIT, V_LAST
};

struct asked {
	enum verb verb;
	struct letter *letter;	/* of a transaction's commands */
	size_t rcpt;
	bool last;		/* BDAT with LAST */
};

enum {
	CLIENT_HELO = 1,	/* never EHLO: the server hung up on it */
	CLIENT_LMTP = 2,	/* RFC 2033 */
	CLIENT_NO_CHUNKING = 4,	/* DATA although CHUNKING is offered */
};

#define CLIENT_CHUNK (1 << 20)	/* octets in one BDAT at most */

struct client {
	enum want want;
	struct buf out;		/* take from it with client_sent() */
	struct ehlo server;	/* of the last EHLO */
	struct reply said;	/* the last reply */
	enum verb said_to;	/* to what */
	bool greeted;		/* EHLO, HELO or LHLO was accepted */
	bool goodbye;		/* the last reply refused a RSET: what the server
				   hung up after it, it has not done */
	struct letter *texting;	/* whose text is due */
	size_t replies;		/* heard so far */
	size_t accepted;	/* messages of which somebody was accepted */
	size_t mails;		/* transactions begun in this session */

	struct buf in;
	char *helo;
	unsigned flags;
	const char *node;	/* ETRN's or ATRN's, borrowed */
	struct buf line;	/* AUTH's, wiped when it was said */
	VEC(struct asked) asked;
	size_t sent, answered;	/* of asked */
	uint64_t taken;		/* octets the driver has taken */
	int64_t text_said;	/* octets of the text under way */
	size_t chunk_left;	/* of the BDAT under way */
	bool last_chunk;	/* that was announced as the LAST */
	bool bol;
};

void client_start(struct client *, const char *helo, unsigned flags);

/*
 * Takes what the server sent.  0; -1 (76 the protocol is broken, 75 a refusing
 * greeting or 421, or octets behind the reply to STARTTLS): the session is over,
 * every letter under way has ended.
 */
int client_feed(struct client *, struct span, struct err *);

/* So many octets of `out` were taken. */
void client_sent(struct client *, size_t);

/*
 * The connection is gone: `why` becomes the text of what was unanswered; where the
 * text's last octet was taken and its reply has not come, it begins `possible
 * duplicate:`.  `closed`: the server hung up in good order, so that after a refusal
 * (`goodbye`) nothing is in doubt.
 */
#define CLIENT_DOUBT "possible duplicate: "
void client_lost(struct client *, const char *why, bool closed);

/* May client_mail() be called now?  Also with WANT_BYTES, when pipelining. */
bool client_takes_mail(const struct client *);

/* A transaction for all selected recipients without a fate, within LIMITS. */
void client_mail(struct client *, struct letter *);

/*
 * With WANT_TEXT: a piece in wire form; then its end.  False: not as long as the
 * letter's size said: it is another text now, and drop the connection.
 */
bool client_text(struct client *, struct span);
bool client_text_end(struct client *);

/*
 * With WANT_TEXT: does the text go as it is (BDAT)?  Then of the next `n` octets
 * so many may go right behind `out`, without a copy: once `out` was taken whole
 * they are counted by client_beside().  0: too long, as above.
 */
bool client_text_plain(const struct client *);
size_t client_chunk(struct client *, size_t n);
void client_beside(struct client *, size_t n);

/* With WANT_TEXT: nobody is left to get it, and it can be given up here. */
bool client_text_useless(const struct client *);
void client_text_give_up(struct client *);

/* With WANT_WORK; the reply stands in `said` when WANT_WORK comes again. */
void client_etrn(struct client *, const char *node);
/*
 * The roles are to be swapped: RFC 2645 (domains with commas between; NULL: all that
 * are ours) and RFC 821 section 3.8.  250 brings WANT_TURN, with which this engine has
 * ended: whatever the peer said behind that reply stays in `in`, for the server's.
 */
void client_atrn(struct client *, const char *domains);
void client_turn(struct client *);
void client_rset(struct client *);
void client_quit(struct client *);
void client_starttls(struct client *);
void client_encrypted(struct client *);	/* with WANT_TLS; says EHLO again */
/* initial: base64, or empty.  A 334 brings WANT_ANSWER. */
void client_auth(struct client *, const char *mechanism, struct span initial);
void client_answer(struct client *, struct span base64);

/* MAIL and RCPT alone, to see what is said to them; no text follows. */
void client_try(struct client *, struct letter *, bool rcpt_too);

/*
 * A transaction whose recipients become known one by one, each answered before the
 * text: behind client_try(.., false), with WANT_WORK or WANT_BYTES, one more recipient
 * of the letter (its fate stands in letter->met, a code without a fate where it was
 * accepted), and then, with WANT_WORK and somebody accepted, the text.
 */
void client_rcpt(struct client *, struct letter *, size_t rcpt);
void client_go_on(struct client *, struct letter *);

/* More commands into `out` when they were too many for it at once. */
void client_speak(struct client *);

/* How long the reply that is due may take, in seconds: RFC 5321 section 4.5.3.2. */
int client_patience(const struct client *);

/* The command a reply is awaited for: `RCPT`; for messages. */
const char *client_stage(const struct client *);

void client_free(struct client *);

#endif
