#include "session/feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "session/hand.h"
#include "session/worker.h"

#define LOOK_MS 1000		/* a dead child's pipe may live on in its children */

struct feed {
	const char *const *command;
	struct feed_limits limits;
	struct hand hand;
	struct worker w;
	size_t answered;	/* recipients, by this child */
	size_t star;		/* 1 + slot that a `*` goes on with */
	int64_t stop_at;	/* the child is ended then */
	const char *why_stop;
	int watch, status;
	bool no_more, stopped;
	bool sweeping;		/* the child is gone: who is left is deferred */
	struct result result;	/* the child's */
	struct result said;	/* the caller's; owns ref and recipient */
	struct buf text;
};

static int
start(struct feed *f, struct err *e)
{
	f->answered = 0;
	return worker_start(&f->w, f->command, e);
}

struct feed *
feed_new(const char *const *command, const struct feed_limits *limits, bool now,
    struct err *e)
{
	struct feed *f;

	if (worker_find(command[0], e) < 0)
		return NULL;
	f = must(calloc(1, sizeof *f));
	f->command = command;
	f->limits = *limits;
	f->watch = -1;
	f->stop_at = NEVER;
	f->w = (struct worker)WORKER_NONE;
	hand_init(&f->hand, limits->in_hand);
	if (!now || start(f, e) == 0)
		return f;
	feed_free(f);
	return NULL;
}

void
feed_free(struct feed *f)
{
	if (f == NULL)
		return;
	worker_free(&f->w);
	hand_free(&f->hand);
	free(f->said.ref);
	free(f->said.recipient);
	result_free(&f->result);
	buf_free(&f->text);
	free(f);
}

/* ---- what goes to the child ---- */

static void
push(struct feed *f)
{
	worker_push(&f->w);
	if (f->no_more && f->w.out.n == 0 && f->w.child.in >= 0)
		worker_hang_up(&f->w, true);
}

int
feed_give(struct feed *f, const struct record *r, size_t *number, struct err *e)
{
	size_t before;

	if (f->w.child.pid == 0 && start(f, e) < 0)
		return -1;
	if (f->hand.n == 0)
		f->w.last = clock_now();
	*number = hand_add(&f->hand, r);
	before = f->w.out.n;
	record_add(&f->w.out, r, '\n');
	f->w.queued += f->w.out.n - before;
	f->hand.slot[*number].end = f->w.queued;
	push(f);
	return 0;
}

void
feed_watch(struct feed *f, int fd)
{
	f->watch = fd;
}

void
feed_no_more(struct feed *f)
{
	f->no_more = true;
	push(f);
}

void
feed_stop(struct feed *f, int64_t grace_ms, const char *why)
{
	f->stopped = true;
	f->why_stop = why;
	f->stop_at = clock_sooner(f->stop_at, clock_in(grace_ms));
	worker_hang_up(&f->w, true);
}

bool
feed_stopped(const struct feed *f)
{
	return f->stopped;
}

int
feed_status(const struct feed *f)
{
	return f->status;
}

static bool
full(const struct feed *f)
{
	return f->hand.n == f->hand.room;
}

static bool
has_room(const struct feed *f)
{
	return !f->stopped && !f->no_more && !full(f) && !f->w.gone &&
	    (f->w.child.pid == 0 || !f->w.closing);
}

/* ---- what the child says ---- */

/* Recipient `k` of slot `i` has met its fate; the caller hears of it. */
static int
settled(struct feed *f, size_t i, size_t k, struct feed_event *ev)
{
	f->said.ref = span_dup(span_of(f->hand.slot[i].ref));
	f->said.recipient = hand_settle(&f->hand, i, k);
	ev->number = i;
	ev->rcpt = k;
	ev->result = &f->said;
	return FEED_RESULT;
}

static void
forget(struct feed *f)
{
	free(f->said.ref);
	free(f->said.recipient);
	f->said = (struct result){0};
}

