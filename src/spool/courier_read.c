/*
 * A Courier control file into a struct message.  A line's first letter says what
 * it is; recipients are numbered from 0 as their `r` lines stand; an attempt is
 * `I<n> P|S|T|R text` and ends in `D<n> time`, put off, `S<n>`, delivered, or `F<n>`,
 * failed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spool/courier.h"
#include "spool/status.h"
#include "wire/xtext.h"

#define CONTROL_MAX (64 << 20)

struct reading {
	struct message *m;
	VEC(struct buf) replies;	/* of each recipient, under way */
	int64_t expires;
	int64_t passes;
};

/* `12 text` behind a letter: the recipient's number and the text. */
static struct rcpt *
rcpt_of(struct reading *x, struct span *v, size_t *i)
{
	struct span word = {0};
	long long n;

	span_cut(v, ' ', &word);
	if (!span_number(word, &n) || n < 0 ||
	    (unsigned long long)n >= x->m->env.rcpts.n)
		return NULL;
	*i = (size_t)n;
	return &x->m->env.rcpts.p[n];
}

/*
 * Of an attempt what the peer said (R, a line a line of its reply), or why there was
 * none (C): the last after a peer was found (P) and after a command (S).
 */
static void
attempt(struct reading *x, struct span v)
{
	size_t i;
	struct buf *reply;

	if (rcpt_of(x, &v, &i) == NULL || v.n <= 2 || v.p[1] != ' ')
		return;
	reply = &x->replies.p[i];
	if (*v.p == 'P' || *v.p == 'S')
		buf_clear(reply);
	if (*v.p != 'R' && *v.p != 'C')
		return;
	if (reply->n > 0)
		buf_addc(reply, ' ');
	buf_addspan(reply, span_from(v, 2));
}

static void
verdict(struct reading *x, char letter, struct span v)
{
	size_t i;
	long long when;
	struct rcpt *r = rcpt_of(x, &v, &i);

	if (r == NULL)
		return;
	if (span_number(v, &when))
		x->m->last_attempt = when;
	r->done = r->done || letter != 'D';
	free(r->reason);
	free(r->status);
	r->reason = r->status = NULL;
	if (!r->done && x->replies.p[i].n > 0) {
		r->reason = span_dup(buf_span(&x->replies.p[i]));
		r->status = status_in(r->reason);
	}
	buf_free(&x->replies.p[i]);
}

static unsigned
notify(struct span v)
{
	unsigned n = 0;

	for (size_t i = 0; i < v.n; i++)
		n |= v.p[i] == 'N' ? NOTIFY_NEVER : v.p[i] == 'S' ? NOTIFY_SUCCESS :
		    v.p[i] == 'F' ? NOTIFY_FAILURE : v.p[i] == 'D' ? NOTIFY_DELAY : 0u;
	return n;
}

/* Both stand there as MAIL and RCPT had them (RFC 3461 section 4). */
static char *
decoded(struct span v)
{
	struct buf b = {0};
	char *s = v.n > 0 && xtext_decode(&b, v) ? span_dup(buf_span(&b)) : NULL;

	buf_free(&b);
	return s;
}

/* What belongs to the recipient named last. */
static void
of_last(struct message *m, char letter, struct span v)
{
	struct rcpt *r = m->env.rcpts.n > 0 ?
	    &m->env.rcpts.p[m->env.rcpts.n - 1] : NULL;

	if (r == NULL || v.n == 0)
		return;
	if (letter == 'N') {
		r->notify = notify(v);
	} else if (r->orcpt == NULL) {
		r->orcpt = decoded(v);
	}
}

static void
number(int64_t *to, struct span v)
{
	long long n;

	if (span_number(v, &n))
		*to = n;
}

static void
item(struct reading *x, char letter, struct span v)
{
	struct message *m = x->m;

	switch (letter) {
	case 's':
		free(m->env.sender);
		m->env.sender = span_dup(v);
		break;
	case 'M':
		free(m->id);
		m->id = span_dup(v);
		break;
	case 'r':
		envelope_read(&m->env, span_dup(v));
		if (!m->env.crowded)
			vec_add(&x->replies);
		break;
	case 'R': case 'N':
		of_last(m, letter, v);
		break;
	case 'e':
		if (m->env.envid == NULL)
			m->env.envid = decoded(v);
		break;
	case 't':
		m->env.ret = span_is(v, "H") ? RET_HDRS : span_is(v, "F") ? RET_FULL :
		    RET_NONE;
		break;
	case '8':
		m->env.body = BODY_8BITMIME;
		break;
	case 'm':
		m->env.smtputf8 = true;
		break;
	case 'A':
		number(&m->next_attempt, v);
		break;
	case 'E':
		number(&x->expires, v);
		break;
	case 'C':
		x->passes++;
		break;
	case 'I':
		attempt(x, v);
		break;
	case 'D': case 'S': case 'F':
		verdict(x, letter, v);
		break;
	case 'X': case 'x':
		if (m->note == NULL)
			m->note = span_dup(span_of("cancelled"));
		break;
	}
}

