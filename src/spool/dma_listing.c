/*
 * dma's own listing, for who may not read the files: `dma -bp' has the right to
 * (it is set-group-ID) and shows everybody all of it, ID, sender and recipient
 * whole; sizes and times it does not know.
 *
 *	ID	: aac017.55742eab7f60		a star behind it: its file is locked
 *	From	: ann@x.test
 *	To	: bob@later.test
 *	--				between two
 */
#include <stdlib.h>
#include <string.h>

#include "spool/dma.h"
#include "spool/listing.h"
#include "spool/program.h"

struct walk {
	struct spool *spool;
	struct listing lines;
	bool any;
};

struct walk *
dma_listing(struct spool *s, struct err *e)
{
	struct buf path = {0};
	struct walk *w = must(calloc(1, sizeof *w));
	int r;

	w->spool = s;
	if (program_find("dma", &path))
		r = listing_start(&w->lines, "dma -bp", (const char *const []){
		    buf_str(&path), "-bp", NULL }, e);
	else
		r = err_set(e, FAULT_IO, "dma: is not on this host");
	buf_free(&path);
	if (r == 0)
		return w;
	free(w);
	return NULL;
}

/* `NAME<TAB>: VALUE'; false: another line. */
static bool
value_of(struct span line, const char *name, struct span *value)
{
	if (!span_starts(line, name))
		return false;
	*value = span_from(line, strlen(name));
	return true;
}

static int
surprise(const struct walk *w, struct span line, struct err *e)
{
	return err_set(e, FAULT_IO, "%s: says what is no message: %.*s",
	    w->lines.name, line.n < 80 ? (int)line.n : 80, line.p);
}

/* The line of that name, which has to come now: its value, owned; NULL and -1. */
static char *
expect(struct walk *w, const char *name, struct err *e)
{
	struct span line, value;
	int r = listing_line(&w->lines, &line, e);

	if (r == 1 && value_of(line, name, &value))
		return span_dup(value);
	if (r == 1)
		surprise(w, line, e);
	else if (r == 0)
		err_set(e, FAULT_IO, "%s: broke off", w->lines.name);
	return NULL;
}

/* The ID of the next message: 1, 0, -1. */
static int
next_id(struct walk *w, struct span *id, struct err *e)
{
	struct span line;
	int r = listing_line(&w->lines, &line, e);

	if (r == 1 && w->any && span_is(line, "--"))
		r = listing_line(&w->lines, &line, e);
	else if (r == 1 && !w->any && span_is(line, "Mail queue is empty"))
		return listing_line(&w->lines, &line, e) == 0 ? 0 :
		    e->fault != FAULT_NONE ? -1 : surprise(w, line, e);
	else if (r == 1 && w->any)
		return surprise(w, line, e);
	if (r != 1)
		return r;
	if (!value_of(line, "ID\t: ", id))
		return surprise(w, line, e);
	if (id->n > 0 && id->p[id->n - 1] == '*')
		id->n--;
	return 1;
}

int
dma_listed(struct walk *w, struct message *m, struct err *e)
{
	struct buf ref = {0};
	struct span id;
	char *rcpt = NULL;
	int r = next_id(w, &id, e);

	if (r != 1)
		return r;
	*m = (struct message){ .id = span_dup(id), .state = STATE_DEFERRED,
	    .arrival = -1, .size = -1, .attempts = -1 };
	if (!dma_is_id(m->id)) {
		err_set(e, FAULT_IO, "%s: `%.80s' is no ID", w->lines.name, m->id);
	} else if ((m->env.sender = expect(w, "From\t: ", e)) != NULL &&
	    (rcpt = expect(w, "To\t: ", e)) != NULL) {
		dma_sender(m->env.sender);
		buf_addf(&ref, "%s/Q%s", w->spool->dir, m->id);
		m->ref = buf_str(&ref);
		envelope_add(&m->env, rcpt);
		w->any = true;
		return 1;
	}
	message_free(m);
	return -1;
}

void
dma_listing_end(struct walk *w)
{
	listing_end(&w->lines);
	free(w);
}
