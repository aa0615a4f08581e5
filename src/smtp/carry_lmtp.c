/* Sessions that speak LMTP (RFC 2033): sender and recipients first, the text in turn. */
#include "smtp/carry_own.h"
#include "wire/command.h"

#define CHUNK 32768		/* octets of text from which on a part of it goes out */

static bool
chunks(const struct carry *c)
{
	return carry_offers(c, EXT_CHUNKING) && carry_offers(c, EXT_PIPELINING);
}

bool
carry_in_chunks(const struct carry *c, const struct carry_near *n)
{
	return n->lmtp && (n->useless || chunks(c));
}

void
carry_lmtp_forget(struct carry_near *n)
{
	for (size_t i = 0; i < n->said.n; i++)
		buf_free(&n->said.p[i]);
	vec_free(&n->said);
	envelope_free(&n->v);
	buf_clear(&n->chunk);
	n->told = 0;
	n->size = -1;
	n->open = n->waits = n->useless = n->judged = false;
}

/* ---- what is said to us ---- */

/* RFC 2033 section 5: PIPELINING is a part of it. */
void
carry_lmtp_hello(struct carry *c, struct carry_near *n, struct span arg)
{
	unsigned offers = c->offers.offers & CARRIED & ~(unsigned)EXT_CHUNKING;

	(void)arg;
	carry_lmtp_forget(n);
	carry_hello(c, n, offers | EXT_PIPELINING | EXT_ENHANCEDSTATUSCODES);
}

void
carry_lmtp_mail(struct carry *c, struct carry_near *n, struct span arg)
{
	struct envelope v = {0};
	int64_t size = -1;

	if (carry_takes_sender(c, n, arg, &v, &size)) {
		carry_lmtp_forget(n);
		n->v = v;
		v = (struct envelope){0};
		n->size = size;
		n->utf8 = n->v.smtputf8;
		n->open = true;
		carry_say(c, n, "250 2.1.0 noted");
	}
	envelope_free(&v);
}

void
carry_lmtp_rcpt(struct carry *c, struct carry_near *n, struct span arg)
{
	size_t most = c->offers.rcptmax > 0 && c->offers.rcptmax < CARRY_RCPTS ?
	    (size_t)c->offers.rcptmax : CARRY_RCPTS;
	struct envelope v = {0};

	if (!carry_takes(c, n, arg, &v)) {
		;	/* and was answered */
	} else if (n->said.n >= most) {
		carry_say(c, n, "452 4.5.3 too many recipients at once");
	} else {
		*vec_add(&n->v.rcpts) = v.rcpts.p[0];
		v.rcpts.n = 0;		/* it is the other one's now */
		vec_add(&n->said);
		carry_say(c, n, "250 2.1.5 noted");
	}
	envelope_free(&v);
}

/* The answer comes when it is his turn. */
void
carry_lmtp_data(struct carry *c, struct carry_near *n, struct span arg)
{
	if (arg.n > 0)
		carry_say(c, n, "501 5.5.4 DATA has no argument");
	else if (!n->open || n->said.n == 0)
		carry_say(c, n, "503 5.5.1 RCPT comes first");
	else
		n->ticket = ++c->tickets;
}

/* Octets follow, whose end we would have to look for. */
void
carry_lmtp_bdat(struct carry *c, struct carry_near *n, struct span arg)
{
	(void)arg;
	carry_say(c, n, "502 5.5.1 not offered");
	n->over = true;
}

void
carry_lmtp_rset(struct carry *c, struct carry_near *n, struct span arg)
{
	(void)arg;
	carry_lmtp_forget(n);
	carry_say(c, n, "250 2.0.0 forgotten");
}

#define WAITS "354"

void
carry_keep(const struct carry *c, struct carry_near *n)
{
	if (n->lmtp && !n->dismissed && n->to_near.n == 0 && (n->ticket > 0 ||
	    (c->holder == n && n->in_what == CARRY_COMMAND)))
		buf_adds(&n->to_near, WAITS "-the line is busy\r\n");
}

/* ---- what far is told ---- */

/* Everybody was refused: what follows is for nobody, and far need not have it. */
static void
give_up(struct carry *c, struct carry_near *n)
{
	if (n->in_what != CARRY_TEXT || n->useless)
		return;
	for (size_t i = 0; i < n->said.n; i++)
		if (n->said.p[i].n == 0)
			return;
	n->useless = true;
	c->holder = NULL;
}

