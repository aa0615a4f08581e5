/*
 * What the two halves of turn-server say to each other: one note, one packet, over a
 * socketpair that keeps packets apart.
 */
#ifndef SESSION_NOTE_H
#define SESSION_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define NOTE_MOST 65536		/* octets of a note */

enum note_what {
	/* The half that talks to the peer asks; each is answered by one note. */
	NOTE_AUTH,		/* text: the mechanism; more: the initial response; extra:
				   names of a verified certificate */
	NOTE_BINDING,		/* not answered, in front of NOTE_AUTH: text: tls-exporter,
				   more: tls-unique */
	NOTE_ANSWER,		/* more */
	NOTE_CANCEL,		/* not answered: the exchange is given up */
	NOTE_FORGET,		/* not answered: TLS begins, nobody is known */
	NOTE_ETRN, NOTE_ATRN,	/* text: the argument */
	NOTE_TURN,
	NOTE_LOG,		/* text; not answered */

	/* The half with the rights says. */
	NOTE_HELLO,		/* text, more: mechanisms in the clear and in TLS */
	NOTE_SAY,		/* code, status, text: the reply */
	NOTE_CHALLENGE,		/* text: base64 */
	NOTE_DRAIN,		/* code, status, text; fd: of the one who is the client now */
	NOTE_SPLICE,		/* likewise; fd: listens for the MTA; more: the customer's
				   domains, a blank between; extra: how many messages
				   wait */
};

struct note {
	enum note_what what;
	int code;
	bool has_more, encrypted;
	char status[12];
	struct buf text, more, extra;
	int fd;			/* -1: none */
};

void note_init(struct note *, enum note_what);
void note_free(struct note *);	/* wiped; fd is closed */

/* fd stays the caller's.  0; -1 (75): the other half is gone. */
int note_send(int to, const struct note *, struct err *);

/* Into a note that holds nothing.  1; 0 the other half is gone; -1: 75 time is over, a
   signal came; 70 it is no note. */
int note_hear(int from, struct note *, int64_t deadline, struct err *);

#endif
