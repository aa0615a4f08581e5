#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "opts/opts.h"
#include "opts/spool.h"
#include "wire/command.h"

#define NAME "queue-cat"

static int headers, body, envelope;

static struct poptOption what_options[] = {
	{ "headers", 0, POPT_ARG_NONE, &headers, 0,
	    "only the header, without the empty line behind it", NULL },
	{ "body", 0, POPT_ARG_NONE, &body, 0,
	    "only what follows that empty line", NULL },
	{ "envelope", 0, POPT_ARG_NONE, &envelope, 0,
	    "sender and recipients instead of the message", NULL },
	POPT_TABLEEND
};

static struct poptOption options[] = {
	OPTS_TABLE(opts_spool, "Where:"),
	OPTS_TABLE(what_options, "What:"),
	OPTS_END
};

static struct spools spools;
static int unseen;		/* the status of queues that could not be looked at */
static bool tty;

/* Lines for a terminal: without CR at their ends, nothing raw in them. */
static void
put_safe(struct span line)
{
	struct buf safe = {0};
	struct span word;

	if (span_ends(line, "\r"))
		line.n--;
	for (;;) {
		word = (struct span){ line.p, span_find(line, '\t') };
		text_printable(&safe, word);
		if (word.n == line.n)
			break;
		buf_addc(&safe, '\t');
		line = span_from(line, word.n + 1);
	}
	buf_addc(&safe, '\n');
	fwrite(safe.p, 1, safe.n, stdout);
	buf_free(&safe);
}

#define HELD_MAX 8192

static void
put(struct span s)
{
	static struct buf held;
	struct span rest, line;

	if (!tty) {
		fwrite(s.p, 1, s.n, stdout);
		return;
	}
	buf_addspan(&held, s);
	rest = buf_span(&held);
	while (span_find(rest, '\n') < rest.n || rest.n > HELD_MAX) {
		line = (struct span){ rest.p, span_find(rest, '\n') };
		if (line.n > HELD_MAX)
			line.n = HELD_MAX;
		put_safe(line);
		rest = span_from(rest, line.n + (line.n < rest.n &&
		    rest.p[line.n] == '\n'));
	}
	buf_drop(&held, held.n - rest.n);
}

/*
 * Where the header ends: at CRLF CRLF, or CRLF in front of everything.  `seen`
 * is how much of that came last.  Returns how much of `s` is before the end of
 * it; `seen` is 4 when it was reached.
 */
static size_t
header_end(struct span s, int *seen)
{
	static const char end[] = "\r\n\r\n";
	size_t i = 0;

	for (; i < s.n && *seen < 4; i++) {
		if (s.p[i] == end[*seen])
			++*seen;
		else
			*seen = s.p[i] == '\r';
	}
	return i;
}

/*
 * One piece of the text.  The CR of the empty line is held back until it is
 * known to be that: `seen` is 3 then.
 */
static void
put_part(struct span s, int *seen)
{
	int before = *seen;
	size_t n;

	if (before == 4) {
		if (body)
			put(s);
		return;
	}
	n = header_end(s, seen);
	if (headers) {
		size_t drop = *seen == 4 ? 2 : *seen == 3 ? 1 : 0;

		if (before == 3 && *seen != 4 && n > 0)
			put(SPAN("\r"));
		put((struct span){ s.p, n > drop ? n - drop : 0 });
	}
	if (body)
		put(span_from(s, n));
}

static int
put_text(struct spool *s, const char *ref, struct err *e)
{
	struct body text = {0};
	struct span piece;
	int seen = 2;		/* as behind a line */
	int r = s->kind->body(s, ref, &text, e);

	if (r <= 0)
		return r;
	while ((r = text.next(&text, &piece, e)) == 1 && !ferror(stdout)) {
		if (headers || body)
			put_part(piece, &seen);
		else
			put(piece);
	}
	body_close(&text);
	return r < 0 ? err_in(e, "%s", ref) : 1;
}

/* The commands that would be sent to a server that offers everything. */
static void
put_envelope(const struct message *m)
{
	struct ehlo all = { .offers = ~0u };
	struct buf b = {0};
	struct span rest, line;

	command_mail(&b, &m->env, &all, m->size);
	for (size_t i = 0; i < m->env.rcpts.n; i++) {
		const struct rcpt *r = &m->env.rcpts.p[i];

		command_rcpt(&b, r, &all);
		b.n -= 2;
		if (r->done)
			buf_adds(&b, " (done)");
		else if (r->reason != NULL)
			buf_addf(&b, " (%s)", r->reason);
		buf_adds(&b, "\r\n");
	}
	for (rest = buf_span(&b); span_cut(&rest, '\n', &line);)
		put_safe(line);
	buf_free(&b);
}

