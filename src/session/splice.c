#include "session/splice.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "smtp/carry.h"

#define STALL_MS 180000		/* without an octet taken, RFC 5321 section 4.5.3.2.5 */
#define GRACE_MS 1500		/* for last words */
#define WAITING_MOST 1000	/* who are sent away at the end */

struct carrying {
	struct splice *o;
	struct line *far;
	struct line near;	/* io.in -1: none; no TLS */
	struct carry c;
	struct buf heard;
	bool near_eof, far_eof, released, quit;
	size_t answers;		/* when the patience began */
	int64_t far_by;		/* its answer; NEVER */
	int64_t far_takes, near_takes;	/* until when some octet has to be */
	int64_t near_by, quiet_at;
};

/* ---- far ---- */

/* The next answer's time begins when the one before it is there. */
static void
be_patient(struct carrying *x)
{
	int64_t ms = carry_patience(&x->c);

	if (x->c.to_far.n == 0 && !line_busy(x->far))
		x->far_takes = clock_in(STALL_MS);
	if (x->c.to_near.n == 0)
		x->near_takes = clock_in(STALL_MS);
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
session_ends(struct carrying *x, struct err *e)
{
	line_close(&x->near);
	x->near.io.in = x->near.io.out = -1;
	x->quiet_at = clock_in(x->o->quiet_ms);
	return carry_end(&x->c, e) < 0 ? -1 : 1;
}

static int
take_session(struct carrying *x)
{
	int fd = accept4(x->o->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return 0;
	x->near = (struct line){ .io = { .in = fd, .out = fd,
	    .child = { 0, -1, -1, -1 } } };
	x->near_eof = false;
	x->near_by = clock_in(x->o->near_ms);
	x->near_takes = clock_in(STALL_MS);
	x->o->sessions++;
	carry_begin(&x->c);
	return 1;
}

static int
write_near(struct carrying *x, struct err *e)
{
	struct buf *out = &x->c.to_near;
	struct err ignored = {0};
	size_t taken = 0;

	if (out->n == 0)
		return 0;
	if (line_write(&x->near, buf_span(out), (struct span){0}, &taken, &ignored) < 0)
		return session_ends(x, e);
	buf_drop(out, taken);
	if (taken > 0)
		x->near_takes = clock_in(STALL_MS);
	return taken > 0;
}

static int
read_near(struct carrying *x, struct err *e)
{
	struct err ignored = {0};
	int got;

	if (x->near_eof || carry_near_full(&x->c))
		return 0;
	if ((got = line_read(&x->near, &x->heard, &ignored)) < 0)
		return session_ends(x, e);
	if (got & IO_HEARD)
		x->near_by = clock_in(x->o->near_ms);
	carry_near(&x->c, buf_take(&x->heard));
	x->near_eof = got & IO_EOF;
	return got != 0;
}

/* An own clock for the MTA runs only while it is its turn. */
static bool
near_is_late(const struct carrying *x)
{
	return clock_left(x->near_takes) == 0 || (carry_patience(&x->c) == 0 &&
	    x->c.to_far.n == 0 && clock_left(x->near_by) == 0);
}

static int
move_near(struct carrying *x, struct err *e)
{
	int read, wrote;

	if (x->near.io.in < 0)
		return x->released && !x->quit && carry_is_free(&x->c) ?
		    take_session(x) : 0;
	if ((read = read_near(x, e)) < 0)
		return -1;
	if (x->near.io.in < 0)
		return 1;
	if ((wrote = write_near(x, e)) < 0)
		return -1;
	if (x->near.io.in < 0)
		return 1;
	if (carry_patience(&x->c) > 0)
		x->near_by = clock_in(x->o->near_ms);
	if (carry_near_over(&x->c) ||
	    (x->near_eof && carry_near_done(&x->c)) ||
	    (x->c.over && near_is_late(x)))
		return session_ends(x, e);
	if (near_is_late(x)) {
		carry_dismiss(&x->c, "nothing was said for too long");
		x->near_by = x->near_takes = clock_in(GRACE_MS);
		return 1;
	}
	return read > 0 || wrote > 0;
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

/* What is to be done while nothing is carried; 1, 0, -1. */
static int
between(struct carrying *x, struct err *e)
{
	struct splice *o = x->o;

	if (x->near.io.in >= 0 || !carry_is_free(&x->c) || x->quit)
		return 0;
	if (!x->released) {
		x->released = true;
		x->quiet_at = clock_in(o->first_ms);
		return o->release != NULL && o->release(o->arg, e) < 0 ? -1 : 1;
	}
	if (clock_left(x->quiet_at) > 0 && !is_stopped(o))
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

static void
await(struct carrying *x)
{
	const struct carry *c = &x->c;
	bool near = x->near.io.in >= 0, takes = !near && x->released && !x->quit &&
	    carry_is_free(c);
	bool writes = c->to_far.n > 0 || line_busy(x->far);
	int64_t until = clock_sooner(x->o->deadline, x->far_by);
	struct pollfd p[6] = {
		{ x->far_eof || carry_far_full(c) ? -1 : x->far->io.in, POLLIN, 0 },
		{ writes ? x->far->io.out : -1, POLLOUT, 0 },
		{ near && !x->near_eof && !carry_near_full(c) ? x->near.io.in : -1,
		    POLLIN, 0 },
		{ near && c->to_near.n > 0 ? x->near.io.out : -1, POLLOUT, 0 },
		{ takes ? x->o->listener : -1, POLLIN, 0 },
		{ takes ? x->o->stop : -1, POLLIN, 0 },
	};

	if (writes)
		until = clock_sooner(until, x->far_takes);
	if (near)
		until = clock_sooner(until, clock_sooner(x->near_by, x->near_takes));
	else if (takes)
		until = clock_sooner(until, x->quiet_at);
	interrupt_poll(p, 6, clock_left(until));
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
		if ((near = move_near(x, e)) < 0 || (mine = between(x, e)) < 0)
			return -1;
		if (wrote == 0 && heard == 0 && near == 0 && mine == 0) {
			be_patient(x);
			await(x);
		}
	}
	return 0;
}

/* The MTA hears that it has to come again, if it listens. */
static void
send_away(struct carrying *x)
{
	static const char words[] = "421 4.3.2 the customer is gone\r\n";
	struct err ignored = {0};
	struct pollfd p = { x->near.io.out, POLLOUT, 0 };
	int64_t until = clock_in(GRACE_MS);
	int fd;

	if (x->near.io.in >= 0) {
		carry_dismiss(&x->c, "the connection to the customer is lost");
		while (x->c.to_near.n > 0 && clock_left(until) > 0 &&
		    x->near.io.in >= 0 && write_near(x, &ignored) >= 0)
			if (x->near.io.in >= 0 && x->c.to_near.n > 0)
				poll(&p, 1, clock_left(until));
	}
	if (x->near.io.in >= 0)
		line_close(&x->near);
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
	    .near = { .io = { .in = -1, .out = -1 } },
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
	buf_free(&x.heard);
	return r;
}
