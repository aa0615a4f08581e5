#include "session/pick.h"

#include "spool/select.h"

static enum pick
rcpts(struct message *m, const struct record *r)
{
	for (size_t i = 0; i < m->env.rcpts.n; i++)
		m->env.rcpts.p[i].selected = !m->env.rcpts.p[i].done;
	if (!select_record(m, r))
		return PICK_CHANGED;
	return select_any(m) ? PICK_OK : PICK_GONE;
}

/* At the ref as it stands, in a queue that is known: no look-up at all. */
static int
right_there(struct spools *known, const struct record *r,
    struct spool **spool, struct entry *at, struct message *m,
    struct body *body, struct err *e)
{
	for (size_t i = known->n; i-- > 0;) {
		struct spool *s = &known->p[i];

		if (s->kind->at == NULL || !s->kind->at(s, r->ref, at))
			continue;
		*spool = s;
		if (s->kind->read_body != NULL)
			return s->kind->read_body(s, at, m, body, e);
		return s->kind->read(s, at, 0, m, e);
	}
	return 0;
}

int
pick_message(struct spools *known, const struct record *r, struct spool **spool,
    struct entry *at, struct message *m, struct body *body, struct err *e)
{
	int found = right_there(known, r, spool, at, m, body, e);

	if (found == 0) {
		if ((*spool = spool_of(known, r->ref, e)) == NULL)
			return -1;
		found = spool_at(*spool, r->ref, at, e);
		if (found == 1)
			found = (*spool)->kind->read(*spool, at, 0, m, e);
	}
	return found == 1 ? (int)rcpts(m, r) : found;
}
