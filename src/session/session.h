/*
 * One SMTP session with a server: the client engine and the network, joined.
 * Several can be moved side by side: session_begin(), then session_move()
 * whenever a descriptor is ready or a deadline has passed.
 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include <poll.h>

#include "net/dns.h"
#include "net/peer.h"
#include "session/line.h"
#include "session/login.h"
#include "smtp/client.h"

struct server {
	struct peer peer;
	const char **command;	/* of exec:, in words; owned */
	char *domain;		/* whose MX host it is; NULL; owned */
	bool secure;		/* DNSSEC vouches for that */
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
	unsigned flags;		/* CLIENT_ bits */
	struct login *login;	/* TLS and AUTH */
};

enum step {
	STEP_CLOSED, STEP_CONNECT, STEP_WRAP, STEP_HELLO, STEP_STARTTLS,
	STEP_HANDSHAKE, STEP_AUTH, STEP_OPEN
};

struct session {
	const struct dial *dial;
	const struct servers *servers;
	enum step step;
	enum step until;	/* go no further than this; 0: to STEP_OPEN */
	struct line line;
	struct client client;
	struct buf heard;
	struct span beside;	/* of a text, right behind client.out */
	int64_t deadline;	/* for what is awaited */

	/* where we are */
	size_t server;
	struct addresses addresses;
	size_t address;
	struct tlsas tlsas;
	bool aliased;		/* they stand at addresses.canonical */
	bool clear;		/* TLS failed, and need not be */
	struct err tls_failed;	/* how */
	bool helo;		/* it hung up on EHLO */
	struct attempt login;	/* AUTH, under way */
	struct err why;		/* why the ones before did not do */

	/* the dialogue */
	size_t shown;		/* octets of client.out it has shown */
	struct buf text;	/* heard, not ended yet */
	int64_t began;
};

/*
 * Begins to connect to the first of them; the next ones follow by themselves when
 * it does not take us.  0, or -1 when none is left at once.
 */
int session_begin(struct session *, const struct servers *,
    const struct dial *, struct err *);

/*
 * Reads, writes and goes on, without waiting.  1 something moved, 0 nothing did;
 * -1: it is over: no server took us (err: 75, 76, 68, 77), or, when it was open,
 * what was under way has ended.
 */
int session_move(struct session *, struct err *);

/* All of that in one, waiting: 0 a session that wants work, -1 why not. */
int session_open(struct session *, const struct servers *,
    const struct dial *, struct err *);

/*
 * Moves it, waiting, until the engine wants something else than bytes: 0.  1: it
 * wants nothing any more, and no error is set.  -1: the session is over.
 */
int session_drive(struct session *, struct err *);

/* Waits for the first of them, or a descriptor in `more`, or `deadline`. */
void sessions_wait(struct session *const *, size_t n, struct pollfd *more,
    int64_t deadline);

/*
 * What to poll one for: reading, writing (fd -1: nothing).  *deadline becomes the
 * sooner of it and the session's.
 */
void session_polls(const struct session *, struct pollfd p[2], int64_t *deadline);

/* QUIT, if the server still listens; closes. */
void session_close(struct session *);

/* QUIT was said and all is over: closes without waiting. */
void session_drop(struct session *);

const char *session_name(struct session *);

/* The host and address it talks to now; "" before there is one. */
const struct server *session_server(const struct session *);

/* The port it is dialled at. */
const char *session_port(const struct session *);

void servers_free(struct servers *);

#endif
