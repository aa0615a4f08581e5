#include "session/jobs.h"

#include "session/pick.h"
#include "wire/domain.h"

/* Where one recipient goes; NULL and why not. */
static struct dest *
where(struct batch *b, struct dest *only, const struct rcpt *r,
    const struct err **why)
{
	static const struct err bare = { FAULT_NOHOST,
	    "5.1.2 an address without a domain; name a server" };
	struct span domain = domain_of(span_of(r->address));

	if (only != NULL)
		return only;
	*why = &bare;
	return domain.n > 0 ? batch_route(b, domain, why) : NULL;
}

static void
nowhere(struct batch *b, const char *ref, struct envelope *part,
    const struct err *why)
{
	struct body none = {0};
	struct job *j = job_new(ref, part, &none);
	char status[ROUTE_STATUS_MAX];
	struct span text = route_why(why, status);
	bool for_good = why->fault == FAULT_NOHOST;

	for (size_t i = 0; i < j->env.rcpts.n; i++)
		outcome_set(&j->letter.met[i], for_good ? FATE_FAILED :
		    FATE_DEFERRED, 0, status, span_dup(text));
	batch_tell(b, j, NULL, why);
}

static void
somewhere(struct batch *b, struct dest *d, const char *ref,
    struct envelope *part, const struct text_source *src)
{
	struct body body = {0};
	struct err e = {0};
	int r = src->open(src->arg, &body, &e);
	struct job *j = job_new(ref, part, &body);

	if (r == 1) {
		j->dest = d;
		batch_add(b, j);
		return;
	}
	job_defer(j, "4.3.0", r < 0 ? e.text : "no longer in the queue");
	batch_tell(b, j, NULL, r < 0 ? &e : NULL);
}

static void
move_rcpt(struct envelope *to, struct rcpt *r)
{
	*vec_add(&to->rcpts) = *r;
	*r = (struct rcpt){ .done = true };
}

static void
copy_rest(struct envelope *to, const struct envelope *from)
{
	to->sender = from->sender != NULL ? span_dup(span_of(from->sender)) : NULL;
	to->envid = from->envid != NULL ? span_dup(span_of(from->envid)) : NULL;
	to->ret = from->ret;
	to->body = from->body;
	to->smtputf8 = from->smtputf8;
}

/* Where one recipient goes; not meant: neither. */
struct way {
	struct dest *dest;
	const struct err *why;	/* nowhere */
};

/* Every question first: from then on the batch's answers stay where they are. */
static void
ask_all(struct batch *b, const struct envelope *env, struct way *ways)
{
	for (int again = 0; again < 2; again++)
		for (size_t i = 0; i < env->rcpts.n; i++) {
			const struct rcpt *r = &env->rcpts.p[i];

			if (r->selected && !r->done)
				ways[i].dest = where(b, NULL, r, &ways[i].why);
			if (ways[i].dest != NULL)
				ways[i].why = NULL;
		}
}

/* Those that go where the first one goes. */
static void
part_of(struct batch *b, struct envelope *env, const struct way *ways,
    size_t first, const char *ref, const struct text_source *src)
{
	const struct way *way = &ways[first];
	struct envelope part = {0};

	copy_rest(&part, env);
	for (size_t i = first; i < env->rcpts.n; i++) {
		struct rcpt *r = &env->rcpts.p[i];

		if (r->selected && !r->done && ways[i].dest == way->dest &&
		    ways[i].why == way->why)
			move_rcpt(&part, r);
	}
	if (way->dest != NULL)
		somewhere(b, way->dest, ref, &part, src);
	else
		nowhere(b, ref, &part, way->why);
}

static void
split(struct batch *b, const char *ref, struct envelope *env,
    const struct text_source *src)
{
	struct way *ways = must(calloc(env->rcpts.n + 1, sizeof *ways));

	ask_all(b, env, ways);
	for (size_t i = 0; i < env->rcpts.n; i++)
		if (env->rcpts.p[i].selected && !env->rcpts.p[i].done)
			part_of(b, env, ways, i, ref, src);
	free(ways);
}

void
jobs_add(struct batch *b, struct dest *only, const char *ref,
    struct envelope *env, const struct text_source *src)
{
	if (only != NULL)
		somewhere(b, only, ref, env, src);
	else
		split(b, ref, env, src);
	envelope_free(env);
}

/* ---- records ---- */

/* Nothing was sent: everybody the record names is deferred. */
static void
untouched(struct batch *b, const struct record *r, const char *text,
    enum fault why)
{
	struct result told = { .ref = r->ref, .fate = FATE_DEFERRED,
	    .recipient = (char *)(uintptr_t)"*",
	    .status = (char *)(uintptr_t)"4.3.0",
	    .text = (char *)(uintptr_t)text };

	if (r->rcpts.n == 0)
		b->told(b->arg, &told);
	for (size_t i = 0; i < r->rcpts.n; i++) {
		told.recipient = r->rcpts.p[i];
		b->told(b->arg, &told);
	}
	b->status = status_worse(b->status, (int)why);
}

struct queued {
	struct spool *spool;
	const char *ref;
	struct body body;	/* open already; for the first job */
};

static int
open_queued(void *arg, struct body *body, struct err *e)
{
	struct queued *q = arg;

	if (q->body.next != NULL) {
		*body = q->body;
		q->body = (struct body){0};
		return 1;
	}
	return q->spool->kind->body(q->spool, q->ref, body, e);
}

void
jobs_record(struct batch *b, struct dest *only, struct spools *known,
    const struct record *r)
{
	struct entry at = {0};
	struct message m = {0};
	struct queued q = {0};
	struct text_source src = { open_queued, &q };
	struct err e = {0};
	int found = pick_message(known, r, &q.spool, &at, &m, &q.body,
	    &e);

	if (found == PICK_OK) {
		q.ref = buf_str(&at.ref);
		jobs_add(b, only, r->ref, &m.env, &src);
	} else if (found < 0) {
		untouched(b, r, e.text, e.fault);
	} else {
		untouched(b, r, found == PICK_CHANGED ?
		    "the queue has another message under this name" :
		    "no longer in the queue", FAULT_TEMP);
	}
	body_close(&q.body);
	message_free(&m);
	buf_free(&at.ref);
}

/* ---- in words ---- */

int
jobs_explain(struct batch *b, struct dest *only, const struct envelope *env,
    struct buf *out)
{
	const struct err *why = NULL;
	int status = 0;

	for (size_t i = 0; i < env->rcpts.n; i++) {
		struct dest *d = where(b, only, &env->rcpts.p[i], &why);

		field_add(out, span_of(env->rcpts.p[i].address));
		buf_adds(out, d == NULL ? "\t-\t" : "\t");
		if (d == NULL) {
			field_add(out, span_of(why->text));
			status = status_worse(status, (int)why->fault);
		}
		for (size_t k = 0; d != NULL && k < d->servers.n; k++) {
			buf_adds(out, k > 0 ? "," : "");
			field_add(out, span_of(d->servers.p[k].peer.text));
			if (k < d->route.n)
				buf_addf(out, "/%d", d->route.p[k].preference);
		}
		buf_addc(out, '\n');
	}
	return status;
}
