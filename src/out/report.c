#include "out/report.h"

#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/err.h"
#include "base/text.h"
#include "wire/chunks.h"
#include "wire/record.h"
#include "wire/survey.h"

#define WIDTH 74
#define WORD_MAX (10 * WIDTH)	/* cut there: it is no word */
#define BOUNDARY_OCTETS 16

/* ---- words ---- */

/* What others wrote: on one line, without what a terminal would obey. */
static void
add_safe(struct buf *b, struct span s, bool utf8)
{
	struct buf clean = {0};

	text_printable(&clean, s);
	for (size_t i = 0; i < clean.n; i++) {
		unsigned char c = (unsigned char)clean.p[i];

		if (c < 0x80 || utf8)
			buf_addc(b, (char)c);
		else
			buf_addf(b, "\\x%02X", c);
	}
	buf_free(&clean);
}

/* Broken at blanks, and where there are none for a long time; `indent` each. */
static void
add_wrapped(struct buf *b, struct span s, size_t at, const char *indent)
{
	struct span word;

	for (bool first = true; s.n > 0; first = false) {
		span_cut(&s, ' ', &word);
		while (word.n > 0) {
			size_t n = word.n > WORD_MAX ? WORD_MAX : word.n;

			if (!first && at + 1 + n > WIDTH) {
				buf_addf(b, "\n%s", indent);
				at = strlen(indent);
			} else if (!first) {
				buf_addc(b, ' ');
				at++;
			}
			buf_add(b, word.p, n);
			at += n;
			word = span_from(word, n);
			first = false;
		}
	}
	buf_addc(b, '\n');
}

/* A header field of what others wrote. */
static void
add_field(struct buf *b, const char *name, const char *type, struct span value,
    bool utf8)
{
	struct buf clean = {0};

	add_safe(&clean, value, utf8);
	buf_addf(b, "%s: %s", name, type);
	add_wrapped(b, buf_span(&clean), strlen(name) + 2 + strlen(type), "    ");
	buf_free(&clean);
}

/* An address stays on a line: its blanks may be quoted. */
static void
add_address(struct buf *b, const char *name, const char *type, const char *address,
    bool utf8)
{
	struct buf clean = {0};

	add_safe(&clean, span_of(address), utf8);
	buf_addf(b, "%s: %s", name, type);
	if (clean.n > WORD_MAX)
		add_wrapped(b, buf_span(&clean), 0, " ");
	else
		buf_addf(b, "%s\n", buf_str(&clean));
	buf_free(&clean);
}

