#include "session/pump.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/interrupt.h"

/* One direction. */
struct way {
	struct line *from, *to;
	struct buf held;
	bool ended;		/* from says nothing more */
	bool shut;		/* and `to' knows */
	bool optional;		/* `to' may not want it any more */
	int64_t octets;
};

static bool
may_read(const struct way *w)
{
	return !w->ended && w->held.n < PUMP_ROOM;
}

static bool
must_write(const struct way *w)
{
	return w->held.n > 0 || line_busy(w->to);
}

/* 1 something moved, 0, -1. */
static int
move(struct way *w, struct err *e)
{
	size_t before = w->held.n, taken = 0, wire = w->to->wire.n;
	int got = 0;

	if (may_read(w) && (got = line_read(w->from, &w->held, e)) < 0)
		return -1;
	w->ended = w->ended || (got & IO_EOF);
	if (must_write(w) && line_write(w->to, buf_span(&w->held),
	    (struct span){0}, &taken, e) < 0) {
		if (!w->optional)
			return -1;
		w->ended = w->shut = true;
		taken = w->held.n;
	}
	buf_drop(&w->held, taken);
	w->octets += (int64_t)taken;
	if (w->ended && !w->shut && !must_write(w)) {
		w->shut = true;
		if (w->to->tls == NULL)
			shutdown(w->to->io.out, SHUT_WR);
	}
	return got != 0 || taken > 0 || w->held.n != before ||
	    w->to->wire.n != wire;
}

/* One socket may serve both directions: its two wishes are put together. */
static int
await(const struct way *out, const struct way *back, int64_t deadline)
{
	struct pollfd p[4] = {
		{ may_read(out) ? out->from->io.in : -1, POLLIN, 0 },
		{ must_write(out) ? out->to->io.out : -1, POLLOUT, 0 },
		{ may_read(back) ? back->from->io.in : -1, POLLIN, 0 },
		{ must_write(back) ? back->to->io.out : -1, POLLOUT, 0 },
	};

	return interrupt_poll(p, 4, clock_left(deadline));
}

static int
carry(struct way *out, struct way *back, int64_t idle_ms, int64_t deadline,
    struct err *e)
{
	int64_t silent = clock_in(idle_ms);
	int said, heard;

	while (!out->shut) {
		if ((said = move(out, e)) < 0 || (heard = move(back, e)) < 0)
			return -1;
		if (interrupt_came())
			return err_set(e, FAULT_TEMP, "interrupted");
		if (clock_left(deadline) == 0)
			return err_set(e, FAULT_TEMP, "the deadline is over");
		if (said > 0 || heard > 0) {
			silent = clock_in(idle_ms);
			continue;
		}
		if (clock_left(silent) == 0)
			return err_set(e, FAULT_TEMP,
			    "nothing was said for too long");
		await(out, back, clock_sooner(silent, deadline));
	}
	return 0;
}

int
pump_run(struct line *far, struct line *near, int64_t idle_ms, int64_t deadline,
    int64_t *octets, struct err *e)
{
	struct way out = { .from = near, .to = far };
	/* who is near may be gone when the last octets come */
	struct way back = { .from = far, .to = near, .optional = true };
	int r = carry(&out, &back, idle_ms, deadline, e);

	*octets = out.octets;
	buf_free(&out.held);
	buf_free(&back.held);
	return r;
}
