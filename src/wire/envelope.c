#include "wire/envelope.h"

static void
rcpt_free(struct rcpt *r)
{
	free(r->address);
	free(r->orcpt);
	free(r->reason);
	free(r->status);
	*r = (struct rcpt){0};
}

struct rcpt *
envelope_add(struct envelope *v, char *address)
{
	struct rcpt *r = vec_add(&v->rcpts);

	r->address = address;
	return r;
}

struct rcpt *
envelope_read(struct envelope *v, char *address)
{
	struct rcpt *r;

	if (v->rcpts.n < ENVELOPE_RCPTS_MAX)
		return envelope_add(v, address);
	v->crowded = true;
	r = &v->rcpts.p[v->rcpts.n - 1];
	rcpt_free(r);
	r->address = address;
	return r;
}

int
envelope_whole(const struct envelope *v, struct err *e)
{
	return !v->crowded ? 0 : err_set(e, FAULT_DATA,
	    "more than %d recipients", ENVELOPE_RCPTS_MAX);
}

void
envelope_free(struct envelope *v)
{
	for (size_t i = 0; i < v->rcpts.n; i++)
		rcpt_free(&v->rcpts.p[i]);
	vec_free(&v->rcpts);
	free(v->sender);
	free(v->envid);
	*v = (struct envelope){0};
}