static int
answered(struct feed *f, size_t i, size_t k, struct feed_event *ev)
{
	f->answered++;
	f->w.last = clock_now();
	f->said.fate = f->result.fate;
	f->said.status = f->result.status;
	f->said.text = f->result.text;
	return settled(f, i, k, ev);
}

/* `*` means all of its message without a result yet, one a call. */
static int
go_on_with_star(struct feed *f, struct feed_event *ev)
{
	size_t i = f->star - 1;

	if (f->hand.slot[i].left == 1)
		f->star = 0;
	return answered(f, i, hand_open(&f->hand, i, NULL), ev);
}

static int
on_result(struct feed *f, struct feed_event *ev, struct err *e)
{
	const struct result *r = &f->result;
	size_t i, k;

	if (strcmp(r->ref, "!") == 0) {
		f->status = status_worse(f->status, r->exit);
		err_set(e, FAULT_TEMP, "%s: %s", worker_name(f->command), r->text);
		return FEED_REMARK;
	}
	if (hand_find(&f->hand, r->ref, &i)) {
		/* a mailbox of that name is not everybody */
		k = hand_open(&f->hand, i, r->recipient);
		if (k < f->hand.slot[i].rcpts.n)
			return answered(f, i, k, ev);
		if (strcmp(r->recipient, "*") == 0) {
			f->star = i + 1;
			return go_on_with_star(f, ev);
		}
	}
	err_set(e, FAULT_DATA, "%s: a result for what is not in hand: %s %s",
	    worker_name(f->command), r->ref, r->recipient);
	return FEED_REMARK;
}

static int
hear(struct feed *f, struct feed_event *ev, struct err *e)
{
	const char *name = worker_name(f->command);
	struct span line;
	int r = worker_line(&f->w, &line);

	if (r == 0)
		return 0;
	if (r < 0) {
		err_set(e, FAULT_DATA, "%s: a line that is no result: "
		    "longer than %d octets", name, WORKER_LINE);
		return FEED_REMARK;
	}
	result_free(&f->result);
	if (result_parse(&f->result, line, e) == 0)
		return on_result(f, ev, e);
	err_in(e, "%s: a line that is no result", name);
	return FEED_REMARK;
}

/* ---- when the child is gone ---- */

static int
sysexit_of(int status)
{
	return status == 0 || (status >= FAULT_USAGE && status <= FAULT_CONFIG) ?
	    status : FAULT_TEMP;
}

/*
 * Its last line was heard.  One that leaves with work undone before it was
 * asked to, or that answered nothing at all, is not started again: it would run
 * through the whole queue like this.
 */
static int
over(struct feed *f, struct err *e)
{
	size_t left = hand_left(&f->hand);
	const char *name = worker_name(f->command);
	int code = f->w.code;

	f->status = status_worse(f->status, sysexit_of(code));
	if (left > 0)
		f->status = status_worse(f->status, FAULT_TEMP);
	if ((left > 0 || (code != 0 && !f->w.asked)) &&
	    (!f->w.asked || f->answered == 0))
		f->stopped = true;
	f->w.gone = false;
	f->sweeping = left > 0;
	if (left > 0)
		err_set(e, FAULT_TEMP, "%s %s; recipients without an answer: "
		    "%zu", name, f->w.why, left);
	else if (code != sysexit_of(code))
		err_set(e, FAULT_TEMP, "%s %s", name, f->w.why);
	else
		return 0;	/* whatever it met, it has told */
	return FEED_REMARK;
}

