/* From what the source gives to a message in hand. */
#include "session/takeout_job.h"

#include "wire/path.h"

static void
tell_busy(struct job *j, const char *ref, const char *why)
{
	j->undone.busy++;
	if (j->how->verbose)
		warn(j->how->tool, "%s: busy: %s", ref, why);
}

/* Something named that is not to be taken: false, told and counted. */
static bool
may_take(struct job *j, const struct wanted *w, const char *ref)
{
	unsigned states = j->source->select->states;

	if (w->entry.state == STATE_HOLD && !(states & STATE_BIT(STATE_HOLD))) {
		warn(j->how->tool, "%s: is held; --state=hold would take it", ref);
		j->undone.held++;
		return false;
	}
	if (w->entry.state != STATE_DEFERRED && w->entry.state != STATE_HOLD) {
		tell_busy(j, ref, "its MTA has it in hand");
		return false;
	}
	return true;
}

static bool
is_named(const struct job *j, const struct wanted *w)
{
	return j->source->select->ids.n > 0 || w->record.ref != NULL;
}

/* Does what was read of it before it is claimed make it worth a claim? */
static enum fit
peek(struct job *j, struct wanted *w, struct message *m, struct err *e)
{
	int r = w->spool->kind->read(w->spool, &w->entry,
	    select_reads(j->source->select), m, e);

	if (r < 0)
		takeout_trouble(j, e);
	return r > 0 ? source_fits(j->source, w, m, false) : FIT_NO;
}

static void
tell_changed(struct job *j, const struct message *m)
{
	j->undone.changed++;
	if (j->how->verbose)
		warn(j->how->tool, "%s: is another message now", message_label(m));
}

/*
 * A message that another has been at, or 8-bit from before SMTPUTF8: no record
 * says such an address, and it must not stop the others.
 */
static void
leave_unsayable(struct job *j, struct taken *t)
{
	struct envelope *v = &t->m.env;
	bool all = v->sender != NULL && *v->sender != '\0' &&
	    !path_is_mailbox(span_of(v->sender));

	for (size_t i = 0; i < v->rcpts.n; i++) {
		struct result r = { .recipient = v->rcpts.p[i].address,
		    .fate = FATE_FAILED, .status = (char *)(uintptr_t)
		    (all ? "5.1.7" : "5.1.3"), .text = (char *)(uintptr_t)
		    (all ? "the sender's address cannot be said in SMTP" :
		    "this address cannot be said in SMTP") };

		if (!v->rcpts.p[i].selected || (!all &&
		    path_is_mailbox(span_of(v->rcpts.p[i].address))))
			continue;
		v->rcpts.p[i].selected = false;
		takeout_meet(j, t, i, &r);
	}
}

/* 1 it is ours, in `t`; 0 not, told and counted where that is due. */
static int
claim(struct job *j, struct wanted *w, struct taken *t, struct buf *ref)
{
	struct err e = {0};
	enum fit fit;

	*t = (struct taken){ .spool = w->spool };
	/* the queue of a ref was not known before */
	switch (spool_yields(w->spool, &e) < 0 ? CLAIM_ERROR :
	    w->spool->kind->claim(w->spool, &w->entry, &t->m, &t->claimed, &e)) {
	case CLAIM_OURS:
		break;
	case CLAIM_BUSY:
		tell_busy(j, buf_str(ref), "somebody else has it in hand");
		return 0;
	case CLAIM_GONE:
		return 0;
	default:
		takeout_trouble(j, &e);
		return 0;
	}
	t->ref = span_dup(w->record.ref != NULL ? span_of(w->record.ref) :
	    buf_span(ref));
	fit = source_fits(j->source, w, &t->m, true);
	if (fit == FIT_YES && j->how->verdict == NULL)
		leave_unsayable(j, t);
	if (fit == FIT_YES && select_any(&t->m))
		return 1;
	if (fit == FIT_CHANGED)
		tell_changed(j, &t->m);
	takeout_give_back(j, t);
	return 0;
}

static void
show(struct job *j, const struct message *m)
{
	struct buf line = {0};
	struct record r;

	message_record(m, &r);
	buf_adds(&line, j->how->verdict != NULL ? "bounce\t" : "take\t");
	record_add(&line, &r, j->how->end);
	takeout_put(j, &line);
	vec_free(&r.rcpts);
	buf_free(&line);
}

int
takeout_claim(struct job *j, struct wanted *w, struct taken *t)
{
	struct buf ref = {0};
	struct message m = {0};
	struct err e = {0};
	enum fit fit;
	bool untold;
	int r = 0;

	buf_addspan(&ref, buf_span(&w->entry.ref));
	untold = w->entry.state == STATE_UNTOLD;
	fit = untold || may_take(j, w, ref_name(buf_str(&ref))) ?
	    peek(j, w, &m, &e) : FIT_NO;
	if (untold && m.ref != NULL) {
		w->entry.state = m.state;
		/* of what the walk met only what is meant is told */
		if ((fit == FIT_YES || is_named(j, w)) &&
		    !may_take(j, w, ref_name(buf_str(&ref))))
			fit = FIT_NO;
	}
	if (fit == FIT_CHANGED)
		tell_changed(j, &m);
	if (fit == FIT_YES && select_any(&m) && (j->how->only == NULL ||
	    seen_has(j->how->only, m.dev, m.ino, m.arrival, m.within))) {
		if (j->how->dry)
			show(j, &m);
		r = j->how->dry || claim(j, w, t, &ref);
	}
	message_free(&m);
	buf_free(&ref);
	return r;
}
