#include "smtp/letter.h"

#include <stdio.h>
#include <stdlib.h>

void
outcome_set(struct outcome *o, enum fate fate, int code, const char *status,
    char *text)
{
	free(o->text);
	o->fate = fate;
	o->code = code;
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

void
letter_accepted(struct letter *l, const struct reply *r, bool dsn)
{
	for (size_t i = 0; i < l->env->rcpts.n; i++) {
		bool relayed = !dsn &&
		    (l->env->rcpts.p[i].notify & NOTIFY_SUCCESS);
		struct buf words = {0};

		if (!letter_means(l, i))
			continue;
		reply_words(&words, r);
		outcome_set(&l->met[i], relayed ? FATE_RELAYED : FATE_DELIVERED,
		    r->code, *r->status ? r->status : "2.0.0",
		    buf_str(&words));
	}
}

void
letter_free_met(struct letter *l)
{
	for (size_t i = 0; l->met != NULL && i < l->env->rcpts.n; i++)
		free(l->met[i].text);
	free(l->met);
	l->met = NULL;
}
