#include "session/bounce.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "out/report.h"
#include "spool/program.h"
#include "wire/path.h"

void
failings_add(struct failings *v, size_t rcpt, const struct result *r,
    int64_t attempted)
{
	*vec_add(v) = (struct failing){ .rcpt = rcpt,
	    .status = span_dup(span_of(r->status)),
	    .text = span_dup(span_of(r->text)), .attempted = attempted };
}

void
failings_free(struct failings *v)
{
	for (size_t i = 0; i < v->n; i++) {
		free(v->p[i].status);
		free(v->p[i].text);
	}
	vec_free(v);
}

static bool
wants_report(const struct rcpt *r)
{
	return r->notify == 0 || (r->notify & NOTIFY_FAILURE) != 0;
}

/* No more than REPORT_WHOLE_MAX and a piece.  -1 also when it is gone (75). */
static int
read_original(struct spool *s, const struct message *m, struct buf *text,
    struct err *e)
{
	struct entry at = {0};
	struct body b = {0};
	struct span piece;
	int r = spool_at(s, m->ref, &at, e);

	if (r > 0)
		r = s->kind->body(s, buf_str(&at.ref), &b, e);
	while (r > 0 && text->n <= REPORT_WHOLE_MAX &&
	    (r = b.next(&b, &piece, e)) > 0)
		buf_addspan(text, piece);
	if (b.next == NULL && r == 0)
		r = err_set(e, FAULT_TEMP, "the message was taken away meanwhile");
	body_close(&b);
	buf_free(&at.ref);
	return r < 0 ? -1 : 0;
}

static void
our_name(char *name, size_t size)
{
	if (gethostname(name, size - 1) < 0 || *name == '\0')
		strncpy(name, "localhost", size - 1);
	name[size - 1] = '\0';
}

bool
bounce_is_due(const struct message *m, size_t rcpt)
{
	return m->env.sender != NULL && *m->env.sender != '\0' &&
	    wants_report(&m->env.rcpts.p[rcpt]);
}

static bool
is_due(const struct message *m, const struct failings *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (bounce_is_due(m, v->p[i].rcpt))
			return true;
	return false;
}

static bool
is_international(const char *address)
{
	struct span s = span_of(address);

	return !text_is_ascii(s) && text_is_utf8(s);
}

/* Whoever took it: only RFC 6533 has a form for an address that is not ASCII. */
static bool
needs_utf8(const struct message *m, const struct report *r)
{
	bool needs = m->env.smtputf8 || is_international(r->sender);

	for (size_t i = 0; i < r->n; i++)
		needs = needs || is_international(r->rcpts[i].address);
	return needs;
}

bool
bounce_compose(struct buf *out, const struct message *m, const struct failings *v,
    struct span text)
{
	struct report_rcpt *rcpts;
	char host[256] = "";
	struct report r = {
		.host = host, .sender = m->env.sender, .envid = m->env.envid,
		.now = time(NULL), .arrival = m->arrival,
		.ret = m->env.ret,
	};

	if (!is_due(m, v))
		return false;
	r.rcpts = rcpts = must(calloc(v->n, sizeof *rcpts));
	for (size_t i = 0; i < v->n; i++) {
		const struct rcpt *to = &m->env.rcpts.p[v->p[i].rcpt];

		if (wants_report(to))
			rcpts[r.n++] = (struct report_rcpt){ to->address, to->orcpt,
			    v->p[i].status, v->p[i].text, v->p[i].attempted };
	}
	r.smtputf8 = needs_utf8(m, &r);
	our_name(host, sizeof host);
	report_add(out, &r, text);
	free(rcpts);
	return true;
}

static int
hand_in(const struct spool *s, const char *sender, struct span report,
    int64_t deadline, bool *hangs, struct err *e)
{
	bool other = s->live && s->kind == &spool_postfix && s->conf != NULL;
	/* -C: the instance that has the message */
	const char *const there[] = { "-C", s->conf, "-i", "-f", "<>", "--",
	    sender, NULL };
	int r = program_tell("sendmail", there + (other ? 0 : 2), report, deadline, e);
	struct err why = *e;

	*hangs = r < 0 && why.fault == FAULT_TEMP;
	if (r != 0)
		err_set(e, why.fault, "sendmail: %.500s%s", why.text, *hangs ?
		    "; no other report is tried" : "");
	return r == 0 ? 1 : -1;
}

int
bounce_report(struct spool *s, const struct message *m, const struct failings *v,
    int64_t deadline, bool *hangs, struct err *e)
{
	struct buf text = {0}, report = {0};
	int r = 0;

	/* of `a@x, b@y' somebody else would get it, too */
	if (is_due(m, v) && !path_is_mailbox(span_of(m->env.sender)))
		return err_set(e, FAULT_DATA, "its sender is no address");
	if (is_due(m, v) && *hangs)
		return -1;
	if (is_due(m, v) && (interrupt_came() || clock_left(deadline) == 0))
		return err_set(e, FAULT_TEMP, "there is no time for a report");
	if (is_due(m, v) && (r = read_original(s, m, &text, e)) == 0) {
		bounce_compose(&report, m, v, buf_span(&text));
		r = hand_in(s, m->env.sender, buf_span(&report), deadline,
		    hangs, e);
	}
	buf_free(&text);
	buf_free(&report);
	return r;
}
