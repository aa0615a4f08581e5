/*
 * What nullmailer can be told: to try its whole queue now.  For single messages it has
 * no command; holding and removing are done by the same renames as a claim, so that
 * nothing in delivery is touched.
 */
#include "spool/nullmailer.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int
not_here(const struct spool *s, struct err *e)
{
	return err_set(e, FAULT_UNAVAILABLE, "%s: a copied queue: its MTA is not "
	    "here", s->dir);
}

/* An octet wakes nullmailer-send; without a reader it is not running. */
static int
pull_trigger(const struct spool *s, struct err *e)
{
	struct buf path = {0};
	struct stat st;
	int fd, r = 0;

	buf_addf(&path, "%s/trigger", s->dir);
	fd = open(buf_str(&path), O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENXIO)
		r = err_set(e, FAULT_TEMP, "nullmailer-send is not running");
	else if (fd < 0)
		r = err_sys(e, "open %s", path.p);
	else if (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode))
		r = err_set(e, FAULT_IO, "%s: is no pipe", path.p);
	else if (write(fd, "", 1) != 1 && errno != EAGAIN)
		r = err_sys(e, "write %s", path.p);
	if (fd >= 0)
		close(fd);
	buf_free(&path);
	return r;
}

int
nm_bring_back(struct spool *s, struct err *e)
{
	struct message m = {0};
	struct claimed *c;
	struct entry at = {0};
	struct walk *w = s->kind->walk(s, STATE_BIT(STATE_DEFERRED), e);
	int n, r = w != NULL ? 0 : -1;

	while (w != NULL && (n = s->kind->next(w, &at, e)) > 0) {
		size_t name = (size_t)(ref_name(buf_str(&at.ref)) - at.ref.p);
		struct span dir = { at.ref.p, name > 0 ? name - 1 : 0 };
		enum claim got;

		if (!span_ends(dir, NM_CLAIMED))
			continue;
		got = nm_claim(s, &at, &m, &c, e);
		if (got == CLAIM_ERROR || (got == CLAIM_OURS && nm_done(c, &m, e) < 0))
			r = -1;
		message_free(&m);
	}
	if (w != NULL)
		s->kind->walk_end(w);
	buf_free(&at.ref);
	return r;
}

int
nm_release_all(struct spool *s, struct err *e)
{
	if (!s->live)
		return not_here(s, e);
	return nm_bring_back(s, e) < 0 ? -1 : pull_trigger(s, e);
}

static int
put(struct spool *s, const struct message *m, const char *where, struct err *e)
{
	if (!s->live)
		return not_here(s, e);
	switch (nm_put(s, m, where, e)) {
	case CLAIM_BUSY:
		return 1;
	case CLAIM_GONE:
		return err_set(e, FAULT_TEMP, "%s: has left meanwhile", m->id);
	case CLAIM_ERROR:
		return -1;
	case CLAIM_OURS:
		break;
	}
	return 0;
}

int
nm_hold(struct spool *s, const struct message *m, struct err *e)
{
	return s->live && m->state == STATE_HOLD ? 0 : put(s, m, "failed", e);
}

int
nm_unhold(struct spool *s, const struct message *m, struct err *e)
{
	return s->live && m->state != STATE_HOLD ? 0 : put(s, m, "queue", e);
}
