/*
 * Where received messages go: TARGET in turn-client(1).  Takes what a receiving engine
 * asks (smtp/receiver.h) and answers through `said': at once, or when the target has.
 * Nothing here waits; memory is bounded by what deliver_full() lets in.
 *
 * A text is accepted only when the target has it: a server's own 250, or a file made
 * safe, and after that its name.  Sharing what that costs, several wait for it together,
 * until DELIVER_TOGETHER more have come or deliver_settle() says that nothing more has.
 *
 * A target that is lost answers 451, and is tried anew for the next message.
 */
#ifndef SESSION_DELIVER_H
#define SESSION_DELIVER_H

#include <poll.h>

#include "session/session.h"
#include "smtp/receiver.h"

/*
 * Messages whose octets are made safe at once, while as many await their names' safety:
 * fewer than a sender of ours leaves unanswered (at most 64, and 256 kB).
 */
#define DELIVER_TOGETHER 24

struct deliver;

struct deliver_opts {
	const char *target;	/* PEER, lmtp:PEER, exec:COMMAND, maildir:DIR */
	const struct dial *dial;	/* for a server: how to talk to it */
	bool soft;		/* 4xx for a target's 5xx */
	/* The words of exec:COMMAND, to be freed at once; NULL: there are none. */
	const char **(*split)(const char *command);
	/* Appends `Received: ...' for a target that writes none itself. */
	void (*trace)(void *, struct buf *);
	/* `ours': not for the sender, who shall not read paths and commands of ours */
	void (*said)(void *, unsigned token, int code, const char *status,
	    const char *text, bool ours);
	void *arg;
};

/*
 * NULL: 64 it is no TARGET, 69, 77, 74 a Maildir that cannot be written.  A server is
 * called when the first message comes.
 */
struct deliver *deliver_open(const struct deliver_opts *, struct err *);

/*
 * ABOUT_MAIL to ABOUT_FORGET, in their order.  What the question holds is taken.  A
 * recipient who is refused elsewhere is not told of here.
 */
void deliver_take(struct deliver *, struct question *);

/* Shall nothing more be taken for now? */
bool deliver_full(const struct deliver *);

/* Goes on as far as it can.  True: something moved. */
bool deliver_move(struct deliver *);

/*
 * No more comes for the moment: what waits to be shared is not waited for.  True:
 * something moved; to have all answered it is called until nothing does.
 */
bool deliver_settle(struct deliver *);

/* Is some answer due? */
bool deliver_owes(const struct deliver *);

/* What to poll for, and until when. */
void deliver_polls(struct deliver *, struct pollfd p[2], int64_t *deadline);

/* What has not been accepted is dropped: whoever sent it still has it. */
void deliver_close(struct deliver *);

#endif
