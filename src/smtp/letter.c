#include "smtp/letter.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/vec.h"
#include "smtp/client.h"
#include "wire/domain.h"

void
outcome_set(struct outcome *o, enum fate fate, int code, const char *status,
    char *text)
{
	free(o->text);
	*o = (struct outcome){ .fate = fate, .code = code };
	snprintf(o->status, sizeof o->status, "%s", status);
	o->text = text;
}

void
outcome_refused(struct outcome *o, const struct reply *r)
{
	char made[12];
	struct buf words = {0};

	snprintf(made, sizeof made, "%d.0.0", r->code / 100 == 5 ? 5 : 4);
	reply_words(&words, r);
	outcome_set(o, r->code / 100 == 5 ? FATE_FAILED : FATE_DEFERRED, r->code,
	    *r->status && r->code >= 400 ? r->status : made, buf_str(&words));
}

bool
letter_means(const struct letter *l, size_t i)
{
	const struct rcpt *r = &l->env->rcpts.p[i];

	return r->selected && !r->done && l->met[i].fate == FATE_NONE &&
	    !l->met[i].again;
}

void
letter_all(struct letter *l, enum fate fate, const char *status,
    const char *text)
{
	for (size_t i = 0; i < l->env->rcpts.n; i++)
		if (letter_means(l, i))
			outcome_set(&l->met[i], fate, 0, status,
			    span_dup(span_of(text)));
}

void
letter_refused(struct letter *l, const struct reply *r)
{
	for (size_t i = 0; i < l->env->rcpts.n; i++)
		if (letter_means(l, i))
			outcome_refused(&l->met[i], r);
}

/* Relayed: success was to be reported and the next host will not do it. */
static void
accepted(struct letter *l, size_t i, const struct reply *r, bool dsn)
{
	bool relayed = !dsn && (l->env->rcpts.p[i].notify & NOTIFY_SUCCESS);
	struct buf words = {0};

	reply_words(&words, r);
	outcome_set(&l->met[i], relayed ? FATE_RELAYED : FATE_DELIVERED,
	    r->code, *r->status ? r->status : "2.0.0", buf_str(&words));
}

void
letter_accepted(struct letter *l, const struct reply *r, bool dsn)
{
	for (size_t i = 0; i < l->env->rcpts.n; i++)
		if (letter_means(l, i))
			accepted(l, i, r, dsn);
}

/* The first that RCPT was accepted for and that has no fate; n: there is none. */
static size_t
first_accepted(const struct letter *l)
{
	size_t i = 0;

	while (i < l->env->rcpts.n && !(letter_means(l, i) &&
	    l->met[i].code / 100 == 2))
		i++;
	return i;
}

void
letter_verdict(struct letter *l, const struct reply *r, bool dsn)
{
	size_t i = first_accepted(l);

	if (i == l->env->rcpts.n)
		return;
	if (r->code / 100 == 2)
		accepted(l, i, r, dsn);
	else
		outcome_refused(&l->met[i], r);
}

bool
letter_awaits_verdict(const struct letter *l)
{
	return first_accepted(l) < l->env->rcpts.n;
}

void
letter_lost(struct letter *l, bool in_doubt, const char *status,
    const char *why)
{
	struct buf text = {0};

	if (in_doubt)
		buf_adds(&text, CLIENT_DOUBT);
	buf_adds(&text, why);
	for (size_t i = 0; i < l->env->rcpts.n; i++) {
		struct outcome *o = &l->met[i];
		bool doubt = in_doubt && letter_means(l, i);

		if (!o->again && !letter_means(l, i))
			continue;
		/* one told 452 keeps these words: they are all that is known */
		if (o->again && o->text != NULL) {
			o->fate = FATE_DEFERRED;
			o->again = false;
		} else {
			outcome_set(o, FATE_DEFERRED, 0, status, span_dup(
			    doubt ? buf_span(&text) : span_of(why)));
		}
		o->untried = !doubt;
	}
	buf_free(&text);
}

void
letter_stray(struct letter *l)
{
	for (size_t i = 0; i < l->env->rcpts.n; i++)
		if (l->met[i].stray)
			l->met[i].fate = FATE_NONE;
}

struct domains { struct span *p; size_t n, room; };

static bool
is_among(const struct domains *v, struct span domain)
{
	for (size_t i = 0; i < v->n; i++)
		if (span_ieq(domain, v->p[i]))
			return true;
	return false;
}

void
letter_limit(struct letter *l, const struct ehlo *h)
{
	struct domains domains = {0};
	int64_t rcpts = 0;

	for (size_t i = 0; i < l->env->rcpts.n; i++) {
		struct outcome *o = &l->met[i];
		bool another = false;
		struct span domain;

		o->again = o->stray = false;
		if (!letter_means(l, i))
			continue;
		domain = domain_of(span_of(l->env->rcpts.p[i].address));
		if (h->rcptdomainmax > 0)
			another = !is_among(&domains, domain);
		o->again = (h->rcptmax > 0 && rcpts == h->rcptmax) ||
		    (another && (int64_t)domains.n == h->rcptdomainmax);
		rcpts += !o->again;
		if (another && !o->again)
			*vec_add(&domains) = domain;
	}
	vec_free(&domains);
}

void
letter_free_met(struct letter *l)
{
	for (size_t i = 0; l->met != NULL && i < l->env->rcpts.n; i++)
		free(l->met[i].text);
	free(l->met);
	l->met = NULL;
}
