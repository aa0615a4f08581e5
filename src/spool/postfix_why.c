/*
 * What Postfix itself says of a message, for queue-list --why.  Where an address goes
 * is asked of its own resolver, trivial-rewrite(8), over the queue's socket: the
 * answer that qmgr(8) would get, without a delivery.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/unit.h"
#include "spool/postfix.h"
#include "spool/program.h"
#include "wire/domain.h"
#include "wire/path.h"

#define PATIENCE_MS 10000
#define REPLY_MAX 65536

static bool
is_running(const struct spool *s)
{
	struct buf path = {0};
	bool yes;

	buf_addf(&path, "%s/pid/master.pid", s->dir);
	yes = program_runs(buf_str(&path));
	buf_free(&path);
	return yes;
}

/* A message without a sender is a report: it is given up sooner or later. */
static int64_t
lifetime(const struct spool *s, const struct message *m, struct err *e)
{
	bool report = m->env.sender == NULL || *m->env.sender == '\0';
	struct buf value = {0};
	int64_t seconds = 0;

	if (pf_conf(s, report ? "bounce_queue_lifetime" : "maximal_queue_lifetime",
	    &value, e) == 0)
		unit_time("lifetime", buf_str(&value), &seconds, e);
	buf_free(&value);
	return seconds;
}

/* The recipient that waits for a flush by ETRN or by hand; NULL: none does. */
static const struct rcpt *
waits_for_flush(const struct message *m)
{
	for (size_t i = 0; i < m->env.rcpts.n; i++) {
		const struct rcpt *r = &m->env.rcpts.p[i];

		if (!r->done && r->reason != NULL &&
		    strstr(r->reason, "deferred transport") != NULL)
			return r;
	}
	return NULL;
}

static bool
is_throttled(const struct message *m)
{
	for (size_t i = 0; i < m->env.rcpts.n; i++)
		if (m->env.rcpts.p[i].reason != NULL &&
		    strstr(m->env.rcpts.p[i].reason, "temporarily suspended") != NULL)
			return true;
	return false;
}

/* `postqueue' with -c where it is not the usual instance. */
static void
command(struct buf *b, const struct spool *s, const char *name)
{
	buf_adds(b, name);
	if (s->conf != NULL && strcmp(s->conf, "/etc/postfix") != 0)
		buf_addf(b, " -c %s", s->conf);
}

static void
flush_command(struct spool *s, const struct message *m, const struct rcpt *r,
    struct buf *b)
{
	char *domain = span_dup(domain_of(span_of(r->address)));

	command(b, s, "postqueue");
	if (pf_covers(s, domain, m))
		buf_addf(b, " -s %s\n", domain);
	else
		buf_addf(b, " -i %s\n", m->id);
	free(domain);
}

static void
deferred(struct spool *s, const struct message *m, struct outlook *o)
{
	const struct rcpt *r = waits_for_flush(m);

	if (r != NULL) {
		buf_addf(&o->holder, "Its transport is one of defer_transports: "
		    "Postfix keeps it until %.*s asks for it (ETRN) or somebody "
		    "flushes the queue.", (int)domain_of(span_of(r->address)).n,
		    domain_of(span_of(r->address)).p);
		flush_command(s, m, r, &o->commands);
		return;
	}
	buf_adds(&o->holder, is_throttled(m) ? "Its next hop failed for other mail "
	    "and is left alone for a while; then qmgr tries it again." :
	    "qmgr tries it again when its time has come.");
	command(&o->commands, s, "postqueue");
	buf_addf(&o->commands, " -i %s\n", m->id);
}

int
pf_outlook(struct spool *s, const struct message *m, struct outlook *o,
    struct err *e)
{
	int64_t seconds = lifetime(s, m, e);

