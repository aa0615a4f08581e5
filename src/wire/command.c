#include "wire/command.h"

#include "wire/xtext.h"

void
command_mail(struct buf *b, const struct envelope *v, const struct ehlo *h,
    int64_t size)
{
	buf_addf(b, "MAIL FROM:<%s>", v->sender != NULL ? v->sender : "");
	if ((h->offers & EXT_SIZE) && size >= 0)
		buf_addf(b, " SIZE=%lld", (long long)size);
	if ((h->offers & EXT_8BITMIME) && v->body == BODY_8BITMIME)
		buf_adds(b, " BODY=8BITMIME");
	if ((h->offers & EXT_SMTPUTF8) && v->smtputf8)
		buf_adds(b, " SMTPUTF8");
	if ((h->offers & EXT_DSN) && v->ret != RET_NONE)
		buf_adds(b, v->ret == RET_FULL ? " RET=FULL" : " RET=HDRS");
	if ((h->offers & EXT_DSN) && v->envid != NULL) {
		buf_adds(b, " ENVID=");
		xtext_add(b, span_of(v->envid));
	}
	buf_adds(b, "\r\n");
}

static void
notify(struct buf *b, unsigned bits)
{
	static const char *const names[] = { "SUCCESS", "FAILURE", "DELAY" };
	const char *comma = "";

	buf_adds(b, " NOTIFY=");
	if (bits & NOTIFY_NEVER) {
		buf_adds(b, "NEVER");
		return;
	}
	for (int i = 0; i < 3; i++) {
		if (bits & (unsigned)NOTIFY_SUCCESS << i) {
			buf_addf(b, "%s%s", comma, names[i]);
			comma = ",";
		}
	}
}

/* The address type stands before the `;` as it is, RFC 3461 section 4.2. */
static void
orcpt(struct buf *b, struct span s)
{
	size_t n = span_find(s, ';');

	buf_adds(b, " ORCPT=");
	buf_add(b, s.p, n < s.n ? n + 1 : 0);
	xtext_add(b, span_from(s, n < s.n ? n + 1 : 0));
}

void
command_rcpt(struct buf *b, const struct rcpt *r, const struct ehlo *h)
{
	buf_addf(b, "RCPT TO:<%s>", r->address);
	if (h->offers & EXT_DSN) {
		if (r->notify != 0)
			notify(b, r->notify);
		if (r->orcpt != NULL)
			orcpt(b, span_of(r->orcpt));
	}
	buf_adds(b, "\r\n");
}
