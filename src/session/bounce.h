/* Telling a sender that his message failed, by the local `sendmail'. */
#ifndef SESSION_BOUNCE_H
#define SESSION_BOUNCE_H

#include "spool/spool.h"

/* A recipient that failed, and why; a VEC of them.  Owned strings. */
struct failing {
	size_t rcpt;		/* index in the message */
	char *status, *text;
	int64_t attempted;	/* seconds since the epoch; 0 unknown */
};

struct failings { struct failing *p; size_t n, room; };

void failings_add(struct failings *, size_t rcpt, const struct result *,
    int64_t attempted);
void failings_free(struct failings *);

/*
 * Is anybody to be told that it failed for this recipient?  Not a null or unknown
 * sender (RFC 5321 section 6.1), nor one who asked for no such report.
 */
bool bounce_is_due(const struct message *, size_t rcpt);

/*
 * Appends one report about them; `text` is the message, as report.h wants it.
 * False, nothing is added: nobody is to be told.
 */
bool bounce_compose(struct buf *, const struct message *, const struct failings *,
    struct span text);

/*
 * Hands it to `sendmail -f <>'.  1: it was taken (exit 0); 0:
 * nobody is to be told, since the sender is <> or unknown, or they asked for no
 * such report (RFC 3461 section 4.1); -1: 75 it was not taken, 69 no sendmail, 65
 * the sender is no address.  After `deadline`, or once a signal came, none is taken.
 * `hangs', false at first: sendmail did not end.  It would take as long for each
 * message: for the others it is not run, and -1 comes without an error.
 */
int bounce_report(struct spool *, const struct message *, const struct failings *,
    int64_t deadline, bool *hangs, struct err *);

#endif
