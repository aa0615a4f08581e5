/*
 * The text of a message: behind DATA, where only CRLF.CRLF ends it (RFC 5321 section
 * 4.1.1.4), or BDAT's octets.  What must not be passed on is read to its end all the
 * same: what follows would be taken for commands.
 */
#include "smtp/receiver_own.h"

void
receiver_begin_text(struct receiver *r, bool chunk, uint64_t octets, bool last)
{
	r->in_what = chunk ? IN_CHUNK : IN_DATA;
	r->left = octets;
	r->last = last;
	if (!chunk || r->octets == 0)
		r->at = AT_LINE;
	if (chunk && octets == 0)
		receiver_text(r, (struct span){0});
}

static const struct complaint refusals[] = {
	[SPOILT_BARE] = { 550, "5.5.2", "a CR or LF that is not CRLF" },
	[SPOILT_SIZE] = { 552, "5.3.4", "larger than is taken here" },
	[SPOILT_ORDER] = { 503, "5.5.1", "no message, or no recipient, to take it" },
};

/* The driver need not wait for the end to hear that it comes to nothing. */
static void
spoil(struct receiver *r, enum spoilt how)
{
	if (r->spoilt != SPOILT_NOT)
		return;
	r->spoilt = how;
	receiver_tell(r, ABOUT_FORGET)->why = refusals[how];
	r->open = false;
}

static void
give(struct receiver *r, const char *p, size_t n)
{
	if (r->terms->max_size > 0 && r->octets + (int64_t)n > r->terms->max_size)
		spoil(r, SPOILT_SIZE);
	r->octets += (int64_t)n;
	if (r->spoilt != SPOILT_NOT || n == 0)
		return;
	buf_add(&receiver_tell(r, ABOUT_TEXT)->text, p, n);
	r->held += n;
}

static void
refuse(struct receiver *r)
{
	receiver_reply(r, refusals[r->spoilt].code, refusals[r->spoilt].status,
	    refusals[r->spoilt].text);
}

static void
ended(struct receiver *r)
{
	bool smuggled = r->spoilt == SPOILT_BARE && r->in_what == IN_DATA;

	r->in_what = IN_COMMAND;
	if (r->spoilt == SPOILT_NOT)
		receiver_question(r, ABOUT_END);
	else
		refuse(r);
	r->open = false;
	/* who thinks that it ended elsewhere has said more, which are no commands */
	if (smuggled)
		receiver_then(r, RECEIVER_OVER);
}

/* ---- DATA ---- */

/* What begins in the middle of a line: how many octets were taken. */
static size_t
middle(struct receiver *r, struct span s)
{
	size_t lf = span_find(s, '\n'), cr;

	if (lf > 0 && lf < s.n && s.p[lf - 1] == '\r' &&
	    span_find((struct span){ s.p, lf }, '\r') == lf - 1) {
		give(r, s.p, lf + 1);
		r->at = AT_LINE;
		return lf + 1;
	}
	cr = span_find((struct span){ s.p, lf }, '\r');
	give(r, s.p, cr);
	if (cr < lf) {
		r->at = AT_CR;
		return cr + 1;
	}
	if (lf == s.n)
		return lf;
	spoil(r, SPOILT_BARE);
	return lf + 1;
}

/* One octet behind a dot, or a CR; false: it is looked at again, in the middle. */
static bool
behind(struct receiver *r, char c)
{
	if (r->at == AT_DOT && c == '\r') {
		r->at = AT_DOT_CR;
		return true;
	}
	if (r->at == AT_DOT_CR && c == '\n') {
		ended(r);
		return true;
	}
	if (r->at == AT_CR && c == '\n') {
		give(r, "\r\n", 2);
		r->at = AT_LINE;
		return true;
	}
	if (r->at != AT_DOT)
		spoil(r, SPOILT_BARE);
	r->at = AT_MIDDLE;
	return false;
}

static size_t
data(struct receiver *r, struct span in)
{
	struct span s = in;

	while (s.n > 0 && r->in_what == IN_DATA && r->held < RECEIVER_HELD) {
		size_t n = 0;

		if (r->at == AT_LINE && *s.p == '.') {
			r->at = AT_DOT;
			n = 1;
		} else if (r->at == AT_LINE || r->at == AT_MIDDLE) {
			r->at = AT_MIDDLE;
			n = middle(r, s);
		} else {
			n = behind(r, *s.p);
		}
		s = span_from(s, n);
	}
	return in.n - s.n;
}

/* ---- BDAT ---- */

/* Is there a CR or a LF alone?  A CR at the end may have its LF in the next piece. */
static void
check_ends(struct receiver *r, struct span s)
{
	for (size_t i = 0; i < s.n;) {
		struct span rest = span_from(s, i);
		size_t lf = span_find(rest, '\n'), cr = span_find(rest, '\r');

		if (r->at == AT_CR && lf != 0)
			spoil(r, SPOILT_BARE);
		if (lf == rest.n && cr == rest.n) {
			r->at = AT_MIDDLE;
			return;
		}
		if (r->at != AT_CR && lf < rest.n && lf < cr)
			spoil(r, SPOILT_BARE);
		r->at = cr < lf ? AT_CR : AT_MIDDLE;
		i += (cr < lf ? cr : lf) + 1;
	}
}

static void
chunk_ended(struct receiver *r)
{
	struct buf text = {0};

	if (r->last) {
		if (r->at == AT_CR)
			spoil(r, SPOILT_BARE);
		ended(r);
		return;
	}
	r->in_what = IN_COMMAND;
	if (r->spoilt != SPOILT_NOT) {
		refuse(r);
		return;
	}
	buf_addf(&text, "%lld octets so far", (long long)r->octets);
	receiver_reply(r, 250, "2.0.0", buf_str(&text));
	buf_free(&text);
}

static size_t
chunk(struct receiver *r, struct span in)
{
	size_t n = in.n < r->left ? in.n : (size_t)r->left;

	check_ends(r, (struct span){ in.p, n });
	give(r, in.p, n);
	r->left -= n;
	if (r->left == 0)
		chunk_ended(r);
	return n;
}

size_t
receiver_text(struct receiver *r, struct span in)
{
	return r->in_what == IN_DATA ? data(r, in) : chunk(r, in);
}
