/* What becomes of the messages in hand. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "out/result.h"
#include "out/screen.h"
#include "session/takeout_job.h"
#include "spool/seize.h"

void
takeout_trouble(struct job *j, struct err *e)
{
	err_print(e, j->how->tool);
	j->status = status_worse(j->status, (int)e->fault);
	err_clear(e);
}

void
takeout_put(struct job *j, const struct buf *line)
{
	struct err e = {0};

	if (j->mute)
		return;
	screen_put(buf_span(line));
	if (fflush(stdout) == 0 && !ferror(stdout))
		return;
	/* the work goes on: what COMMAND delivers must be marked all the same */
	err_sys(&e, "write results");
	e.fault = FAULT_IO;
	takeout_trouble(j, &e);
	j->mute = true;
}

static void
report(struct job *j, const struct taken *t, const struct result *said)
{
	struct result named = *said;
	struct buf line = {0};

	if (!j->how->json && !j->how->results)
		return;
	named.ref = t->ref;
	result_show(&line, &named, j->how->json, j->how->end);
	takeout_put(j, &line);
	buf_free(&line);
}

static void
count(struct job *j, const struct message *m, const struct result *r)
{
	bool failed = r->fate == FATE_FAILED;

	switch (r->fate) {
	case FATE_DELIVERED:
	case FATE_RELAYED:
		j->delivered++;
		break;
	case FATE_FAILED:
		j->failed++;
		if (j->how->bounce)
			return;		/* told when it was reported, or not */
		j->status = status_worse(j->status, FAULT_UNAVAILABLE);
		break;
	default:
		j->deferred++;
		j->status = status_worse(j->status, FAULT_TEMP);
	}
	if (failed || j->how->verbose)
		warn(j->how->tool, "%s: %s: %s: %s", message_label(m),
		    r->recipient, fate_name(r->fate), r->text);
}

/* How the recipient's mark went: told unless it is right. */
static void
check_marked(struct job *j, struct taken *t, const struct result *said, int r,
    struct err *e)
{
	const char *fate = fate_name(said->fate), *label = message_label(&t->m);

	if (r < 0)
		err_in(e, "%s: %s: %s, but not marked in its queue", label,
		    said->recipient, fate);
	else if (r == CLAIM_GONE)
		err_set(e, FAULT_TEMP, "%s: %s: %s, but the message was taken away "
		    "meanwhile", label, said->recipient, fate);
	t->served = t->served || seize_is_done(said);
	t->unmarked = t->unmarked || r < 0;
	if (r != 0)
		takeout_trouble(j, e);
}

/* One file may be damaged; behind several is a disk that is full, or gone. */
static void
end_if_unmarked(struct job *j, const struct taken *t)
{
	struct err e = {0};

	if (!t->served || !t->unmarked || ++j->unmarked != UNMARKED_MAX)
		return;
	err_set(&e, FAULT_IO, "%d messages could not be marked; the rest of the "
	    "queue was left", UNMARKED_MAX);
	takeout_trouble(j, &e);
}

static void
mark_failed(struct job *j, struct taken *t, const struct failing *f)
{
	const struct spool_kind *kind = t->spool->kind;
	struct result r = { .recipient = t->m.env.rcpts.p[f->rcpt].address,
	    .fate = FATE_FAILED, .status = f->status, .text = f->text };
	struct err e = {0};
	int done;

	if (kind->fail != NULL) {
		done = kind->fail(t->claimed, &t->m, f->rcpt, &r, &e);
	} else {
		r.fate = FATE_DELIVERED;
		done = kind->settle(t->claimed, &t->m, f->rcpt, &r, &e);
		r.fate = FATE_FAILED;
	}
	t->served = true;
	check_marked(j, t, &r, done, &e);
	j->bounced += done == 0;
	if (done == 0 && j->how->verbose)
		warn(j->how->tool, "%s: %s: %s: %s", message_label(&t->m),
		    r.recipient, bounce_is_due(&t->m, f->rcpt) ? "returned" :
		    "taken out, and nobody is to be told", r.text);
}

/* Not reported: it stays in its queue. */
static void
keep_failed(struct job *j, struct taken *t, const struct failing *f)
{
	struct result r = { .recipient = t->m.env.rcpts.p[f->rcpt].address,
	    .fate = FATE_FAILED, .status = f->status, .text = f->text };
	struct err e = {0};

	check_marked(j, t, &r, t->spool->kind->settle(t->claimed, &t->m,
	    f->rcpt, &r, &e), &e);
}

/* One report about all that failed, then they are done. */
static void
send_back(struct job *j, struct taken *t)
{
	const struct spool_kind *kind = t->spool->kind;
	struct err e = {0};
	bool told = true;

	if (t->failed.n == 0)
		return;
	if (kind->reports == NULL || !kind->reports(t->claimed, &t->m))
		told = bounce_report(t->spool, &t->m, &t->failed,
		    j->how->limits.deadline, &j->hangs, &e) >= 0;
	if (!told && e.fault == FAULT_NONE && j->how->verbose)
		err_set(&e, FAULT_TEMP, "sendmail hangs");
	if (!told && e.fault != FAULT_NONE) {
		err_in(&e, "%s: not returned to <%s>", message_label(&t->m),
		    t->m.env.sender);
		takeout_trouble(j, &e);
	}
	for (size_t i = 0; i < t->failed.n; i++)
		(told ? mark_failed : keep_failed)(j, t, &t->failed.p[i]);
	failings_free(&t->failed);
}

void
takeout_give_back(struct job *j, struct taken *t)
{
	struct err e = {0};

	send_back(j, t);
	if (t->spool->kind->done(t->claimed, &t->m, &e) < 0) {
		t->unmarked = true;
		takeout_trouble(j, &e);
	}
	end_if_unmarked(j, t);
	message_free(&t->m);
	vec_free(&t->rcpts);
	free(t->ref);
	*t = (struct taken){0};
}

void
takeout_meet(struct job *j, struct taken *t, size_t rcpt, const struct result *said)
{
	struct err e = {0};

	count(j, &t->m, said);
	if (j->how->bounce && said->fate == FATE_FAILED)
		failings_add(&t->failed, rcpt, said, j->how->verdict != NULL ?
		    t->m.last_attempt : (int64_t)time(NULL));
	else
		check_marked(j, t, said, t->spool->kind->settle(t->claimed,
		    &t->m, rcpt, said, &e), &e);
	report(j, t, said);
}