	o->down = !is_running(s);
	if (seconds > 0 && m->state != STATE_HOLD)
		o->expires = m->arrival + seconds;
	switch (m->state) {
	case STATE_HOLD:
		buf_adds(&o->holder, "It is on hold: Postfix leaves it alone until it "
		    "is let go (who put it there is not recorded).");
		command(&o->commands, s, "postsuper");
		buf_addf(&o->commands, " -H %s && ", m->id);
		command(&o->commands, s, "postqueue");
		buf_addf(&o->commands, " -i %s\n", m->id);
		break;
	case STATE_ACTIVE:
		buf_adds(&o->holder, "qmgr has it, and delivers it or is about to.");
		break;
	case STATE_INCOMING:
		buf_adds(&o->holder, "It has come in, and waits for qmgr.");
		break;
	case STATE_MAILDROP:
		buf_adds(&o->holder, "It was submitted here, and waits for pickup.");
		command(&o->commands, s, "postfix");
		buf_adds(&o->commands, " status\n");
		break;
	case STATE_CORRUPT:
		buf_adds(&o->holder, "Postfix found the file damaged, and put it aside.");
		break;
	case STATE_DONE:
		buf_adds(&o->holder, "Nobody is left to deliver it to; qmgr takes it "
		    "away when it comes to it.");
		command(&o->commands, s, "postqueue");
		buf_addf(&o->commands, " -i %s\n", m->id);
		break;
	default:
		deferred(s, m, o);
	}
	if (m->forced_expire)
		buf_adds(&o->holder, " It expires when it is next looked at (postsuper "
		    "-e).");
	return e->fault == FAULT_NONE ? 0 : -1;
}

/* ---- the resolver ---- */

static int
dial(const struct spool *s, struct err *e)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct buf path = {0};
	int fd = -1;

	buf_addf(&path, "%s/private/rewrite", s->dir);
	if (path.n >= sizeof to.sun_path) {
		err_set(e, FAULT_IO, "%s: too long for a socket", buf_str(&path));
	} else {
		memcpy(to.sun_path, path.p, path.n);
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
			err_sys(e, "ask Postfix's resolver at %s", buf_str(&path));
			if (fd >= 0)
				close(fd);
			fd = -1;
		}
	}
	buf_free(&path);
	return fd;
}

static void
attribute(struct buf *b, const char *name, const char *value)
{
	buf_add(b, name, strlen(name) + 1);
	buf_add(b, value, strlen(value) + 1);
}

/* The value behind a name in a list of strings that NULs end; NULL: not there (yet). */
static const char *
value_of(struct span list, const char *name)
{
	struct span one;

	while (span_find(list, '\0') < list.n && span_cut(&list, '\0', &one))
		if (span_is(one, name) && span_find(list, '\0') < list.n)
			return list.p;
	return NULL;
}

static int
converse(int fd, struct span request, struct buf *reply, struct err *e)
{
	struct pollfd p = { fd, POLLIN, 0 };
	ssize_t n;

	if (send(fd, request.p, request.n, MSG_NOSIGNAL) != (ssize_t)request.n)
		return err_sys(e, "ask Postfix's resolver");
	while (value_of(buf_span(reply), "recipient") == NULL) {
		if (poll(&p, 1, PATIENCE_MS) <= 0)
			return err_set(e, FAULT_TEMP, "Postfix's resolver does not "
			    "answer");
		n = recv(fd, buf_room(reply, 4096), 4096, 0);
		if (n <= 0 || reply->n > REPLY_MAX)
			return err_set(e, FAULT_TEMP, "Postfix's resolver does not "
			    "say where mail goes");
		reply->n += (size_t)n;
	}
	return 0;
}

int
pf_route(struct spool *s, const char *address, struct buf *route, struct err *e)
{
	struct buf request = {0}, reply = {0}, raw = {0};
	const char *transport, *hop;
	int fd, r = -1;

	path_unquote(&raw, span_of(address));
	attribute(&request, "request", "resolve");
	attribute(&request, "sender", "");
	attribute(&request, "address", buf_str(&raw));
	buf_addc(&request, '\0');
	if ((fd = dial(s, e)) >= 0) {
		r = converse(fd, buf_span(&request), &reply, e);
		close(fd);
	}
	if (r == 0) {
		transport = value_of(buf_span(&reply), "transport");
		hop = value_of(buf_span(&reply), "nexthop");
		if (transport != NULL)
			buf_addf(route, "transport %s, next hop %s", transport,
			    hop != NULL ? hop : "-");
		r = transport != NULL;
	}
	buf_free(&raw);
	buf_free(&request);
	buf_free(&reply);
	return r;
}
