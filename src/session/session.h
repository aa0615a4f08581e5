/*
 * One SMTP session with a server: the client engine and the network, joined.
 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include "net/io.h"
#include "net/peer.h"
#include "smtp/client.h"

struct server {
	struct peer peer;
	const char **command;	/* of exec:, in words; owned */
};

struct servers { struct server *p; size_t n, room; };	/* a VEC */

/* How to reach servers and how long to wait; strings are borrowed. */
struct dial {
	const char *port;	/* the default */
	const char *bind;	/* NULL */
	const char *helo;	/* NULL: the host's name, or our address */
	int family;
	int64_t connect_ms;
	int64_t reply_ms;	/* for one reply; 0: what RFC 5321 says */
	int64_t deadline;	/* for everything; NEVER */
	bool verbose;		/* the dialogue on stderr */
};

struct session {
	const struct dial *dial;
	struct io io;
	struct client client;
	struct buf heard;
	size_t shown;		/* octets of client.out the dialogue has shown */
	struct buf line;	/* of the dialogue: heard, not ended yet */
	bool open;
};

/*
 * Connects, hears the greeting, says EHLO (or HELO).  0 and a session that
 * wants work, or -1: why not, the peer named (75, 76, 68).
 */
int session_open(struct session *, const struct server *, const struct dial *,
    struct err *);

/* The first of them that takes us; -1 with the last one's reason. */
int session_first(struct session *, const struct servers *,
    const struct dial *, struct err *);

/*
 * Sends and hears until the engine wants something else than bytes: 0.  1: it
 * wants nothing any more, and no error is set.  -1: the session is over (what it
 * had in hand has its fate).
 */
int session_drive(struct session *, struct err *);

/*
 * While nothing is under way: waits until `fd` is readable (0) or the server
 * says something or hangs up (-1: the session is over).
 */
int session_rest(struct session *, int fd, struct err *);

/* The dialogue's line for octets of text in `out` that it shall not show. */
void session_hide(struct session *);
void session_tell(struct session *, const char *mark, const char *, ...)
    __attribute__((format(printf, 3, 4)));

/* QUIT, if the server still listens; closes. */
void session_close(struct session *);

const char *session_name(struct session *);

void servers_free(struct servers *);

#endif
