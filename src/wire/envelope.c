#include "wire/envelope.h"

struct rcpt *
envelope_add(struct envelope *v, char *address)
{
	struct rcpt *r = vec_add(&v->rcpts);

	r->address = address;
	return r;
}

void
envelope_free(struct envelope *v)
{
	for (size_t i = 0; i < v->rcpts.n; i++) {
		free(v->rcpts.p[i].address);
		free(v->rcpts.p[i].orcpt);
		free(v->rcpts.p[i].reason);
		free(v->rcpts.p[i].status);
	}
	vec_free(&v->rcpts);
	free(v->sender);
	free(v->envid);
	*v = (struct envelope){0};
}