/* One recipient after the other that nobody answered for. */
static int
sweep(struct feed *f, struct feed_event *ev)
{
	for (size_t i = 0; i < f->hand.room; i++) {
		if (f->hand.slot[i].left == 0)
			continue;
		buf_clear(&f->text);
		/* half a record is no record: that one it cannot have sent */
		if (f->hand.slot[i].end <= f->w.written)
			buf_adds(&f->text, "possible duplicate: ");
		buf_addf(&f->text, "%s %s before it answered",
		    worker_name(f->command),
		    f->why_stop != NULL ? f->why_stop : f->w.why);
		f->said.fate = FATE_DEFERRED;
		f->said.status = (char *)(uintptr_t)"4.3.0";
		f->said.text = buf_str(&f->text);
		return settled(f, i, hand_open(&f->hand, i, NULL), ev);
	}
	f->sweeping = false;
	return 0;
}

/* ---- waiting ---- */

static bool
hangs(const struct feed *f, int64_t now)
{
	return (f->hand.n > 0 || f->w.child.out < 0) &&
	    f->limits.quiet_ms != NEVER &&
	    now - f->w.last >= f->limits.quiet_ms;
}

/* COMMAND reads all before it answers, or so it looks. */
static bool
waits_for_end(const struct feed *f, int64_t now)
{
	return full(f) && !f->w.closing && f->w.out.n == 0 &&
	    now - f->w.last >= f->limits.idle_ms;
}

/* Deadlines that have come. */
static void
late(struct feed *f)
{
	int64_t now = clock_now();

	if (now >= f->limits.deadline && f->why_stop == NULL)
		feed_stop(f, LOOK_MS, "was stopped, as the time was over,");
	if (f->w.child.pid == 0)
		return;
	if (now >= f->stop_at)
		worker_end(&f->w, f->why_stop);
	else if (hangs(f, now))
		worker_end(&f->w, "was ended, as nothing more came from it,");
	else if (waits_for_end(f, now))
		worker_hang_up(&f->w, true);
}

static int
patience(const struct feed *f)
{
	int64_t until = f->why_stop == NULL ? f->limits.deadline : f->stop_at;

	if (has_room(f) && f->watch < 0)
		return 0;
	if (f->w.child.pid == 0)
		return clock_left(until);
	until = clock_sooner(until,
	    clock_in(f->w.child.out < 0 ? f->w.nap : LOOK_MS));
	if (full(f) && !f->w.closing)
		until = clock_sooner(until, f->w.last + f->limits.idle_ms);
	if (f->hand.n > 0 && f->limits.quiet_ms != NEVER)
		until = clock_sooner(until, f->w.last + f->limits.quiet_ms);
	return clock_left(until);
}

/* One look at the world: an event, or 0. */
static int
look(struct feed *f, struct err *e)
{
	struct pollfd p[3] = {
		{ f->w.out.n > 0 ? f->w.child.in : -1, POLLOUT, 0 },
		{ f->w.child.out, POLLIN, 0 },
		{ has_room(f) ? f->watch : -1, POLLIN, 0 },
	};
	int r = interrupt_poll(p, 3, patience(f));

	if (r < 0 && errno == EINTR)
		return FEED_SIGNAL;
	if (r < 0) {
		err_sys(e, "poll");
		e->fault = FAULT_OS;
		return -1;
	}
	if (p[0].revents)
		push(f);
	if (p[1].revents) {
		worker_pull(&f->w);
		return 0;
	}
	late(f);
	if (f->w.child.pid != 0 && r == 0)
		worker_reap(&f->w);
	return has_room(f) && (f->watch < 0 || p[2].revents) ? FEED_ROOM : 0;
}

int
feed_next(struct feed *f, struct feed_event *ev, struct err *e)
{
	int r = 0;

	forget(f);
	while (r == 0) {
		r = f->star > 0 ? go_on_with_star(f, ev) : hear(f, ev, e);
		if (r == 0 && f->w.gone)
			r = over(f, e);
		if (r == 0 && f->sweeping)
			r = sweep(f, ev);
		if (r == 0 && f->w.child.pid == 0 && !has_room(f))
			return FEED_END;
		if (r == 0)
			r = look(f, e);
	}
	return r;
}
