/*
 * The client's side of an SMTP session (RFC 5321), without hands: bytes come in
 * by client_feed(), bytes for the server stand in `out`, and `want` says what
 * is needed next.
 *
 *	client_start(&c, "gw.customer.test", 0);
 *	while (c.want != WANT_NOTHING) {
 *		if (c.want == WANT_WORK)
 *			client_mail() or client_etrn() or client_quit()
 *		else if (c.want == WANT_TEXT)
 *			client_text() ..., client_text_end()
 *		else
 *			send c.out, hear, client_feed(); on loss client_lost()
 *	}
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
	WANT_TEXT,		/* 354: the message's text */
	WANT_NOTHING,		/* it is over */
};

enum verb {
	V_GREETING, V_EHLO, V_HELO, V_RSET, V_MAIL, V_RCPT, V_DATA, V_TEXT,
	V_ETRN, V_QUIT, V_LAST
};

struct asked {
	enum verb verb;
	size_t rcpt;
};

enum { CLIENT_HELO = 1 };	/* never EHLO: the server hung up on it */

struct client {
	enum want want;
	struct buf out;
	struct ehlo server;	/* of the last EHLO */
	struct reply said;	/* the last reply */
	enum verb said_to;	/* to what */
	bool greeted;		/* EHLO or HELO was accepted */
	bool text_out;		/* octets of a text are on their way, and its
				   reply has not come: nobody knows */

	struct buf in;
	char *helo;
	unsigned flags;
	struct letter *letter;	/* under way; NULL */
	const char *node;	/* ETRN's, borrowed */
	VEC(struct asked) asked;
	size_t sent, answered;	/* of asked */
	size_t mails;		/* transactions begun in this session */
	bool bol;
	bool useless;		/* 354 although no recipient was accepted */
	bool stray;		/* a recipient was accepted behind a refused RSET
				   or MAIL: in whose transaction? */
};

void client_start(struct client *, const char *helo, unsigned flags);

/*
 * Takes what the server sent.  0; -1 (76 the protocol is broken, 75 a refusing
 * greeting or 421): the session is over, what was unanswered is deferred.
 */
int client_feed(struct client *, struct span, struct err *);

/*
 * The connection is gone: `why` becomes the text of what was unanswered; behind
 * the text's last octet it begins `possible duplicate:`.
 */
#define CLIENT_DOUBT "possible duplicate: "
void client_lost(struct client *, const char *why);

/*
 * With WANT_WORK.  A transaction for all selected recipients without a fate; it
 * is over when WANT_WORK comes again (or WANT_NOTHING).
 */
void client_mail(struct client *, struct letter *);
void client_etrn(struct client *, const char *node);	/* reply in `said` */
void client_quit(struct client *);

/* With WANT_TEXT: a piece in wire form; then its end. */
void client_text(struct client *, struct span);
void client_text_end(struct client *);

/* More commands into `out` when they were too many for it at once. */
void client_speak(struct client *);

/* How long the reply that is due may take, in seconds: RFC 5321 section 4.5.3.2. */
int client_patience(const struct client *);

/* The command a reply is awaited for: `RCPT`; for messages. */
const char *client_stage(const struct client *);

void client_free(struct client *);

#endif
