/* One COMMAND: records in, results out, and what its end means. */
#include <stdlib.h>
#include <string.h>

#include "session/feed_one.h"

void
one_init(struct one *o, struct feed *all, size_t number, size_t room)
{
	*o = (struct one){ .all = all, .number = number, .w = WORKER_NONE };
	hand_init(&o->hand, room);
}

void
one_forget(struct one *o)
{
	free(o->said.ref);
	free(o->said.recipient);
	o->said = (struct result){0};
}

void
one_free(struct one *o)
{
	worker_free(&o->w);
	hand_free(&o->hand);
	one_forget(o);
	result_free(&o->result);
	buf_free(&o->text);
}

int
one_start(struct one *o, struct err *e)
{
	o->answered = 0;
	return worker_start(&o->w, o->all->command, e);
}

void
one_push(struct one *o)
{
	worker_push(&o->w);
	if (o->all->no_more && o->w.out.n == 0 && o->w.child.in >= 0)
		worker_hang_up(&o->w, true);
}

static bool
full(const struct one *o)
{
	return o->hand.n == o->hand.room;
}

bool
one_has_room(const struct one *o)
{
	return !full(o) && !o->w.gone && !o->sweeping &&
	    (o->w.child.pid == 0 || !o->w.closing);
}

/* ---- what the child says ---- */

/* Recipient `k` of slot `i` has met its fate; the caller hears of it. */
static int
settled(struct one *o, size_t i, size_t k, struct feed_event *ev)
{
	o->said.ref = span_dup(span_of(o->hand.slot[i].ref));
	o->said.recipient = hand_settle(&o->hand, i, k);
	ev->number = o->number + i;
	ev->rcpt = k;
	ev->result = &o->said;
	return FEED_RESULT;
}

static int
answered(struct one *o, size_t i, size_t k, struct feed_event *ev)
{
	o->answered++;
	o->w.last = clock_now();
	o->said.fate = o->result.fate;
	o->said.status = o->result.status;
	o->said.text = o->result.text;
	return settled(o, i, k, ev);
}

/* `*` means all of its message without a result yet, one a call. */
static int
go_on_with_star(struct one *o, struct feed_event *ev)
{
	size_t i = o->star - 1;

	if (o->hand.slot[i].left == 1)
		o->star = 0;
	return answered(o, i, hand_open(&o->hand, i, NULL), ev);
}

static int
on_result(struct one *o, struct feed_event *ev, struct err *e)
{
	const struct result *r = &o->result;
	size_t i, k;

	if (strcmp(r->ref, "!") == 0) {
		o->all->status = status_worse(o->all->status, r->exit);
		err_set(e, FAULT_TEMP, "%s: %s", worker_name(o->all->command), r->text);
		return FEED_REMARK;
	}
	if (hand_find(&o->hand, r->ref, &i)) {
		/* a mailbox of that name is not everybody */
		k = hand_open(&o->hand, i, r->recipient);
		if (k < o->hand.slot[i].rcpts.n)
			return answered(o, i, k, ev);
		if (strcmp(r->recipient, "*") == 0) {
			o->star = i + 1;
			return go_on_with_star(o, ev);
		}
	}
	err_set(e, FAULT_DATA, "%s: a result for what is not in hand: %s %s",
	    worker_name(o->all->command), r->ref, r->recipient);
	return FEED_REMARK;
}

