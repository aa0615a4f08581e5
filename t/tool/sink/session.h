/* One session: its state, and octets in and out. */
#ifndef T_SINK_SESSION_H
#define T_SINK_SESSION_H

#include <stdbool.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "net/tls.h"
#include "letter.h"
#include "log.h"
#include "options.h"
#include "text.h"

struct names { char **p; size_t n, room; };

struct session {
	int in, out;
	struct tls *tls;		/* NULL: in the clear */
	struct buf got, say;
	struct buf wire;		/* what there is to send of TLS */
	size_t at;			/* so much of `got' is used up */
	long long answered, mails;
	bool esmtp, greeted, authed;
	bool rude;			/* goes without close_notify */
	bool over;			/* said 421 */
	bool secure;			/* TLS is in place */
	struct buf exporter, unique;	/* and what binds AUTH to it */
	bool mail, eight, utf8, chunks;	/* the transaction */
	size_t asked;			/* recipients, accepted or not */
	struct buf helo;		/* what the client calls itself */
	struct buf from;
	struct names to;
	struct text text;
	struct letter letter;
};

static bool
put(int fd, struct buf *b)
{
	while (b->n > 0) {
		ssize_t n = write(fd, b->p, b->n);

		if (n < 0)
			return false;
		buf_drop(b, (size_t)n);
	}
	return true;
}

static bool
flush(struct session *s)
{
	struct err e = {0};

	if (s->tls == NULL)
		return put(s->out, &s->say);
	return tls_ready(s->tls) &&
	    tls_put(s->tls, buf_take(&s->say), &s->wire, &e) == 0 &&
	    put(s->out, &s->wire);
}

static struct span
rest(const struct session *s)
{
	return span_from(buf_span(&s->got), s->at);
}

/* One piece from the wire; what TLS has to answer goes out at once. */
static bool
hear_tls(struct session *s)
{
	char piece[65536];
	ssize_t n = read(s->in, piece, sizeof piece);
	struct err e = {0};
	int r;

	if (n <= 0) {
		if (!tls_ready(s->tls))
			notef("LOST", NULL, "TLS");
		return false;
	}
	r = tls_feed(s->tls, (struct span){ piece, (size_t)n }, &s->got,
	    &s->wire, &e);
	if (r < 0)
		notef("LOST", NULL, e.text);
	return put(s->out, &s->wire) && r == 0;
}

/* Replies wait until all that came in one piece is answered. */
static bool
hear(struct session *s)
{
	size_t had;
	ssize_t n;

	if (!flush(s))
		return false;
	buf_drop(&s->got, s->at);
	s->at = 0;
	if (s->tls != NULL) {
		had = s->got.n;
		while (hear_tls(s) && s->got.n == had)
			;
		return s->got.n > had;
	}
	n = read(s->in, buf_room(&s->got, 65536), 65536);
	if (n > 0)
		s->got.n += (size_t)n;
	return n > 0;
}

static void
say(struct session *s, const char *reply)
{
	buf_addf(&s->say, "%s\r\n", reply);
	s->answered++;
	s->over |= strncmp(reply, "421", 3) == 0;
}

static bool
answer(struct session *s, const char *what, const char *reply)
{
	notef(what, reply, "");
	say(s, reply);
	return true;
}

/* Does the session end here, or hang until the peer has enough? */
static bool
stuck(struct session *s, const char *point)
{
	bool drop = drop_at != NULL && strcasecmp(drop_at, point) == 0;
	bool hang = hang_at != NULL && strcasecmp(hang_at, point) == 0;

	s->rude |= drop;
	if (drop || hang)
		notef(drop ? "DROP" : "HANG", NULL, point);
	while (hang && !drop && hear(s))
		s->at = s->got.n;
	return drop || hang;
}

#endif
