#include "wire/fold.h"

#include "wire/survey.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * Behind white space comes something else: here the line may be folded.  Not
 * before the colon (that would be no field any more), and not where a line of
 * nothing but white space would be left (RFC 5322 section 3.2.2).
 */
static void
look(struct fold *f, char c)
{
	if (is_blank(c)) {
		f->blanks++;
		return;
	}
	if (f->blanks > 0 && f->ink && f->may && !f->never) {
		f->at = f->line.n - f->blanks;
		if (f->over)
			f->at++;	/* 0 is none */
	}
	f->blanks = 0;
	f->ink = true;
	f->may |= c == ':';
}

static void add(struct fold *, char, struct buf *out);

/* What follows the fold is looked at anew, as it will be when it is read. */
static void
break_here(struct fold *f, struct buf *out)
{
	struct buf line = f->line;
	size_t at = f->over ? f->at - 1 : f->at;

	buf_add(out, line.p, at);
	buf_adds(out, "\r\n");
	*f = (struct fold){ .may = true };
	for (size_t i = at; i < line.n; i++)
		add(f, line.p[i], out);
	buf_free(&line);
}

/* No place so far: the front goes out but for what may become one. */
static void
let_go(struct fold *f, struct buf *out)
{
	size_t n = f->line.n - f->blanks;

	f->over = true;
	if (f->blanks > TEXT_LINE_MAX) {
		n = f->line.n;
		f->blanks = 0;
	}
	buf_add(out, f->line.p, n);
	buf_drop(&f->line, n);
}

static void
add(struct fold *f, char c, struct buf *out)
{
	look(f, c);
	buf_addc(&f->line, c);
	if (f->at > 0 && (f->over || f->line.n > TEXT_LINE_MAX))
		break_here(f, out);
	else if (f->over || f->line.n > TEXT_LINE_MAX)
		let_go(f, out);
}

void
fold_add(struct fold *f, const struct chunk *c, struct buf *out)
{
	if (c->first) {
		fold_free(f);
		f->may = c->text.n > 0 && is_blank(c->text.p[0]);
		f->never = span_starts(c->text, "--");
	}
	for (size_t i = 0; i < c->text.n; i++)
		add(f, c->text.p[i], out);
	if (c->last) {
		buf_addspan(out, buf_span(&f->line));
		buf_adds(out, "\r\n");
		fold_free(f);
	}
}

void
fold_free(struct fold *f)
{
	buf_free(&f->line);
	*f = (struct fold){0};
}