static void
add_date(struct buf *b, const char *name, int64_t at)
{
	char text[64];
	time_t t = (time_t)at;
	struct tm tm;

	if (at > 0 && gmtime_r(&t, &tm) != NULL &&
	    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S +0000", &tm) > 0)
		buf_addf(b, "%s: %s\n", name, text);
}

/* Nobody who wrote the original can know it. */
static void
add_boundary(struct buf *b)
{
	unsigned char random[BOUNDARY_OCTETS];

	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		must(NULL);
	buf_adds(b, "=_report_");
	for (size_t i = 0; i < sizeof random; i++)
		buf_addf(b, "%02x", random[i]);
}

/* ---- parts ---- */

static void
add_header(struct buf *b, const struct report *r, const char *boundary,
    bool eight_bit)
{
	add_date(b, "Date", r->now);
	buf_addf(b, "From: Mail Delivery System <MAILER-DAEMON@%s>\n", r->host);
	add_address(b, "To", "", r->sender, r->smtputf8);
	buf_addf(b, "Subject: Returned mail: not delivered to %zu recipient%s\n",
	    r->n, r->n == 1 ? "" : "s");
	buf_addf(b, "Message-ID: <%" PRId64 ".%s@%s>\n", r->now,
	    boundary + strlen("=_report_"), r->host);
	buf_adds(b, "Auto-Submitted: auto-replied\nMIME-Version: 1.0\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\n");
	buf_addf(b, "    boundary=\"%s\"\n", boundary);
	if (eight_bit)
		buf_adds(b, "Content-Transfer-Encoding: 8bit\n");
	buf_adds(b, "\nThis is a report in MIME format.\n\n");
}

static void
add_people(struct buf *b, const struct report *r, bool whole)
{
	struct buf line = {0};

	buf_addf(b, "Content-Description: Notification\n"
	    "Content-Type: text/plain; charset=%s\n%s\n",
	    r->smtputf8 ? "utf-8" : "us-ascii",
	    r->smtputf8 ? "Content-Transfer-Encoding: 8bit\n" : "");
	buf_addf(b, "Your message was not delivered to the recipient%s below, "
	    "and it will not\nbe tried again.  This is reported by %s.\n",
	    r->n == 1 ? "" : "s", r->host);
	for (size_t i = 0; i < r->n; i++) {
		buf_clear(&line);
		buf_addc(&line, '<');
		add_safe(&line, span_of(r->rcpts[i].address), r->smtputf8);
		buf_adds(&line, ">:");
		buf_addc(b, '\n');
		add_wrapped(b, buf_span(&line), 0, " ");
		buf_adds(b, "    ");
		buf_clear(&line);
		add_safe(&line, span_of(r->rcpts[i].text), r->smtputf8);
		add_wrapped(b, buf_span(&line), 4, "    ");
	}
	buf_addf(b, "\n%s is attached.\n\n", whole ? "Your message" :
	    "The header of your message");
	buf_free(&line);
}

/*
 * `host[address]:port: 550 5.1.1 no` : cut into host and reply; false when it is
 * not a server's reply.
 */
static bool
split_reply(struct span text, struct span *host, struct span *reply)
{
	const char *at = text.n > 0 ? memmem(text.p, text.n, ": ", 2) : NULL;

	if (at == NULL)
		return false;
	*host = (struct span){ text.p, (size_t)(at - text.p) };
	host->n = span_find(*host, '[');
	*reply = span_from(text, (size_t)(at - text.p) + 2);
	return host->n > 0 && span_find(*host, ' ') == host->n && reply->n > 4 &&
	    *reply->p == '5' && reply->p[3] == ' ' &&
	    reply->p[1] >= '0' && reply->p[1] <= '9' &&
	    reply->p[2] >= '0' && reply->p[2] <= '9';
}

static void
add_recipient(struct buf *b, const struct report_rcpt *r, bool utf8)
{
	const char *type = utf8 && !text_is_ascii(span_of(r->address)) ?
	    "utf-8; " : "rfc822; ";
	struct span text = span_of(r->text), host, reply;

	buf_addc(b, '\n');
	if (r->orcpt != NULL)
		add_address(b, "Original-Recipient", "", r->orcpt, utf8);
	add_address(b, "Final-Recipient", type, r->address, utf8);
	buf_addf(b, "Action: failed\nStatus: %s\n", r->status);
	if (split_reply(text, &host, &reply)) {
		if (result_names_host(text))
			add_field(b, "Remote-MTA", "dns; ", host, utf8);
		add_field(b, "Diagnostic-Code", "smtp; ", reply, utf8);
	} else {
		add_field(b, "Diagnostic-Code", "x-tidegate; ", text, utf8);
	}
	add_date(b, "Last-Attempt-Date", r->last_attempt);
}

static void
add_status(struct buf *b, const struct report *r)
{
	buf_addf(b, "Content-Description: Delivery report\n"
	    "Content-Type: message/%sdelivery-status\n%s\n",
	    r->smtputf8 ? "global-" : "",
	    r->smtputf8 ? "Content-Transfer-Encoding: 8bit\n" : "");
	buf_addf(b, "Reporting-MTA: dns; %s\n", r->host);
	if (r->envid != NULL)
		add_field(b, "Original-Envelope-Id", "", span_of(r->envid),
		    r->smtputf8);
	add_date(b, "Arrival-Date", r->arrival);
	for (size_t i = 0; i < r->n; i++)
		add_recipient(b, &r->rcpts[i], r->smtputf8);
	buf_addc(b, '\n');
}

/* A line, or a part of a long one, which goes on behind a blank. */
static void
add_line(struct buf *b, const struct chunk *c, size_t *column)
{
	struct span s = c->text;

	if (c->first)
		*column = 0;
	while (s.n > 0) {
		size_t n = TEXT_LINE_MAX - *column;

		if (n > s.n)
			n = s.n;
		buf_add(b, s.p, n);
		*column += n;
		s = span_from(s, n);
		if (*column == TEXT_LINE_MAX && (s.n > 0 || !c->last)) {
			buf_adds(b, "\n ");
			*column = 1;
		}
	}
	if (c->last)
		buf_addc(b, '\n');
}

static void
add_text(struct buf *b, struct span text, bool whole)
{
	struct chunks lines = {0};
	struct chunk c;
	size_t column = 0;

	chunks_feed(&lines, text);
	while (chunks_next(&lines, &c) || chunks_rest(&lines, &c)) {
		if (!whole && c.first && c.last && c.text.n == 0)
			break;
		add_line(b, &c, &column);
	}
	chunks_free(&lines);
}

static void
add_original(struct buf *b, const struct report *r, struct span text, bool whole)
{
	const char *type = r->smtputf8 ? whole ? "message/global" :
	    "message/global-headers" : whole ? "message/rfc822" :
	    "text/rfc822-headers";

	buf_addf(b, "Content-Description: Undelivered message%s\n"
	    "Content-Type: %s\n%s\n", whole ? "" : " header", type,
	    text_is_ascii(text) ? "" : "Content-Transfer-Encoding: 8bit\n");
	add_text(b, text, whole);
}

void
report_add(struct buf *b, const struct report *r, struct span text)
{
	struct buf boundary = {0};
	bool whole = text.n <= REPORT_WHOLE_MAX && r->ret != RET_HDRS;
	const char *cut;

	if (text.n > REPORT_WHOLE_MAX)
		text.n = REPORT_WHOLE_MAX;
	add_boundary(&boundary);
	cut = buf_str(&boundary);
	add_header(b, r, cut, r->smtputf8 || !text_is_ascii(text));
	buf_addf(b, "--%s\n", cut);
	add_people(b, r, whole);
	buf_addf(b, "--%s\n", cut);
	add_status(b, r);
	buf_addf(b, "--%s\n", cut);
	add_original(b, r, text, whole);
	buf_addf(b, "\n--%s--\n", cut);
	buf_free(&boundary);
}
