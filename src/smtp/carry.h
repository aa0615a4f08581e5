/*
 * Several SMTP sessions of a client, `near', made one with a server, `far' (RFC 5321);
 * without hands.
 *
 * Far is greeted once, by us; near's greeting, EHLO, QUIT and RSET are answered here, the
 * first two with what far offers and we carry.  A RSET goes to far before each MAIL but
 * the first.  Recipients outside of the domains get a 450 and are not told to far.  All
 * else goes through with its pipelining, replies in order.  The text passes as it is, but
 * that a CR or LF alone is made CRLF: to far it could be the end of the text; within BDAT,
 * where the end is counted, nothing is changed.
 *
 * Bounded: nothing is taken from either side while CARRY_HELD octets wait for the other
 * one, or CARRY_DUE replies for far.
 */
#ifndef SMTP_CARRY_H
#define SMTP_CARRY_H

#include "base/vec.h"
#include "wire/ehlo.h"

#define CARRY_LINE 4096		/* octets of a command */
#define CARRY_HELD 65536
#define CARRY_DUE 1000

/* A reply that is due. */
enum due {
	DUE_LOCAL,		/* to near; its text is there */
	DUE_GREETING, DUE_EHLO, DUE_HELO, DUE_RESET, DUE_QUIT,	/* to us */
	DUE_MAIL, DUE_RCPT, DUE_DATA, DUE_CHUNK, DUE_END,	/* to near, from far */
};

struct owed {
	enum due what;
	bool ready;
	struct buf text;
};

struct carry {
	struct buf to_far, to_near;	/* to be sent, then buf_drop() */
	bool ready;		/* far has greeted us */
	bool parted;		/* far has answered QUIT */
	bool session;		/* between carry_begin() and carry_end() */
	bool over;		/* near's session: nothing more is heard */
	bool dismissed;		/* and nothing more is said */
	size_t answers;		/* of far, ever */
	size_t messages, refused;

	/* its own */
	const char *name;
	struct span domains;
	struct ehlo offers;
	char *called;		/* far's name, for near */
	struct buf in, heard;	/* of near, of far: not looked at */
	VEC(struct owed) owed;
	bool waits;		/* for far's answer to DATA */
	bool open;		/* near's MAIL went to far */
	bool utf8;		/* with SMTPUTF8 */
	bool dirty;		/* far had a MAIL since the last RSET */
	size_t rcpts;		/* that went to far */
	enum { CARRY_COMMAND, CARRY_TEXT, CARRY_CHUNK, CARRY_DROP } in_what;
	enum { AT_START, AT_BARE_START, AT_WITHIN, AT_CR, AT_DOT, AT_DOT_CR } at;
	uint64_t left;		/* of the chunk */
};

/* Both strings are borrowed; domains: nodes, a blank between. */
void carry_start(struct carry *, const char *name, struct span domains);

/*
 * What far said.  0; -1: 75 it said 421, did not greet us or knows neither EHLO nor HELO,
 * or the text that it asks for has nobody to send it; 76.  Nothing goes on after that:
 * carry_lost().
 */
int carry_far(struct carry *, struct span, struct err *);

/* A session of near's begins: only while carry_is_free(). */
void carry_begin(struct carry *);
void carry_near(struct carry *, struct span);

/*
 * Near's session is over, closed or not.  What far owes is waited for and dropped.  -1:
 * 75, it was within a text: far has to be left without its end.
 */
int carry_end(struct carry *, struct err *);

/* Is all answered, and no session open? */
bool carry_is_free(const struct carry *);

/* Should nothing be read from near, from far? */
bool carry_near_full(const struct carry *);
bool carry_far_full(const struct carry *);

/* Has near had all it can get, so that it may be closed? */
bool carry_near_over(const struct carry *);

/* Near has said all it will: is there nothing more to do with it? */
bool carry_near_done(const struct carry *);

/* How long far may take for what it owes next, in ms (RFC 5321 section 4.5.3.2); 0: nothing. */
int64_t carry_patience(const struct carry *);

/* Near's session ends by a 421 with this text. */
void carry_dismiss(struct carry *, const char *text);

/* QUIT to far: only while carry_is_free(). */
void carry_quit(struct carry *);

void carry_free(struct carry *);

#endif