static void
ask_for_text(struct carry_near *n)
{
	if (!n->dismissed)
		buf_adds(&n->to_near, WAITS " go on\r\n");
	n->in_what = CARRY_TEXT;
	n->at = AT_START;
}

static void
say_next(struct carry *c, struct carry_near *n)
{
	size_t i = n->told++;

	if (i == 0) {
		command_mail(&c->to_far, &n->v, &c->offers, n->size);
		carry_owe(c, DUE_MAIL, n);
		c->dirty = true;
	} else if (i <= n->said.n) {
		command_rcpt(&c->to_far, &n->v.rcpts.p[i - 1], &c->offers);
		carry_owe(c, DUE_RCPT, n)->nth = i - 1;
	} else if (chunks(c)) {
		ask_for_text(n);
		give_up(c, n);
	} else {
		buf_adds(&c->to_far, "DATA\r\n");
		carry_owe(c, DUE_DATA, n);
		n->waits = true;
	}
}

bool
carry_lmtp_speaks(struct carry *c, struct carry_near *n)
{
	if (!n->lmtp || c->holder != n || n->in_what != CARRY_COMMAND || n->waits ||
	    n->over || c->owed.n >= CARRY_DUE || c->to_far.n >= CARRY_HELD ||
	    (!carry_offers(c, EXT_PIPELINING) && c->owed.n > 0))
		return false;
	if (n->told == 0 && c->dirty)
		carry_reset(c);
	else
		say_next(c, n);
	return true;
}

/* Each recipient gets his reply; those who had none yet, far's last one. */
static void
settle(struct carry_near *n, const struct buf *last)
{
	for (size_t i = 0; !n->dismissed && i < n->said.n; i++)
		buf_addspan(&n->to_near, buf_span(n->said.p[i].n > 0 ?
		    &n->said.p[i] : last));
	carry_lmtp_forget(n);
}

static void
say_chunk(struct carry *c, struct carry_near *n, bool last)
{
	buf_addf(&c->to_far, "BDAT %zu%s\r\n", n->chunk.n, last ? " LAST" : "");
	buf_addspan(&c->to_far, buf_take(&n->chunk));
	carry_owe(c, last ? DUE_END : DUE_CHUNK, n);
}

void
carry_lmtp_text(struct carry *c, struct carry_near *n, bool last)
{
	if (n->useless) {
		buf_clear(&n->chunk);
		if (!last)
			return;
		c->refused++;
		carry_detach(c, n);	/* its RCPTs, if MAIL was refused */
		settle(n, NULL);
		return;
	}
	if (chunks(c) && (last || n->chunk.n >= CHUNK))
		say_chunk(c, n, last);
	else if (last) {
		buf_adds(&c->to_far, ".\r\n");
		carry_owe(c, DUE_END, n);
	}
	if (!last)
		return;
	n->judged = true;
	c->holder = NULL;
}

/* ---- what far says ---- */

/* All who were not refused before. */
static void
refuse(struct carry_near *n, const struct reply *r)
{
	for (size_t i = 0; i < n->said.n; i++)
		if (n->said.p[i].n == 0)
			carry_write_reply(&n->said.p[i], r);
}

static void
answered_data(struct carry *c, struct carry_near *n, const struct reply *r)
{
	n->waits = false;
	if (r->code / 100 != 3)
		refuse(n, r);
	ask_for_text(n);
	if (r->code / 100 != 3)
		give_up(c, n);
}

void
carry_lmtp_answered(struct carry *c, const struct owed *o, const struct reply *r)
{
	struct carry_near *n = o->to;
	struct buf text = {0};

	if (o->what == DUE_DATA) {
		answered_data(c, n, r);
	} else if (o->what == DUE_END) {
		carry_write_reply(&text, r);
		settle(n, &text);
		buf_free(&text);
	} else if (r->code / 100 != 2) {
		if (o->what != DUE_RCPT)
			refuse(n, r);
		else if (n->said.p[o->nth].n == 0)
			carry_write_reply(&n->said.p[o->nth], r);
		if (chunks(c))
			give_up(c, n);
	}
}
