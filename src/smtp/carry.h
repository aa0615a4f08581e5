/*
 * Several sessions of a client, `near', made one with a server, `far' (RFC 5321); without
 * hands.
 *
 * Far is greeted once, by us; near's greeting, EHLO, QUIT and RSET are answered here, the
 * first two with what far offers and we carry.  A RSET goes to far before each MAIL but
 * the first.  Recipients outside of the domains get a 450 and are not told to far.  The
 * text passes as it is, but that a CR or LF alone is made CRLF: to far it could be the end
 * of the text.
 *
 * Near speaks SMTP: all else goes through with its pipelining, replies in order; within
 * BDAT, where the end is counted, nothing is changed.  Far is his until he goes; others
 * wait.
 *
 * Near speaks LMTP (RFC 2033): several do at the same time.  Sender and recipients are
 * kept here, and taken; when its turn has come it is asked for the text, and far is told
 * all of it at once, as BDAT where that is offered together with PIPELINING, so that the
 * next one's turn comes before far has said anything.  What far says is each recipient's
 * reply behind the text.  Far's line is kept busy, and near waits for nothing but that.
 *
 * Bounded: nothing is taken from either side while CARRY_HELD octets wait for the other
 * one, or CARRY_DUE replies for far.
 */
#ifndef SMTP_CARRY_H
#define SMTP_CARRY_H

#include "base/vec.h"
#include "wire/ehlo.h"
#include "wire/envelope.h"

#define CARRY_LINE 4096		/* octets of a command */
#define CARRY_HELD 65536
#define CARRY_DUE 1000
#define CARRY_RCPTS 1000	/* of a message, LMTP */

/* A reply that is due. */
enum due {
	DUE_LOCAL,		/* to near; its text is there */
	DUE_GREETING, DUE_EHLO, DUE_HELO, DUE_RESET, DUE_QUIT,	/* to us */
	DUE_MAIL, DUE_RCPT, DUE_DATA, DUE_CHUNK, DUE_END,	/* to near, from far */
};

struct owed {
	enum due what;
	bool ready;
	struct carry_near *to;	/* NULL: us, or somebody who is gone */
	size_t nth;		/* LMTP: which recipient */
	struct buf text;
};

/* A session of near's, between carry_begin() and carry_end(). */
struct carry_near {
	struct buf to_near;	/* to be sent, then buf_drop() */
	bool over;		/* nothing more is heard */
	bool dismissed;		/* and nothing more is said */

	/* its own */
	struct buf in;		/* not looked at */
	bool lmtp;
	size_t ticket;		/* waits for far, the lowest first; 0: does not */
	bool waits;		/* for far's answer to DATA */
	bool open;		/* there is a sender; SMTP: far has heard of it */
	bool utf8;		/* with SMTPUTF8 */
	size_t rcpts;		/* that went to far */
	enum { CARRY_COMMAND, CARRY_TEXT, CARRY_CHUNK, CARRY_DROP } in_what;
	enum { AT_START, AT_BARE_START, AT_WITHIN, AT_CR, AT_DOT, AT_DOT_CR } at;
	uint64_t left;		/* of the chunk */

	/* LMTP */
	struct envelope v;
	int64_t size;		/* as MAIL said; -1 */
	VEC(struct buf) said;	/* to each recipient, if it was a no */
	size_t told;		/* commands of it that far was told */
	struct buf chunk;	/* text that far was not told */
	bool useless;		/* nobody will get it: it is read over */
	bool judged;		/* is told everything; far's verdict is awaited */
};

struct carry {
	struct buf to_far;	/* to be sent, then buf_drop() */
	bool ready;		/* far has greeted us */
	bool parted;		/* far has answered QUIT */
	size_t answers;		/* of far, ever */
	size_t messages, refused;

	/* its own */
	const char *name;
	struct span domains;
	struct ehlo offers;
	char *called;		/* far's name, for near */
	struct buf heard;	/* of far: not looked at */
	VEC(struct owed) owed;
	VEC(struct carry_near *) nears;
	struct carry_near *holder;	/* whose turn it is with far; NULL */
	size_t tickets;		/* ever drawn */
	bool dirty;		/* far had a MAIL since the last RSET */
};

/* Both strings are borrowed; domains: nodes, a blank between. */
void carry_start(struct carry *, const char *name, struct span domains);

/*
 * What far said.  0; -1: 75 it said 421, did not greet us or knows neither EHLO nor HELO,
 * or the text that it asks for has nobody to send it; 76.  Nothing goes on after that.
 */
int carry_far(struct carry *, struct span, struct err *);

/* A session of near's begins: only while `ready'.  It stays where it is until its end. */
void carry_begin(struct carry *, struct carry_near *);
void carry_near(struct carry *, struct carry_near *, struct span);

/* What waited for room can go on: some of to_far or of a to_near was sent. */
void carry_go_on(struct carry *);

/*
 * Near's session is over, closed or not; what it held is freed.  What far owes is waited
 * for and dropped.  -1: 75, it was within a text: far has to be left without its end.
 */
int carry_end(struct carry *, struct carry_near *, struct err *);

/* Is all answered, and no session open? */
bool carry_is_free(const struct carry *);

/* Sessions may be open, but is nothing under way in any of them? */
bool carry_rests(const struct carry *);

/* Should nothing be read from near, from far? */
bool carry_near_full(const struct carry_near *);
bool carry_far_full(const struct carry *);

/* Has near had all it can get, so that it may be closed? */
bool carry_near_over(const struct carry *, const struct carry_near *);

/* Near has said all it will: is there nothing more to do with it? */
bool carry_near_done(const struct carry *, const struct carry_near *);

/* Is near kept waiting, by far or by others? */
bool carry_near_waits(const struct carry *, const struct carry_near *);

/* Near may have to wait longer than it likes: a part of a reply, if one is due. */
void carry_keep(const struct carry *, struct carry_near *);

/* How long far may take for what it owes next, in ms (RFC 5321 section 4.5.3.2); 0: nothing. */
int64_t carry_patience(const struct carry *);

/* Near's session ends by a 421 with this text. */
void carry_dismiss(struct carry_near *, const char *text);

/* QUIT to far: only while carry_is_free(). */
void carry_quit(struct carry *);

void carry_free(struct carry *);

#endif
