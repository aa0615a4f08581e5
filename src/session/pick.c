#include "session/pick.h"

#include "spool/select.h"

enum pick
pick_rcpts(struct message *m, const struct record *r)
{
	for (size_t i = 0; i < m->env.rcpts.n; i++)
		m->env.rcpts.p[i].selected = !m->env.rcpts.p[i].done;
	if (!select_record(m, r))
		return PICK_CHANGED;
	return select_any(m) ? PICK_OK : PICK_GONE;
}

int
pick_message(struct spools *known, const struct record *r, struct spool **spool,
    struct entry *at, struct message *m, struct err *e)
{
	int found;

	if ((*spool = spool_of(known, r->ref, e)) == NULL)
		return -1;
	found = spool_at(*spool, r->ref, at, e);
	if (found == 1)
		found = (*spool)->kind->read(*spool, at, 0, m, e);
	return found == 1 ? (int)pick_rcpts(m, r) : found;
}
