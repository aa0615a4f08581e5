/*
 * The MTA's own sessions, carried over a connection that was turned round to a customer who
 * sees a single one (smtp/carry.h): one after the other, or several at a time if they are
 * in LMTP.  The MTA keeps queue, retries and bounces.
 *
 * What is trusted: whoever can connect to the listener is taken for the MTA; all he can do
 * is to send mail to this customer's domains, as he could by the MTA as well.  Whoever has
 * the address while we do not is given the customer's mail if the MTA is told to flush:
 * let it be a loopback address with a port below 1024, or a socket in a directory that
 * only the MTA's administrator can write.
 */
#ifndef SESSION_SPLICE_H
#define SESSION_SPLICE_H

#include "net/peer.h"
#include "session/line.h"

struct splice {
	/* set by the caller; borrowed */
	const char *name;	/* ours, for the customer's EHLO */
	struct span domains;	/* his nodes, a blank between; others get a 450 */
	int listener;		/* from splice_listen() */
	int stop;		/* can be read, or is closed at its other end, when no
				   further session will come; -1 */
	int64_t first_ms;	/* so long the MTA's first session may take to come */
	int64_t quiet_ms;	/* so long none comes: there is nothing more */
	long long expected;	/* messages that wait; once as many were answered it is
				   soon over; 0: not known */
	int64_t near_ms;	/* so long the MTA may say nothing within a session */
	int64_t deadline;	/* for everything; NEVER */
	/*
	 * Has the MTA begin, once the customer is ready; it does not wait.  0; -1:
	 * nothing is to be carried, and it says why.  NULL: somebody else does that.
	 */
	int (*release)(void *, struct err *);
	void *arg;

	/* what was carried */
	size_t sessions, messages, refused;	/* texts with a 2xx; with others */
};

/*
 * Binds and listens: an address of loopback with its port, or a socket in the file
 * system, which is given to `group' (-1: stays ours), mode 0660; one that nobody listens
 * at is replaced.  The descriptor, which does not block; -1: 78 it is none of these, 75
 * somebody else has it, 77, 74.
 */
int splice_listen(const struct peer *, int group, struct err *);

/* Is this PEER_HOST an address where splice_listen() would listen?  0, -1: 78. */
int splice_check(const struct peer *, struct err *);

/*
 * `far' is the customer, who greets first; `early' was heard from him already.  When the
 * MTA has nothing more he gets a QUIT: 0.  -1: 75 he did not greet, the line was lost,
 * time is over, the MTA went away within a text; 76.  Whatever was not answered by him
 * with a 2xx the MTA has still: it got a 421, or nothing.  `far' stays open, but on -1 it
 * is good for nothing else; the listener is open, too, those who waited there were sent
 * away.
 */
int splice_run(struct splice *, struct line *far, struct span early, struct err *);

#endif
