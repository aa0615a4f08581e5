#include "session/splice.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "smtp/carry.h"

#define STALL_MS 180000		/* without an octet taken, RFC 5321 section 4.5.3.2.5 */
#define GRACE_MS 1500		/* for last words */
#define KEEP_MS 60000		/* so long the MTA waits in silence; it may do so for 120 s */
#define SOON_MS 1000		/* of rest, once all that was expected has come */
#define NEARS_MOST 32		/* sessions of the MTA at a time */
#define WAITING_MOST 1000	/* who are sent away at the end */

/* A session of the MTA. */
struct near {
	struct line line;	/* no TLS */
	struct carry_near c;
	bool eof, gone;
	int64_t by, takes;	/* until when something has to be said, be taken */
	int64_t keep;		/* when to say that it has to wait */
};

struct carrying {
	struct splice *o;
	struct line *far;
	VEC(struct near *) nears;
	struct carry c;
	struct buf heard;
	bool far_eof, released, quit;
	bool enough;		/* no session is taken any more */
	size_t answers;		/* when the patience began */
	int64_t far_by;		/* its answer; NEVER */
	int64_t far_takes;	/* until when some octet has to be */
	int64_t quiet_at, rests_at;
};

/* ---- far ---- */

/* The next answer's time begins when the one before it is there. */
static void
be_patient(struct carrying *x)
{
	int64_t ms = carry_patience(&x->c);

	if (x->c.to_far.n == 0 && !line_busy(x->far))
		x->far_takes = clock_in(STALL_MS);
	for (size_t i = 0; i < x->nears.n; i++)
		if (x->nears.p[i]->c.to_near.n == 0)
			x->nears.p[i]->takes = clock_in(STALL_MS);
	if (ms == 0)
		x->far_by = NEVER;
	else if (x->far_by == NEVER || x->answers != x->c.answers)
		x->far_by = clock_in(ms);
	x->answers = x->c.answers;
}

/* 1 moved, 0, -1; here as in all that follows. */
static int
write_far(struct carrying *x, struct err *e)
{
	size_t taken = 0, wire = x->far->wire.n;

	if (x->c.to_far.n == 0 && !line_busy(x->far))
		return 0;
	if (line_write(x->far, buf_span(&x->c.to_far), (struct span){0}, &taken, e) < 0)
		return -1;
	buf_drop(&x->c.to_far, taken);
	if (taken > 0)
		carry_go_on(&x->c);
	if (taken == 0 && x->far->wire.n >= wire)
		return 0;
	x->far_takes = clock_in(STALL_MS);
	return 1;
}

static int
read_far(struct carrying *x, struct err *e)
{
	int got;

	if (x->far_eof || carry_far_full(&x->c))
		return 0;
	if ((got = line_read(x->far, &x->heard, e)) < 0)
		return -1;
	if (x->heard.n > 0 && carry_far(&x->c, buf_take(&x->heard), e) < 0)
		return -1;
	x->far_eof = got & IO_EOF;
	if (x->far_eof && !x->c.parted)
		return err_set(e, FAULT_TEMP, "it closed the connection");
	return got != 0;
}

/* ---- near ---- */

static int
session_ends(struct carrying *x, struct near *n, struct err *e)
{
	line_close(&n->line);
	n->gone = true;
	x->quiet_at = clock_in(x->o->quiet_ms);
	return carry_end(&x->c, &n->c, e) < 0 ? -1 : 1;
}

static bool
takes_sessions(const struct carrying *x)
{
	return x->released && !x->quit && !x->enough && x->c.ready && x->nears.n < NEARS_MOST;
}

/* 1 one came, 0 none */
static int
take_session(struct carrying *x)
{
	int fd = takes_sessions(x) ? accept4(x->o->listener, NULL, NULL,
	    SOCK_NONBLOCK | SOCK_CLOEXEC) : -1;
	struct near *n;

	if (fd < 0)
		return 0;
	n = *vec_add(&x->nears) = must(calloc(1, sizeof *n));
	n->line.io = (struct io){ .in = fd, .out = fd, .child = { 0, -1, -1, -1 } };
	n->by = clock_in(x->o->near_ms);
	n->takes = clock_in(STALL_MS);
	n->keep = clock_in(KEEP_MS);
	x->o->sessions++;
	carry_begin(&x->c, &n->c);
	return 1;
}

static int
write_near(struct carrying *x, struct near *n, struct err *e)
{
	struct buf *out = &n->c.to_near;
	struct err ignored = {0};
	size_t taken = 0;

	if (out->n == 0)
		return 0;
	if (line_write(&n->line, buf_span(out), (struct span){0}, &taken, &ignored) < 0)
		return session_ends(x, n, e);
	buf_drop(out, taken);
	if (taken == 0)
		return 0;
	carry_go_on(&x->c);
	n->takes = clock_in(STALL_MS);
	n->keep = clock_in(KEEP_MS);
	return 1;
}