/* As it would be sent, not as the MTA counts it; -1: it cannot be known. */
static int64_t
wire_size(struct spool *s, const char *ref)
{
	struct body text = {0};
	struct err none = {0};
	int64_t size = 0;

	if (s->kind->body(s, ref, &text, &none) <= 0 ||
	    body_measure(&text, &size, &none) < 0)
		size = -1;
	body_close(&text);
	return size;
}

static int
show_envelope(struct spool *s, const struct entry *at, struct err *e)
{
	struct message m = {0};
	int r = s->kind->read(s, at, READ_REASONS, &m, e);

	if (r == 1) {
		m.size = wire_size(s, m.ref);
		put_envelope(&m);
	}
	message_free(&m);
	return r;
}

static int
show(struct spool *s, const struct entry *at, struct err *e)
{
	struct buf ref = {0};
	int r;

	if (envelope)
		return show_envelope(s, at, e);
	buf_addspan(&ref, buf_span(&at->ref));
	r = put_text(s, buf_str(&ref), e);
	buf_free(&ref);
	return r;
}

/* Adds where `id` is; an ID in two queues is no name for a message. */
static int
find_id(const char *id, struct spool **where, struct entry *at, struct err *e)
{
	struct entry other = {0};
	int r = 0;

	*where = NULL;
	for (size_t i = 0; i < spools.n && r >= 0; i++) {
		struct spool *s = &spools.p[i];

		r = s->kind->find(s, id, *where == NULL ? at : &other, e);
		if (r == 1 && *where != NULL)
			r = err_set(e, FAULT_DATA, "%s: is in more than one "
			    "queue: %s and %s; use --spool or a ref", id,
			    (*where)->dir, s->dir);
		else if (r == 1)
			*where = s;
	}
	buf_free(&other.ref);
	return r < 0 ? -1 : *where != NULL;
}

static int
cat(const char *name, struct err *e)
{
	struct spool *s = NULL;
	struct entry at = {0};
	int r;

	if (strchr(name, '/') == NULL)
		r = find_id(name, &s, &at, e);
	else if ((s = spool_of(&spools, name, e)) == NULL)
		r = -1;
	else
		r = spool_at(s, name, &at, e);
	if (r == 1)
		r = show(s, &at, e);
	buf_free(&at.ref);
	if (r == 0 && unseen != 0 && strchr(name, '/') == NULL)
		err_set(e, (enum fault)unseen, "%s: is in no queue that could be "
		    "looked at", name);
	else if (r == 0)
		err_set(e, FAULT_UNAVAILABLE, "%s: no such message", name);
	return r == 1 ? 0 : -1;
}

static void
open_spools(void)
{
	struct err e = {0};
	int r = opts_spools(&spools, &e);

	err_print(&e, NAME);
	if (r < 0)
		exit((int)e.fault);
	unseen = (int)e.fault;
	if (spools.n > 0)
		return;
	if (r == 0)
		warn(NAME, "no mail queue was found on this host; "
		    "name one with --spool=KIND:DIR");
	exit(r > 0 ? unseen : FAULT_UNAVAILABLE);
}

static int
cat_all(const char *const *names)
{
	int status = 0;

	for (; *names != NULL && !ferror(stdout); names++) {
		char *ref = ref_absolute(*names);
		struct err e = {0};

		if (cat(ref, &e) < 0)
			status = status_worse(status, err_exit(&e, NAME));
		free(ref);
	}
	return status;
}

static bool
any_id(const char *const *names)
{
	for (; *names != NULL; names++)
		if (strchr(*names, '/') == NULL)
			return true;
	return false;
}

int
main(int argc, char *argv[])
{
	const char *const *names;
	struct err e = {0};
	int status;

	opts_read(NAME, argc, argv, options, "REF|ID...", &names, NULL);
	signal(SIGPIPE, SIG_DFL);	/* `queue-cat | head` */
	if (headers + body + envelope > 1)
		opts_wrong(NAME, "only one of --headers, --body and --envelope");
	if (*names == NULL)
		opts_wrong(NAME, "which message? give a ref or an ID");
	tty = isatty(STDOUT_FILENO);
	if (opts_spool_given() || any_id(names))
		open_spools();
	status = cat_all(names);
	spools_free(&spools);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	err_sys(&e, "write");
	e.fault = FAULT_IO;
	return err_exit(&e, NAME);
}
