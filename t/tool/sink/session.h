/* One session: its state, and octets in and out. */
#ifndef T_SINK_SESSION_H
#define T_SINK_SESSION_H

#include <stdbool.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "letter.h"
#include "log.h"
#include "options.h"
#include "text.h"

struct names { char **p; size_t n, room; };

struct session {
	int in, out;
	struct buf got, say;
	size_t at;			/* so much of `got' is used up */
	long long answered;
	bool esmtp, greeted;
	bool mail, eight, utf8, chunks;	/* the transaction */
	size_t asked;			/* recipients, accepted or not */
	struct buf from;
	struct names to;
	struct text text;
	struct letter letter;
};

static bool
flush(struct session *s)
{
	while (s->say.n > 0) {
		ssize_t n = write(s->out, s->say.p, s->say.n);

		if (n < 0)
			return false;
		buf_drop(&s->say, (size_t)n);
	}
	return true;
}

static struct span
rest(const struct session *s)
{
	return span_from(buf_span(&s->got), s->at);
}

/* Replies wait until all that came in one piece is answered. */
static bool
hear(struct session *s)
{
	ssize_t n;

	if (!flush(s))
		return false;
	buf_drop(&s->got, s->at);
	s->at = 0;
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

	if (drop || hang)
		notef(drop ? "DROP" : "HANG", NULL, point);
	while (hang && !drop && hear(s))
		s->at = s->got.n;
	return drop || hang;
}

#endif
