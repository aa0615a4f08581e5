#include "net/dns_ask.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "net/dns_conf.h"

#define ANSWER_MAX 65536
#define TCP_MS 10000

/* In octet 2 and 3 of a header (RFC 1035 section 4.1.1, RFC 4035 section 3). */
enum { QR = 0x80, AA = 0x04, TC = 0x02, RA = 0x80, AD = 0x20, RCODE = 0x0f };

struct nameserver {
	const struct dns_server *it;
	int fd;			/* UDP; -1: not asked yet */
	bool plain;		/* it does not understand EDNS */
	bool failed;		/* nothing more is to be had from it */
};

struct asking {
	const char *name;
	struct dns_conf c;
	struct nameserver servers[DNS_SERVERS];
	int64_t deadline;
	struct buf *answer;	/* what came last */
	struct buf refusal;	/* an answer that says nothing about the name */
};

/* The question for this server, OPT or not; its length. */
static size_t
question_for(struct asking *a, const struct nameserver *s)
{
	a->c.question[11] = !s->plain;	/* additional records */
	return a->c.question_n + (s->plain ? 0 : DNS_OPT_N);
}

static unsigned char
lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/* Is `answer` one to our question?  A bare header will do to say no. */
static bool
is_ours(const struct asking *a)
{
	const unsigned char *p = (const unsigned char *)a->answer->p;
	size_t n = a->answer->n;

	if (n < NS_HFIXEDSZ || memcmp(p, a->c.question, 2) != 0 ||
	    (p[2] & QR) == 0)
		return false;
	if (n == NS_HFIXEDSZ)
		return (p[3] & RCODE) != ns_r_noerror && p[4] == 0 && p[5] == 0;
	if (n < a->c.question_n || p[4] != 0 || p[5] != 1)
		return false;
	for (size_t i = NS_HFIXEDSZ; i < a->c.question_n; i++)
		if (lower(p[i]) != lower(a->c.question[i]))
			return false;
	return true;
}

enum heard { NOTHING = -1, FAILED, PLAIN, CUT, ANSWER };

/* What the message in `answer` is good for. */
static enum heard
weigh(struct asking *a, const struct nameserver *s)
{
	unsigned char *p = (unsigned char *)a->answer->p;
	int code = p[3] & RCODE;

	if (!a->c.trusted)
		p[3] &= (unsigned char)~AD;
	/* an old server (RFC 6891 section 7) */
	if ((code == ns_r_formerr || code == ns_r_notimpl) && !s->plain)
		return PLAIN;
	if (code != ns_r_noerror && code != ns_r_nxdomain)
		return FAILED;
	if ((p[2] & TC) != 0)
		return CUT;
	/* one that does not know and only refers us elsewhere */
	if (code == ns_r_noerror && p[6] == 0 && p[7] == 0 &&
	    (p[2] & AA) == 0 && (p[3] & RA) == 0)
		return NOTHING;
	return ANSWER;
}

/* 1 ready, 0 time is over, -1 interrupted. */
static int
wait_for(struct pollfd *p, nfds_t n, int64_t until)
{
	int r;

	do
		r = interrupt_poll(p, n, clock_left(until));
	while (r < 0 && errno == EINTR && !interrupt_came());
	return r < 0 ? -1 : r > 0;
}