bool
courier_is_id(const char *id)
{
	for (int part = 1; part <= 3; part++) {
		size_t n = strspn(id, "0123456789ABCDEF");

		if (n == 0 || id[n] != (part < 3 ? '.' : '\0'))
			return false;
		id += n + 1;
	}
	return true;
}

/* What every message has, and is what it says. */
static bool
is_whole(const struct message *m)
{
	for (size_t i = 0; i < m->env.rcpts.n; i++)
		if (*m->env.rcpts.p[i].address == '\0')
			return false;
	return m->env.sender != NULL && m->env.rcpts.n > 0 && m->id != NULL &&
	    courier_is_id(m->id);
}

/* A last line that does not end is being added. */
static int
parse(struct reading *x, struct span text, struct err *e)
{
	struct span line;
	bool pending = false;

	if (span_find(text, '\0') < text.n)
		return err_set(e, FAULT_DATA, "damaged: a NUL in it");
	while (span_find(text, '\n') < text.n && span_cut(&text, '\n', &line))
		if (line.n > 0)
			item(x, *line.p, span_from(line, 1));
	if (envelope_whole(&x->m->env, e) < 0)
		return -1;
	if (!is_whole(x->m))
		return err_set(e, FAULT_DATA, "damaged: no sender, ID or recipient");
	x->m->attempts = x->passes;
	for (size_t i = 0; i < x->m->env.rcpts.n; i++)
		pending = pending || !x->m->env.rcpts.p[i].done;
	if (!pending)
		x->m->state = STATE_DONE;
	return 0;
}

static void
data_path(struct buf *path, const char *ref)
{
	buf_add(path, ref, strlen(ref) - strlen(ref_name(ref)));
	buf_addf(path, "D%s", ref_name(ref) + 1);
}

/* Size and arrival are those of the message's file, as mailq has it: 1, 0, -1. */
static int
data_stat(struct message *m, struct err *e)
{
	struct buf path = {0};
	struct stat st;
	int r = 1;

	data_path(&path, m->ref);
	if (lstat(buf_str(&path), &st) == 0) {
		m->size = st.st_size;
		m->arrival = st.st_mtime;
	} else {
		r = errno == ENOENT ? 0 : err_sys(e, "look for %s", path.p);
	}
	buf_free(&path);
	return r;
}

/* A control file has a second name, in msgq. */
static int
read_control(struct reading *x, const struct entry *at, struct err *e)
{
	struct message *m = x->m;
	struct buf text = {0};
	struct stat st;
	int fd, r;

	*m = (struct message){ .ref = span_dup(buf_span(&at->ref)),
	    .state = at->state };
	if ((r = file_open(m->ref, &st, &fd, e)) == 1) {
		m->mtime = st.st_mtime;
		m->dev = st.st_dev;
		m->ino = st.st_ino;
		if (st.st_nlink > 2)
			r = err_set(e, FAULT_DATA, "%s: the file has %lu names", m->ref,
			    (unsigned long)st.st_nlink);
		else if (file_text(fd, CONTROL_MAX, &text, e) < 0 ||
		    parse(x, buf_span(&text), e) < 0)
			r = err_in(e, "%s", m->ref);
		else
			r = data_stat(m, e);
		close(fd);
	}
	if (r != 1)
		message_free(m);
	for (size_t i = 0; i < x->replies.n; i++)
		buf_free(&x->replies.p[i]);
	vec_free(&x->replies);
	buf_free(&text);
	return r;
}

int
courier_read(struct spool *s, const struct entry *at, unsigned what,
    struct message *m, struct err *e)
{
	struct reading x = { .m = m };

	(void)s;
	(void)what;		/* reasons stand in the control file */
	return read_control(&x, at, e);
}

int
courier_body(struct spool *s, const char *ref, struct body *b, struct err *e)
{
	struct buf path = {0};
	struct stat st;
	int fd, r;

	(void)s;
	data_path(&path, ref);
	r = file_open_single(buf_str(&path), &st, &fd, e);
	if (r == 1) {
		body_file(b, fd, 0, st.st_size);
		b->lf = true;
	}
	buf_free(&path);
	return r;
}

int
courier_outlook(struct spool *s, const struct message *m, struct outlook *o,
    struct err *e)
{
	struct message again = {0};
	struct reading x = { .m = &again };
	struct entry at = { .state = m->state };
	int r;

	(void)s;
	buf_adds(&at.ref, m->ref);
	r = read_control(&x, &at, e);
	o->expires = x.expires;
	message_free(&again);
	buf_free(&at.ref);
	buf_adds(&o->holder, m->note != NULL ? "It was cancelled: courierd returns "
	    "what is left of it to its sender." :
	    "courierd keeps the queue in memory and tries it when its time comes.");
	buf_addf(&o->commands, "courier flush %s\n", m->id);
	return r < 0 ? -1 : 0;
}
