/*
 * Texts within SMTP's limits (RFC 5321 section 4.5.3.1.6, RFC 6152).  The first
 * walk sees what has to be changed; if that is nothing, the pieces of the inner
 * body are passed on.
 */
#include <stdlib.h>

#include "spool/mend.h"
#include "spool/mend_walk.h"
#include "wire/fold.h"
#include "wire/recode.h"

struct mender {
	struct body inner;
	struct walk walk;
	struct chunks lines;
	struct fold fold;
	struct recode recode;
	bool known;		/* the first walk was made */
	bool ended;
	bool labelled;		/* this header has its new encoding */
	bool encoding;		/* the text is */
	bool begun;		/* a line of it is under way */
	bool waits;		/* a line end that may be the boundary's */
};

/* Nothing is under way. */
static int
start(struct mender *m, bool planned, struct err *e)
{
	chunks_free(&m->lines);
	fold_free(&m->fold);
	walk_begin(&m->walk, planned);
	m->ended = m->labelled = false;
	m->encoding = m->begun = m->waits = false;
	return m->inner.rewind(&m->inner, e);
}

static int
look(struct mender *m, struct err *e)
{
	struct span piece;
	struct chunk c;
	int r;

	if (start(m, false, e) < 0)
		return -1;
	m->walk.change = false;
	while ((r = m->inner.next(&m->inner, &piece, e)) > 0) {
		chunks_feed(&m->lines, piece);
		while (chunks_next(&m->lines, &c))
			walk_on(&m->walk, &c, walk_look(&m->walk, &c));
	}
	if (r < 0)
		return -1;
	if (chunks_rest(&m->lines, &c))
		walk_on(&m->walk, &c, walk_look(&m->walk, &c));
	walk_end(&m->walk);
	m->walk.change |= m->lines.odd;
	m->known = true;
	return start(m, true, e);
}

static void
plain(const struct chunk *c, struct buf *out)
{
	buf_addspan(out, c->text);
	if (c->last)
		buf_adds(out, "\r\n");
}

static const char *
label_of(enum plan plan)
{
	static const char *const labels[] = {
		[PLAN_QP] = "quoted-printable",
		[PLAN_BASE64] = "base64",
		[PLAN_QP_AGAIN] = NULL,		/* says so already */
		[PLAN_BASE64_AGAIN] = NULL,
		[PLAN_7BIT] = "7bit",
		[PLAN_8BIT] = "8bit",
	};

	return labels[plan];
}

static void
label(struct mender *m, const char *encoding, struct buf *out)
{
	if (!m->labelled)
		buf_addf(out, "Content-Transfer-Encoding: %s\r\n", encoding);
	m->labelled = true;
}

static void
field(struct mender *m, const struct chunk *c, struct buf *out)
{
	bool eight;
	const char *encoding = label_of(walk_plan(&m->walk, &eight));

	if (encoding != NULL && m->walk.field == FIELD_ENCODING)
		label(m, encoding, out);
	else if (c->first && c->last)
		plain(c, out);
	else
		fold_add(&m->fold, c, out);
}

/* A message without MIME's fields gets them; RFC 1428 section 2's charset. */
static void
end_header(struct mender *m, const struct chunk *c, struct buf *out)
{
	const struct entity *now = &m->walk.now;
	bool eight;
	enum plan plan = walk_plan(&m->walk, &eight);
	const char *encoding = label_of(plan);

	if (encoding != NULL) {
		if (now->message && !now->has[FIELD_VERSION])
			buf_adds(out, "MIME-Version: 1.0\r\n");
		if (now->message && !now->has[FIELD_TYPE] && eight)
			buf_adds(out, "Content-Type: text/plain; "
			    "charset=unknown-8bit\r\n");
		label(m, encoding, out);
	}
	m->labelled = false;
	plain(c, out);
	m->encoding = plan >= PLAN_QP && plan <= PLAN_BASE64_AGAIN;
	if (m->encoding)
		m->recode = (struct recode){
			.kind = (enum recode_kind)(plan - PLAN_QP) };
}

static void
text(struct mender *m, const struct chunk *c, struct buf *out)
{
	if (!m->encoding) {
		plain(c, out);
		return;
	}
	if (m->waits)
		recode_line(&m->recode, out);
	recode_text(&m->recode, c->text, out);
	m->waits = c->last;
}

/* RFC 2046 section 5.1.1: the line end before a boundary belongs to it. */
static void
end_text(struct mender *m, bool boundary, struct buf *out)
{
	if (m->encoding) {
		if (m->waits && !boundary)
			recode_line(&m->recode, out);
		recode_end(&m->recode, out);
		if ((m->waits && boundary) || m->recode.column > 0)
			buf_adds(out, "\r\n");
	}
	m->encoding = m->waits = false;
}

static void
mend(struct mender *m, const struct chunk *c, struct buf *out)
{
	enum sight sight = walk_look(&m->walk, c);

	switch (sight) {
	case SIGHT_FIELD:
		field(m, c, out);
		break;
	case SIGHT_EMPTY:
		end_header(m, c, out);
		break;
	case SIGHT_TEXT:
		text(m, c, out);
		break;
	case SIGHT_BOUNDARY:
		end_text(m, true, out);
		m->labelled = false;
		/* FALLTHROUGH */
	case SIGHT_BETWEEN:
		plain(c, out);
	}
	walk_on(&m->walk, c, sight);
}

static int
limits_next(struct body *b, struct span *piece, struct err *e)
{
	struct mender *m = b->own;
	struct chunk c;
	int r;

	if (!m->known && look(m, e) < 0)
		return -1;
	if (!m->walk.change)
		return m->inner.next(&m->inner, piece, e);
	buf_clear(&b->out);
	while (b->out.n == 0 && !m->ended) {
		if ((r = m->inner.next(&m->inner, piece, e)) < 0)
			return -1;
		if (r > 0) {
			chunks_feed(&m->lines, *piece);
			while (chunks_next(&m->lines, &c))
				mend(m, &c, &b->out);
			continue;
		}
		if (chunks_rest(&m->lines, &c))
			mend(m, &c, &b->out);
		end_text(m, false, &b->out);
		m->ended = true;
	}
	*piece = buf_span(&b->out);
	return b->out.n > 0;
}

static int
limits_rewind(struct body *b, struct err *e)
{
	struct mender *m = b->own;

	return m->known ? start(m, true, e) : 0;
}

static void
limits_close(struct body *b)
{
	struct mender *m = b->own;

	body_close(&m->inner);
	walk_free(&m->walk);
	chunks_free(&m->lines);
	fold_free(&m->fold);
	buf_free(&b->out);
	free(m);
	*b = (struct body){0};
}

void
mend_limits(struct body *b, struct body *inner, bool seven_bit)
{
	struct mender *m = must(calloc(1, sizeof *m));

	m->inner = *inner;
	*inner = (struct body){0};
	m->walk.seven_bit = seven_bit;
	*b = (struct body){
		.next = limits_next, .rewind = limits_rewind,
		.close = limits_close, .fd = -1, .last = -1, .own = m,
	};
}
