#include "session/deliver_own.h"

#include <string.h>

void
deliver_say(struct deliver *d, unsigned token, int code, const char *status,
    const char *text)
{
	char soft[16] = "";

	if (token == 0)
		return;
	if (d->opts.soft && code / 100 == 5) {
		code = 451;
		strncat(soft, status != NULL ? status : "5.0.0", sizeof soft - 1);
		soft[0] = '4';
		status = soft;
	}
	d->opts.said(d->opts.arg, token, code, status, text, false);
}

void
deliver_fail(struct deliver *d, unsigned token, int code, const char *status,
    const char *why)
{
	if (token != 0)
		d->opts.said(d->opts.arg, token, code, status, why, true);
}

static const char *
behind(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

struct deliver *
deliver_open(const struct deliver_opts *o, struct err *e)
{
	const char *dir = behind(o->target, "maildir:");
	const char *lmtp = behind(o->target, "lmtp:");
	const char *peer = lmtp != NULL ? lmtp : o->target;
	struct server s = {0};

	if (dir != NULL)
		return deliver_maildir(o, dir, e);
	if (peer_parse(&s.peer, "--deliver", peer, e) < 0)
		return NULL;
	if (s.peer.kind == PEER_EXEC)
		s.command = o->split(s.peer.command);
	if (s.peer.kind == PEER_EXEC && s.command == NULL) {
		err_set(e, FAULT_USAGE, "--deliver: `%.300s' cannot be split into "
		    "words", s.peer.command);
		peer_free(&s.peer);
		return NULL;
	}
	/* RFC 2033 section 5 */
	if (lmtp != NULL && s.peer.kind == PEER_HOST && (s.peer.port == NULL ||
	    strcmp(s.peer.port, "25") == 0)) {
		err_set(e, FAULT_USAGE, "--deliver: %.300s: LMTP has no port of its "
		    "own, and 25 is SMTP's; name one", o->target);
		peer_free(&s.peer);
		return NULL;
	}
	return deliver_smtp(o, &s, lmtp != NULL);
}

void
deliver_take(struct deliver *d, struct question *q)
{
	d->kind->take(d, q);
}

bool
deliver_full(const struct deliver *d)
{
	return d->kind->full(d);
}

bool
deliver_move(struct deliver *d)
{
	return d->kind->move(d);
}

bool
deliver_settle(struct deliver *d)
{
	return d->kind->settle(d);
}

bool
deliver_owes(const struct deliver *d)
{
	return d->kind->owes(d);
}

void
deliver_polls(struct deliver *d, struct pollfd p[2], int64_t *deadline)
{
	p[0] = p[1] = (struct pollfd){ .fd = -1 };
	d->kind->polls(d, p, deadline);
}

void
deliver_close(struct deliver *d)
{
	if (d != NULL)
		d->kind->close(d);
}
