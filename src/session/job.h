/*
 * One message for one destination, from the record that asked for it to the fate
 * of its last recipient.
 */
#ifndef SESSION_JOB_H
#define SESSION_JOB_H

#include "session/window.h"
#include "smtp/letter.h"
#include "spool/body.h"
#include "wire/survey.h"

struct dest;

/* How a text is dealt with that the server cannot take as it is. */
struct job_rules {
	bool repair;		/* made fit (spool/mend.h); otherwise refused (65) */
	bool seven_bit;		/* as if 8BITMIME were not offered */
	bool eight_bit;		/* BODY=8BITMIME although it need not be */
};

struct job {
	char *ref;		/* as the record named it; owned */
	struct envelope env;	/* whom it is for: those `selected` */
	char **named;		/* each recipient as the record spelled it */
	struct body body;	/* owned */
	bool smtputf8;		/* the envelope asks for it, whatever the text */
	bool stream;		/* can be read once only; its size is not known */
	struct dest *dest;
	struct letter letter;

	bool looked;		/* the text, through: */
	struct survey survey, twice;	/* and when it is read again */
	struct buf text;	/* all of it, when it is small */
	bool whole;
	struct span rest;	/* of the piece that is being given away */
	size_t at;		/* octets of `text` given away */

	unsigned tries;		/* sessions that ended at it */
	struct flight flight;
	struct job *next;
};

/* Takes the envelope and the body, which are left empty.  To be freed. */
struct job *job_new(const char *ref, struct envelope *, struct body *);
void job_free(struct job *);

/*
 * Can it be said to this server?  Recipients and texts that cannot get their fate:
 * 65 a line over 998 octets, a CR or LF alone, octets over 0x7f without 8BITMIME, an
 * address that cannot be said; 69 larger than the server's SIZE (5.3.4), SMTPUTF8
 * needed and not offered (5.6.7); where it is the server that falls short, by its name.
 * True: somebody is left to send it to.
 */
bool job_fits(struct job *, const struct ehlo *, const struct job_rules *,
    const char *server);

/*
 * The next piece of its text: 1, good until the next call; 0 at the end; -1.
 * job_fits() goes back to the first.
 */
int job_piece(struct job *, struct span *, struct err *);

/* Whoever was not tried, though the session ended, is as new. */
bool job_untried(const struct job *);
void job_retry(struct job *);

void job_defer(struct job *, const char *status, const char *text);

/* The exit class of one outcome: 0, 75, 67, 77, 65, 69. */
int outcome_status(const struct outcome *);

#endif
