/*
 * The text of a Postfix queue file as smtp(8) sends it.
 *
 * N is a line, L a part of one.  Lines over smtp_line_length_limit (998, RFC
 * 5321 section 4.5.3.1.6) are broken with CRLF SPACE, as Postfix's own client
 * does by default.  CR and NUL octets pass as they are.
 */
#include <stdlib.h>
#include <unistd.h>

#include "spool/postfix.h"

#define PIECE 32768
#define LINE_LIMIT 998

enum { LINE = 'N', PART = 'L', MESSAGE = 'M', EXTRACT = 'X' };

struct text {
	struct pf_reader r;
	char *ref;
	size_t room;		/* octets that still fit on this line */
	bool begun;		/* a line that has no end yet */
	bool ended;
};

static void
add(struct body *b, struct text *t, struct span data)
{
	buf_addspan(&b->out, data);
	t->room -= data.n;
}

static void
end_line(struct body *b, struct text *t)
{
	buf_adds(&b->out, "\r\n");
	t->room = LINE_LIMIT;
}

/* A full line ends; what goes on, be it with an empty part, follows a SPACE. */
static void
record(struct body *b, struct text *t, int type, struct span data)
{
	struct span full;

	t->begun = type == PART;
	while (data.n >= t->room) {
		full = (struct span){ data.p, t->room };
		add(b, t, full);
		data = span_from(data, full.n);
		end_line(b, t);
		if (data.n == 0 && type == LINE)
			return;
		add(b, t, SPAN(" "));
	}
	add(b, t, data);
	if (type == LINE)
		end_line(b, t);
}

static int
broken(struct text *t, int type, struct err *e)
{
	if (type >= 0)
		err_set(e, FAULT_DATA, "damaged at octet %lld: "
		    "its text does not end", (long long)t->r.record);
	return err_in(e, "%s", t->ref);
}

static int
text_next(struct body *b, struct span *piece, struct err *e)
{
	struct text *t = b->own;
	struct span data;
	int type;

	buf_clear(&b->out);
	while (b->out.n < PIECE && !t->ended) {
		type = pf_record(&t->r, &data, e);
		if (type == LINE || type == PART) {
			record(b, t, type, data);
		} else if (type == EXTRACT) {
			t->ended = true;
			if (t->begun)
				end_line(b, t);
		} else {
			return broken(t, type, e);
		}
	}
	if (b->out.n > 0)
		b->last = (unsigned char)b->out.p[b->out.n - 1];
	b->at = pf_tell(&t->r);
	*piece = buf_span(&b->out);
	return b->out.n > 0;
}

static int
text_rewind(struct body *b, struct err *e)
{
	struct text *t = b->own;

	(void)e;
	pf_seek(&t->r, b->start);
	t->room = LINE_LIMIT;
	t->begun = t->ended = false;
	b->at = b->start;
	b->last = -1;
	return 0;
}

static void
text_close(struct body *b)
{
	struct text *t = b->own;

	pf_reader_free(&t->r);
	free(t->ref);
	free(t);
	close(b->fd);
	buf_free(&b->out);
	*b = (struct body){0};
}

/* To the first record of the text: 1, 0 there is none, -1. */
static int
to_text(struct text *t, struct err *e)
{
	struct span data;
	int type;

	while ((type = pf_record(&t->r, &data, e)) > 0)
		if (type == MESSAGE)
			return 1;
	return type < 0 ? err_in(e, "%s", t->ref) : 0;
}

int
pf_body(struct spool *s, const char *ref, struct body *b, struct err *e)
{
	struct text *t;
	struct stat st;
	int fd, r;

	(void)s;
	if ((r = pf_open_ref(ref, &st, &fd, e)) <= 0)
		return r;
	t = must(calloc(1, sizeof *t));
	t->r.fd = fd;
	t->ref = span_dup(span_of(ref));
	*b = (struct body){
		.next = text_next, .rewind = text_rewind, .close = text_close,
		.fd = fd, .own = t,
	};
	if ((r = to_text(t, e)) <= 0) {
		text_close(b);
		return r;
	}
	b->start = pf_tell(&t->r);
	text_rewind(b, e);
	return 1;
}