static int
tcp_connect(const struct nameserver *s, int64_t until)
{
	int fd = socket(s->it->at.ss_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd p = { fd, POLLOUT, 0 };

	if (fd < 0)
		return -1;
	if ((connect(fd, (const struct sockaddr *)&s->it->at, s->it->n) == 0 ||
	    errno == EINPROGRESS) && wait_for(&p, 1, until) == 1)
		return fd;	/* a refusal shows when we write */
	close(fd);
	return -1;
}

/* `n` more octets; false when they do not come. */
static bool
tcp_read(int fd, struct buf *to, size_t n, int64_t until)
{
	struct pollfd p = { fd, POLLIN, 0 };

	while (n > 0) {
		ssize_t r;

		if (wait_for(&p, 1, until) != 1)
			return false;
		r = recv(fd, buf_room(to, n), n, 0);
		if (r == 0 || (r < 0 && errno != EAGAIN && errno != EINTR))
			return false;
		if (r > 0) {
			to->n += (size_t)r;
			n -= (size_t)r;
		}
	}
	return true;
}

/* Each message with its length in front (RFC 1035 section 4.2.2). */
static bool
tcp_talk(struct asking *a, const struct nameserver *s, int fd, int64_t until)
{
	size_t n = question_for(a, s);
	struct buf out = {0};
	ssize_t sent;

	buf_addc(&out, (char)(n >> 8));
	buf_addc(&out, (char)n);
	buf_add(&out, a->c.question, n);
	sent = send(fd, out.p, out.n, MSG_NOSIGNAL);
	n = out.n;
	buf_free(&out);
	buf_clear(a->answer);
	if (sent != (ssize_t)n || !tcp_read(fd, a->answer, 2, until))
		return false;
	n = ns_get16((const unsigned char *)a->answer->p);
	buf_clear(a->answer);
	return tcp_read(fd, a->answer, n, until) && is_ours(a);
}

static enum heard
ask_by_tcp(struct asking *a, struct nameserver *s)
{
	int64_t until = clock_sooner(a->deadline, clock_in(TCP_MS));
	enum heard h = NOTHING;

	for (int i = 0; i < 2; i++) {
		int fd = tcp_connect(s, until);

		if (fd < 0)
			return NOTHING;
		h = tcp_talk(a, s, fd, until) ? weigh(a, s) : NOTHING;
		close(fd);
		if (h != PLAIN)
			break;
		s->plain = true;
	}
	return h == CUT ? NOTHING : h;	/* cut even here: worth nothing */
}

static void
udp_send(struct asking *a, struct nameserver *s)
{
	size_t n = question_for(a, s);

	if (s->fd < 0) {
		s->fd = socket(s->it->at.ss_family,
		    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		/* connected: only its packets come in, and its ICMP errors */
		if (s->fd < 0 ||
		    connect(s->fd, (struct sockaddr *)&s->it->at, s->it->n) < 0) {
			s->failed = true;
			return;
		}
	}
	if (send(s->fd, a->c.question, n, MSG_NOSIGNAL) != (ssize_t)n)
		s->failed = errno != EAGAIN;
}

/* Makes the most of what a server said: true when it is the answer. */
static bool
settle(struct asking *a, struct nameserver *s, enum heard h)
{
	if (h == PLAIN) {
		s->plain = true;
		udp_send(a, s);
		return false;
	}
	if (h == CUT)
		h = ask_by_tcp(a, s);
	if (h == FAILED) {
		buf_clear(&a->refusal);
		buf_addspan(&a->refusal, buf_span(a->answer));
	}
	s->failed = h != ANSWER;
	return h == ANSWER;
}

/* A packet that is not to our question is none: another may follow. */
static bool
udp_hear(struct asking *a, struct nameserver *s)
{
	ssize_t n;

	buf_clear(a->answer);
	n = recv(s->fd, buf_room(a->answer, ANSWER_MAX), ANSWER_MAX, 0);
	if (n < 0) {
		s->failed = errno != EAGAIN && errno != EINTR;
		return false;
	}
	a->answer->n = (size_t)n;
	return is_ours(a) && settle(a, s, weigh(a, s));
}

/*
 * Listens to all who were asked, so that a slow one's answer counts although
 * another was asked meanwhile.  1 the answer is there; 0 time is over or `last`,
 * who was asked last, failed; -1 interrupted.
 */
static int
listen_to(struct asking *a, const struct nameserver *last, int64_t until)
{
	struct pollfd p[DNS_SERVERS];
	int r;

	while (!last->failed) {
		for (size_t i = 0; i < a->c.n; i++)
			p[i] = (struct pollfd){ a->servers[i].failed ? -1 :
			    a->servers[i].fd, POLLIN, 0 };
		if ((r = wait_for(p, a->c.n, until)) <= 0)
			return r;
		for (size_t i = 0; i < a->c.n; i++)
			if (p[i].revents != 0 && udp_hear(a, &a->servers[i]))
				return 1;
	}
	return 0;
}

/* libresolv's patience, or an equal share of what the deadline leaves. */
static int64_t
patience(const struct asking *a, size_t server, size_t turns)
{
	int64_t ms = a->c.wait_ms << server;
	int left = clock_left(a->deadline);

	if (server > 0)
		ms /= (int64_t)a->c.n;
	if (left >= 0 && left / (int64_t)turns < ms)
		ms = left / (int64_t)turns;
	return ms;
}

/* As listen_to(). */
static int
ask_one(struct asking *a, struct nameserver *s, int64_t ms)
{
	if (s->failed)
		return 0;
	if (a->c.by_tcp)
		return settle(a, s, ask_by_tcp(a, s));
	udp_send(a, s);
	return listen_to(a, s, clock_sooner(clock_in(ms), a->deadline));
}

static int
ask_all(struct asking *a, struct err *e)
{
	size_t turns = (size_t)a->c.rounds * a->c.n;
	int r = 0;

	for (; turns > 0 && r == 0 && interrupt_came() == 0; turns--) {
		size_t i = (a->c.rounds * a->c.n - turns) % a->c.n;

		r = ask_one(a, &a->servers[i], patience(a, i, turns));
	}
	if (r == 1)
		return 0;
	buf_clear(a->answer);
	if (interrupt_came() != 0)
		return err_set(e, FAULT_TEMP, "%s: interrupted while asking the "
		    "name server", a->name);
	if (a->refusal.n == 0)
		return err_set(e, FAULT_TEMP, "%s: no answer from the name "
		    "server", a->name);
	buf_addspan(a->answer, buf_span(&a->refusal));
	return 0;
}

int
dns_ask(struct buf *answer, const char *name, int type, int64_t deadline,
    struct err *e)
{
	struct asking a = { .name = name, .answer = answer,
	    .deadline = deadline };
	int r;

	buf_clear(answer);
	if (dns_conf(&a.c, name, type, e) < 0)
		return -1;
	for (size_t i = 0; i < a.c.n; i++)
		a.servers[i] = (struct nameserver){ .it = &a.c.servers[i],
		    .fd = -1 };
	r = ask_all(&a, e);
	for (size_t i = 0; i < a.c.n; i++)
		if (a.servers[i].fd >= 0)
			close(a.servers[i].fd);
	buf_free(&a.refusal);
	return r;
}
