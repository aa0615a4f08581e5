/*
 * After ETRN: waits until the mail has come, as far as can be seen: by the
 * sessions that the servers asked, or addresses named, have with our SMTP port.
 */
#ifndef SESSION_ETRN_WAIT_H
#define SESSION_ETRN_WAIT_H

#include "net/arrivals.h"
#include "session/etrn.h"

struct etrn_wait {
	const char *tool;	/* in front of what -v says */
	const char *first;	/* for a first session, as people wrote it */
	const char *idle;	/* without any, likewise */
	int64_t first_ms, idle_ms;
	uint16_t port;
	bool verbose;
	struct arrivals arrivals;	/* .from may have addresses already */

	/* so far */
	bool promised;		/* an answer lets mail be hoped for */
	bool certain;		/* one said that there is some */
	int64_t busy;		/* when somebody was last there; 0: never */
	size_t told;		/* sessions that -v told of */
};

/*
 * Before asking: adds all addresses of the servers, and looks who is there
 * already.  0; -1: 64 it is not known whose sessions to look for, 69 they cannot
 * be seen here or nobody listens on the port.
 */
int etrn_wait_open(struct etrn_wait *, const struct servers *,
    const struct dial *, struct err *);

/* Takes note of an answer, and looks in passing. */
void etrn_wait_answer(struct etrn_wait *, const struct etrn_answer *);

/*
 * Waits for a first session, first_ms at most, and then until there has been none
 * for idle_ms; not at all when no mail is to be hoped for.  Those that were there
 * before delay the end but are no first one.  Signals are caught from here on.
 *
 * 0 it is quiet, or nobody came; -1: 75 a signal, the deadline, or nobody came
 * although mail was certain; 71 it could not look any more.
 */
int etrn_wait(struct etrn_wait *, int64_t deadline, struct err *);

/* Appends what came: `at least 2 sessions, 4711 octets`. */
void etrn_wait_text(const struct etrn_wait *, struct buf *);

void etrn_wait_free(struct etrn_wait *);

#endif
