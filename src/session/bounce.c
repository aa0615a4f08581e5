/* The original is returned whole up to WHOLE_MAX octets, else its header. */
#include "session/bounce.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "out/report.h"
#include "spool/program.h"

#define WHOLE_MAX 50000

void
failings_add(struct failings *v, size_t rcpt, const struct result *r)
{
	*vec_add(v) = (struct failing){ .rcpt = rcpt,
	    .status = span_dup(span_of(r->status)),
	    .text = span_dup(span_of(r->text)) };
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

/* No more than WHOLE_MAX and a piece. */
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
	while (r > 0 && text->n <= WHOLE_MAX &&
	    (r = b.next(&b, &piece, e)) > 0)
		buf_addspan(text, piece);
	body_close(&b);
	buf_free(&at.ref);
	return r < 0 ? -1 : 0;
}

/* What of it is returned, RFC 3461 section 4.3; *whole: all of it. */
static struct span
returned(const struct message *m, struct span text, bool *whole)
{
	const char *end = text.n > 0 ? memmem(text.p, text.n, "\r\n\r\n", 4) : NULL;

	*whole = text.n <= WHOLE_MAX && m->env.ret != RET_HDRS;
	if (*whole)
		return text;
	if (text.n > WHOLE_MAX)
		text.n = WHOLE_MAX;
	if (end != NULL && (size_t)(end - text.p) + 2 < text.n)
		text.n = (size_t)(end - text.p) + 2;
	return text;
}

static void
our_name(char *name, size_t size)
{
	if (gethostname(name, size - 1) < 0 || *name == '\0')
		strncpy(name, "localhost", size - 1);
	name[size - 1] = '\0';
}

static void
compose(struct buf *out, const struct message *m, struct span text,
    const struct report_rcpt *rcpts, size_t n)
{
	char host[256] = "";
	struct report r = {
		.host = host, .sender = m->env.sender, .envid = m->env.envid,
		.now = time(NULL), .arrival = m->arrival,
		.smtputf8 = m->env.smtputf8, .rcpts = rcpts, .n = n,
	};
	bool whole;
	struct span original = returned(m, text, &whole);

	our_name(host, sizeof host);
	report_add(out, &r, original, whole);
}

static int
hand_in(const struct spool *s, const char *sender, struct span report,
    struct err *e)
{
	bool other = s->live && s->kind == &spool_postfix && s->conf != NULL;
	/* -C: the instance that has the message */
	const char *const there[] = { "-C", s->conf, "-i", "-f", "<>", "--",
	    sender, NULL };
	struct buf said = {0};
	int r = program_run("sendmail", there + (other ? 0 : 2), report, &said, e);

	buf_free(&said);
	if (r != 0)
		err_in(e, "sendmail");
	return r == 0 ? 1 : -1;
}

int
bounce_report(struct spool *s, const struct message *m, const struct failings *v,
    struct err *e)
{
	struct report_rcpt *rcpts;
	struct buf text = {0}, report = {0};
	size_t n = 0;
	int r = 0;

	if (m->env.sender == NULL || *m->env.sender == '\0')
		return 0;
	rcpts = must(calloc(v->n + 1, sizeof *rcpts));
	for (size_t i = 0; i < v->n; i++) {
		const struct rcpt *to = &m->env.rcpts.p[v->p[i].rcpt];

		if (wants_report(to))
			rcpts[n++] = (struct report_rcpt){ to->address, to->orcpt,
			    v->p[i].status, v->p[i].text };
	}
	if (n > 0 && (r = read_original(s, m, &text, e)) == 0) {
		compose(&report, m, buf_span(&text), rcpts, n);
		r = hand_in(s, m->env.sender, buf_span(&report), e);
	}
	free(rcpts);
	buf_free(&text);
	buf_free(&report);
	return r;
}
