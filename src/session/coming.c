#include "session/coming.h"

#include <stdlib.h>
#include <string.h>

static void
let_go(struct coming *c)
{
	for (size_t i = 0; i < c->rcpts.n; i++)
		free(c->rcpts.p[i].address);
	vec_free(&c->rcpts);
	free(c->status);
	free(c->why);
	free(c);
}

static void
forget(struct receive *x, size_t i)
{
	let_go(x->coming.p[i]);
	memmove(x->coming.p + i, x->coming.p + i + 1,
	    (x->coming.n - i - 1) * sizeof *x->coming.p);
	x->coming.n--;
}

struct coming *
coming_of(struct receive *x, unsigned transaction)
{
	for (size_t i = x->coming.n; i-- > 0;)
		if (x->coming.p[i]->transaction == transaction)
			return x->coming.p[i];
	return NULL;
}

static void
tell(const struct receive *x, char *recipient, int code, const char *status,
    const char *text)
{
	struct buf words = {0};
	struct result r = { .ref = (char *)(uintptr_t)"-", .recipient = recipient,
	    .fate = code / 100 == 2 ? FATE_DELIVERED : code / 100 == 5 ?
	    FATE_FAILED : FATE_DEFERRED,
	    .status = (char *)(uintptr_t)(status != NULL ? status : "4.0.0") };

	buf_addf(&words, "%d %s", code, text);
	r.text = buf_str(&words);
	if (x->told != NULL)
		x->told(x->arg, &r);
	buf_free(&words);
}

static void
refused(struct coming *c, int code, const char *status, const char *text)
{
	c->mail = 0;
	if (code / 100 == 2)
		return;
	c->refused = code;
	c->status = status != NULL ? span_dup(span_of(status)) : NULL;
	c->why = span_dup(span_of(text));
}

static void
tell_each(struct receive *x, const struct coming *c, int code, const char *status,
    const char *text)
{
	for (size_t i = 0; i < c->rcpts.n; i++)
		if (!c->rcpts.p[i].refused)
			tell(x, c->rcpts.p[i].address, code, status, text);
}

/* All of a message that was refused: those who are to have it, or, unknown, all. */
static void
tell_all(struct receive *x, const struct coming *c, int code, const char *status,
    const char *text)
{
	x->refused++;
	if (c != NULL)
		tell_each(x, c, code, status, text);
	if (c == NULL || c->rcpts.n == 0)
		tell(x, (char *)(uintptr_t)"*", code, status, text);
}

/* Whoever hears that a sender is refused may name no recipient. */
void
coming_settle(struct receive *x)
{
	for (size_t i = x->coming.n; i-- > 0;) {
		struct coming *c = x->coming.p[i];

		if (c->refused == 0)
			continue;
		tell_all(x, c, c->refused, c->status, c->why);
		forget(x, i);
	}
}

static void
ended(struct receive *x, size_t i, int code, const char *status, const char *text)
{
	struct coming *c = x->coming.p[i];

	x->messages += code / 100 == 2;
	x->octets += code / 100 == 2 ? c->octets : 0;
	x->refused += code / 100 != 2;
	tell_each(x, c, code, status, text);
	forget(x, i);
}

void
coming_decided(struct receive *x, unsigned token, int code, const char *status,
    const char *text)
{
	for (size_t i = 0; i < x->coming.n; i++) {
		struct coming *c = x->coming.p[i];

		if (c->token == token) {
			ended(x, i, code, status, text);
			return;
		}
		if (c->mail == token) {
			refused(c, code, status, text);
			return;
		}
		for (size_t k = 0; k < c->rcpts.n; k++)
			if (c->rcpts.p[k].token == token) {
				c->rcpts.p[k].token = 0;
				c->rcpts.p[k].refused = code / 100 != 2;
				if (code / 100 != 2)
					tell(x, c->rcpts.p[k].address, code,
					    status, text);
				return;
			}
	}
}

void
coming_begin(struct receive *x, const struct question *q)
{
	struct coming *c = must(calloc(1, sizeof *c));

	coming_settle(x);
	c->transaction = q->transaction;
	c->mail = q->token;
	*vec_add(&x->coming) = c;
}

void
coming_rcpt(struct receive *x, const struct question *q)
{
	struct coming_rcpt *r = vec_add(&coming_of(x, q->transaction)->rcpts);

	r->address = span_dup(span_of(q->env.rcpts.p[0].address));
	r->token = q->token;
}

void
coming_refused(struct receive *x, const struct coming *c, struct question *q)
{
	if (q->about == ABOUT_REFUSED && q->text.n > 0)
		tell(x, buf_str(&q->text), q->why.code, q->why.status, q->why.text);
	else
		tell_all(x, c, q->why.code, q->why.status, q->why.text);
}

void
coming_forget(struct receive *x, struct coming *c)
{
	for (size_t i = 0; c != NULL && i < x->coming.n; i++)
		if (x->coming.p[i] == c) {
			forget(x, i);
			return;
		}
}

void
coming_free(struct receive *x)
{
	while (x->coming.n > 0)
		forget(x, 0);
	vec_free(&x->coming);
}