static int
read_near(struct carrying *x, struct near *n, struct err *e)
{
	struct err ignored = {0};
	int got;

	if (n->eof || carry_near_full(&n->c))
		return 0;
	if ((got = line_read(&n->line, &x->heard, &ignored)) < 0)
		return session_ends(x, n, e);
	if (got & IO_HEARD) {
		n->by = clock_in(x->o->near_ms);
		n->keep = clock_in(KEEP_MS);
	}
	carry_near(&x->c, &n->c, buf_take(&x->heard));
	n->eof = got & IO_EOF;
	return got != 0;
}

/* An own clock for the MTA runs only while it is its turn. */
static bool
near_is_late(const struct carrying *x, const struct near *n)
{
	return clock_left(n->takes) == 0 ||
	    (!carry_near_waits(&x->c, &n->c) && clock_left(n->by) == 0);
}

static int
move_near(struct carrying *x, struct near *n, struct err *e)
{
	int read, wrote;

	if ((read = read_near(x, n, e)) < 0)
		return -1;
	if (n->gone)
		return 1;
	if ((wrote = write_near(x, n, e)) < 0)
		return -1;
	if (n->gone)
		return 1;
	if (carry_near_waits(&x->c, &n->c))
		n->by = clock_in(x->o->near_ms);
	if (clock_left(n->keep) == 0) {
		carry_keep(&x->c, &n->c);
		n->keep = clock_in(KEEP_MS);
	}
	if (carry_near_over(&x->c, &n->c) ||
	    (n->eof && carry_near_done(&x->c, &n->c)) ||
	    (n->c.over && near_is_late(x, n)))
		return session_ends(x, n, e);
	if (near_is_late(x, n)) {
		carry_dismiss(&n->c, "nothing was said for too long");
		n->by = n->takes = clock_in(GRACE_MS);
		return 1;
	}
	return read > 0 || wrote > 0;
}

static void
bury(struct carrying *x)
{
	size_t kept = 0;

	for (size_t i = 0; i < x->nears.n; i++)
		if (x->nears.p[i]->gone)
			free(x->nears.p[i]);
		else
			x->nears.p[kept++] = x->nears.p[i];
	x->nears.n = kept;
}

static int
move_nears(struct carrying *x, struct err *e)
{
	int moved = take_session(x), r = 0;

	for (size_t i = 0; r >= 0 && i < x->nears.n; i++) {
		r = move_near(x, x->nears.p[i], e);
		moved |= r > 0;
	}
	bury(x);
	return r < 0 ? -1 : moved;
}

/* ---- all of it ---- */

/* Nobody will come any more, and nobody waits. */
static bool
is_stopped(const struct splice *o)
{
	struct pollfd p[2] = { { o->stop, POLLIN, 0 }, { o->listener, POLLIN, 0 } };

	return o->stop >= 0 && poll(p, 2, 0) > 0 && p[0].revents != 0 &&
	    p[1].revents == 0;
}

/*
 * Whatever was there when it began has had its answer, and nothing more came for a
 * moment: the MTA may keep its sessions in case there is.
 */
static bool
has_enough(const struct carrying *x)
{
	return x->o->expected > 0 &&
	    x->c.messages + x->c.refused >= (size_t)x->o->expected &&
	    carry_rests(&x->c);
}

static int
send_home(struct carrying *x)
{
	x->enough = true;
	for (size_t i = 0; i < x->nears.n; i++)
		carry_dismiss(&x->nears.p[i]->c, "that was all");
	return 1;
}

/* What is to be done while nothing is carried; 1, 0, -1. */
static int
between(struct carrying *x, struct err *e)
{
	struct splice *o = x->o;

	if (x->quit)
		return 0;
	if (!x->enough && has_enough(x) && clock_left(x->rests_at) == 0)
		return send_home(x);
	if (!carry_is_free(&x->c))
		return 0;
	if (!x->released) {
		x->released = true;
		x->quiet_at = clock_in(o->first_ms);
		return o->release != NULL && o->release(o->arg, e) < 0 ? -1 : 1;
	}
	if (!x->enough && clock_left(x->quiet_at) > 0 && !is_stopped(o))
		return 0;
	x->quit = true;
	carry_quit(&x->c);
	return 1;
}

static int
late(const struct carrying *x, struct err *e)
{
	if (interrupt_came())
		return err_set(e, FAULT_TEMP, "interrupted");
	if (clock_left(x->o->deadline) == 0)
		return err_set(e, FAULT_TEMP, "the deadline is over");
	if (clock_left(x->far_by) == 0)
		return err_set(e, FAULT_TEMP, "it does not answer");
	if (clock_left(x->far_takes) == 0)
		return err_set(e, FAULT_TEMP, "it takes nothing more");
	return 0;
}