static int
hear(struct one *o, struct feed_event *ev, struct err *e)
{
	const char *name = worker_name(o->all->command);
	struct span line;
	int r = worker_line(&o->w, &line);

	if (r == 0)
		return 0;
	if (r < 0) {
		err_set(e, FAULT_DATA, "%s: a line that is no result: "
		    "longer than %d octets", name, WORKER_LINE);
		return FEED_REMARK;
	}
	result_free(&o->result);
	if (result_parse(&o->result, line, e) == 0)
		return on_result(o, ev, e);
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

/* No more to any of them; what they have they may finish. */
static void
stop_all(struct feed *f)
{
	f->stopped = f->no_more = true;
	for (size_t i = 0; i < f->n; i++)
		one_push(&f->one[i]);
}

/*
 * Its last line was heard.  One that leaves with work undone before it was
 * asked to, or that answered nothing at all, is not started again: it would run
 * through the whole queue like this.
 */
static int
over(struct one *o, struct err *e)
{
	size_t left = hand_left(&o->hand);
	const char *name = worker_name(o->all->command);
	int code = o->w.code;

	o->all->status = status_worse(o->all->status, sysexit_of(code));
	if (left > 0)
		o->all->status = status_worse(o->all->status, FAULT_TEMP);
	if ((left > 0 || (code != 0 && !o->w.asked)) &&
	    (!o->w.asked || o->answered == 0))
		stop_all(o->all);
	o->w.gone = false;
	o->sweeping = left > 0;
	if (left > 0)
		err_set(e, FAULT_TEMP, "%s %s; recipients without an answer: "
		    "%zu", name, o->w.why, left);
	else if (code != sysexit_of(code))
		err_set(e, FAULT_TEMP, "%s %s", name, o->w.why);
	else
		return 0;	/* whatever it met, it has told */
	return FEED_REMARK;
}

/* One recipient after the other that nobody answered for. */
static int
sweep(struct one *o, struct feed_event *ev)
{
	for (size_t i = 0; i < o->hand.room; i++) {
		if (o->hand.slot[i].left == 0)
			continue;
		buf_clear(&o->text);
		/* half a record is no record: that one it cannot have sent */
		if (o->hand.slot[i].end <= o->w.written)
			buf_adds(&o->text, "possible duplicate: ");
		buf_addf(&o->text, "%s %s before it answered",
		    worker_name(o->all->command),
		    o->all->why_stop != NULL ? o->all->why_stop : o->w.why);
		o->said.fate = FATE_DEFERRED;
		o->said.status = (char *)(uintptr_t)"4.3.0";
		o->said.text = buf_str(&o->text);
		return settled(o, i, hand_open(&o->hand, i, NULL), ev);
	}
	o->sweeping = false;
	return 0;
}

/* ---- time ---- */

static bool
hangs(const struct one *o, int64_t now)
{
	return (o->hand.n > 0 || o->w.child.out < 0) &&
	    o->all->limits.quiet_ms != NEVER &&
	    now - o->w.last >= o->all->limits.quiet_ms;
}

/* COMMAND reads all before it answers, or so it looks. */
static bool
waits_for_end(const struct one *o, int64_t now)
{
	return full(o) && !o->w.closing && o->w.out.n == 0 &&
	    now - o->w.last >= o->all->limits.idle_ms;
}

void
one_late(struct one *o, int64_t now)
{
	if (o->w.child.pid == 0)
		return;
	if (now >= o->all->stop_at)
		worker_end(&o->w, o->all->why_stop);
	else if (hangs(o, now))
		worker_end(&o->w, "was ended, as nothing more came from it,");
	else if (waits_for_end(o, now))
		worker_hang_up(&o->w, true);
}

int
one_patience(const struct one *o)
{
	const struct feed_limits *l = &o->all->limits;
	int64_t until;

	if (o->w.child.pid == 0)
		return -1;
	until = clock_in(o->w.child.out < 0 ? o->w.nap : LOOK_MS);
	if (full(o) && !o->w.closing)
		until = clock_sooner(until, o->w.last + l->idle_ms);
	if (o->hand.n > 0 && l->quiet_ms != NEVER)
		until = clock_sooner(until, o->w.last + l->quiet_ms);
	return clock_left(until);
}

int
one_event(struct one *o, struct feed_event *ev, struct err *e)
{
	int r = o->star > 0 ? go_on_with_star(o, ev) : hear(o, ev, e);

	if (r == 0 && o->w.gone)
		r = over(o, e);
	if (r == 0 && o->sweeping)
		r = sweep(o, ev);
	return r;
}