#define POLLS_NEAR 2		/* of each session */

static void
poll_near(const struct near *n, struct pollfd p[POLLS_NEAR], int64_t *until)
{
	p[0] = (struct pollfd){ n->eof || carry_near_full(&n->c) ? -1 :
	    n->line.io.in, POLLIN, 0 };
	p[1] = (struct pollfd){ n->c.to_near.n > 0 ? n->line.io.out : -1, POLLOUT, 0 };
	*until = clock_sooner(*until, clock_sooner(n->keep,
	    clock_sooner(n->by, n->takes)));
}

static void
await(struct carrying *x)
{
	const struct carry *c = &x->c;
	bool takes = takes_sessions(x), idle = takes && x->nears.n == 0;
	bool writes = c->to_far.n > 0 || line_busy(x->far);
	int64_t until = clock_sooner(x->o->deadline, x->far_by);
	struct pollfd p[4 + POLLS_NEAR * NEARS_MOST] = {
		{ x->far_eof || carry_far_full(c) ? -1 : x->far->io.in, POLLIN, 0 },
		{ writes ? x->far->io.out : -1, POLLOUT, 0 },
		{ takes ? x->o->listener : -1, POLLIN, 0 },
		{ idle ? x->o->stop : -1, POLLIN, 0 },
	};

	if (writes)
		until = clock_sooner(until, x->far_takes);
	if (idle)
		until = clock_sooner(until, x->quiet_at);
	if (takes && has_enough(x))
		until = clock_sooner(until, x->rests_at);
	for (size_t i = 0; i < x->nears.n; i++)
		poll_near(x->nears.p[i], p + 4 + POLLS_NEAR * i, &until);
	interrupt_poll(p, 4 + POLLS_NEAR * x->nears.n, clock_left(until));
}

static int
go_on(struct carrying *x, struct err *e)
{
	int wrote, heard, near, mine;

	while (!x->c.parted) {
		be_patient(x);
		if (late(x, e) < 0)
			return x->quit ? 0 : -1;
		if ((wrote = write_far(x, e)) < 0 || (heard = read_far(x, e)) < 0)
			return x->quit ? 0 : -1;
		if ((near = move_nears(x, e)) < 0 || (mine = between(x, e)) < 0)
			return -1;
		if (heard > 0 || near > 0)
			x->rests_at = clock_in(SOON_MS);
		if (wrote == 0 && heard == 0 && near == 0 && mine == 0) {
			be_patient(x);
			await(x);
		}
	}
	return 0;
}

/* Its last word, as far as it is taken at once. */
static void
dismiss(struct near *n)
{
	struct err ignored = {0};
	struct pollfd p = { n->line.io.out, POLLOUT, 0 };
	size_t taken = 1;

	carry_dismiss(&n->c, "the connection to the customer is lost");
	while (n->c.to_near.n > 0 && taken > 0) {
		taken = 0;
		if (line_write(&n->line, buf_span(&n->c.to_near), (struct span){0},
		    &taken, &ignored) < 0)
			break;
		buf_drop(&n->c.to_near, taken);
		if (taken == 0)
			taken = poll(&p, 1, GRACE_MS / NEARS_MOST) > 0;
	}
	line_close(&n->line);
	n->gone = true;
}

/* The MTA hears that it has to come again, if it listens. */
static void
send_away(struct carrying *x)
{
	static const char words[] = "421 4.3.2 the customer is gone\r\n";
	int fd;

	for (size_t i = 0; i < x->nears.n; i++)
		dismiss(x->nears.p[i]);
	for (int i = 0; i < WAITING_MOST && (fd = accept4(x->o->listener, NULL, NULL,
	    SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0; i++) {
		/* he who does not read it sees that it is closed */
		(void)!write(fd, words, sizeof words - 1);
		close(fd);
	}
}

int
splice_run(struct splice *o, struct line *far, struct span early, struct err *e)
{
	struct carrying x = { .o = o, .far = far, .far_by = NEVER,
	    .far_takes = clock_in(STALL_MS) };
	int r;

	fcntl(o->listener, F_SETFL, fcntl(o->listener, F_GETFL) | O_NONBLOCK);
	carry_start(&x.c, o->name, o->domains);
	r = early.n > 0 ? carry_far(&x.c, early, e) : 0;
	if (r == 0)
		r = go_on(&x, e);
	send_away(&x);
	o->messages = x.c.messages;
	o->refused = x.c.refused;
	carry_free(&x.c);
	bury(&x);
	vec_free(&x.nears);
	buf_free(&x.heard);
	return r;
}
