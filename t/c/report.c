/* What a report of failure says, and that no octet of others bends it. */
#include "../tap.h"

#include "base/err.h"
#include "out/report.h"

static struct report_rcpt rcpts[] = {
	{ "bob@there.test", "rfc822;robert@first.test", "5.1.1",
	    "mx.there.test[192.0.2.1]:25: 550 5.1.1 no\r\nsuch\033[31m user",
	    1700000000 },
	{ "\"odd  one\"@there.test", NULL, "5.3.4", "message is too big", 0 },
};

static struct report plain = {
	.host = "gate.test", .sender = "\"Ann  X\"@here.test", .envid = "EN;1",
	.now = 1700000600, .arrival = 1699990000, .rcpts = rcpts, .n = 2,
};

static struct buf
made(struct report r, struct span text)
{
	struct buf b = {0};

	report_add(&b, &r, text);
	return b;
}

/* No CR, no NUL, no other control but LF; no line over 998. */
static bool
is_clean(struct buf *b)
{
	struct span rest = buf_span(b), line;

	while (span_cut(&rest, '\n', &line)) {
		if (line.n > 998)
			return false;
		for (size_t i = 0; i < line.n; i++)
			if ((unsigned char)line.p[i] < 0x20 && line.p[i] != '\t')
				return false;
	}
	return b->n > 0 && b->p[b->n - 1] == '\n';
}

static int
count(struct buf *b, const char *what)
{
	int n = 0;

	for (const char *p = buf_str(b); (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

static void
has(struct buf *b, const char *what)
{
	if (!ok(count(b, what) == 1, "once: %s", what))
		printf("%s\n", buf_str(b));
}

static void
said(void)
{
	struct buf b = made(plain, SPAN("Subject: x\r\n\r\nhello\r\n"));

	has(&b, "\nTo: \"Ann  X\"@here.test\n");
	has(&b, "\nAuto-Submitted: auto-replied\n");
	has(&b, "multipart/report; report-type=delivery-status;");
	has(&b, "Content-Type: message/delivery-status\n");
	has(&b, "\nReporting-MTA: dns; gate.test\nOriginal-Envelope-Id: EN;1\n"
	    "Arrival-Date: Tue, 14 Nov 2023 19:26:40 +0000\n\n"
	    "Original-Recipient: rfc822;robert@first.test\n"
	    "Final-Recipient: rfc822; bob@there.test\n"
	    "Action: failed\nStatus: 5.1.1\n"
	    "Remote-MTA: dns; mx.there.test\n"
	    "Diagnostic-Code: smtp; 550 5.1.1 no\\x0D\\x0Asuch\\x1B[31m user\n"
	    "Last-Attempt-Date: Tue, 14 Nov 2023 22:13:20 +0000\n\n"
	    "Final-Recipient: rfc822; \"odd  one\"@there.test\n"
	    "Action: failed\nStatus: 5.3.4\n"
	    "Diagnostic-Code: x-tidegate; message is too big\n\n--");
	has(&b, "Content-Type: message/rfc822\n\nSubject: x\n\nhello\n\n--=_report_");
	ok(is_clean(&b), "clean");
	buf_free(&b);
}

/* A peer that is no host is no Remote-MTA, whatever it said. */
static void
said_by_no_host(void)
{
	static const char *const names[] = { "fd:7", "unix:/run/lmtp", "exec:lmtpd" };
	struct report_rcpt to = rcpts[0];
	struct report r = plain;

	r.rcpts = &to;
	r.n = 1;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct buf text = {0}, b;

		buf_addf(&text, "%s: 550 5.1.1 no such user", names[i]);
		to.text = buf_str(&text);
		b = made(r, SPAN("Subject: x\n\nx\n"));
		has(&b, "\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n");
		ok(count(&b, "Remote-MTA") == 0, "%s is none", names[i]);
		buf_free(&b);
		buf_free(&text);
	}
}

static void
how_much_returns(void)
{
	struct buf long_one = {0}, b;
	struct report r = plain;

	buf_adds(&long_one, "Subject: long\n\n");
	while (long_one.n <= REPORT_WHOLE_MAX)
		buf_adds(&long_one, "the body\n");
	r.ret = RET_FULL;
	b = made(r, buf_span(&long_one));
	has(&b, "Content-Type: text/rfc822-headers\n\nSubject: long\n\n--");
	ok(count(&b, "the body") == 0, "over the cap: its header alone");
	buf_free(&b);
	long_one.n = REPORT_WHOLE_MAX;
	b = made(r, buf_span(&long_one));
	has(&b, "Content-Type: message/rfc822\n\nSubject: long\n\nthe body\n");
	buf_free(&b);
	r.ret = RET_HDRS;
	b = made(r, SPAN("Subject: x\r\nTo: y\r\n\r\nbody\r\n"));
	has(&b, "Content-Type: text/rfc822-headers\n\nSubject: x\nTo: y\n\n--");
	buf_free(&b);
	memset(long_one.p, 'x', REPORT_WHOLE_MAX);
	b = made(r, buf_span(&long_one));
	ok(is_clean(&b), "a header that is one line");
	buf_free(&b);
	buf_free(&long_one);
}

/* What a line of the original may be. */
static void
lines(void)
{
	static const struct { const char *name, *in; size_t n; const char *out; } t[] = {
		{ "no last line end", "a: b", 0, "a: b\n\n--=_" },
		{ "CR and LF alone", "a\rb\nc\r\n", 0, "\na\nb\nc\n\n--=_" },
		{ "a NUL", "a\0b\n", 4, "\nab\n\n--=_" },
		{ "nothing", "", 0, "message/rfc822\n\n\n--=_" },
	};
	struct buf b, text = {0};
	struct report r = plain;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		b = made(r, (struct span){ t[i].in, t[i].n > 0 ? t[i].n :
		    strlen(t[i].in) });
		if (!ok(count(&b, t[i].out) == 1, "%s", t[i].name))
			printf("%s\n", b.p);
		ok(is_clean(&b), "%s: clean", t[i].name);
		buf_free(&b);
	}
	for (size_t n = 990; n <= 2100; n += n == 1005 ? 900 : 1) {
		size_t x = 0;

		buf_clear(&text);
		for (size_t i = 0; i < n; i++)
			buf_addc(&text, '~');
		buf_addc(&text, '\n');
		b = made(r, buf_span(&text));
		for (size_t i = 0; i < b.n; i++)
			x += b.p[i] == '~';
		ok(is_clean(&b) && x == n && count(&b, "\n ~") == (n > 998) +
		    (n > 998 + 997) + (n > 998 + 2 * 997), "%zu octets", n);
		buf_free(&b);
	}
	buf_free(&text);
}

static void
utf8(void)
{
	struct report_rcpt to = { "jos\303\251@there.test", NULL, "5.1.1",
	    "mx: 550 5.1.1 weg: \303\274ber \233", 0 };
	struct report r = plain;
	struct buf b;

	r.rcpts = &to;
	r.n = 1;
	r.smtputf8 = true;
	b = made(r, SPAN("Subject: \303\251\n\nx\n"));
	has(&b, "Content-Type: message/global-delivery-status\n");
	has(&b, "Final-Recipient: utf-8; jos\303\251@there.test\n");
	has(&b, "Diagnostic-Code: smtp; 550 5.1.1 weg: \303\274ber \\x9B\n");
	has(&b, "Content-Type: message/global\n");
	has(&b, "Content-Type: text/plain; charset=utf-8\n");
	buf_free(&b);
	r.ret = RET_HDRS;
	b = made(r, SPAN("Subject: \303\251\n\nx\n"));
	has(&b, "Content-Type: message/global-headers\n");
	buf_free(&b);
	r.smtputf8 = false;
	b = made(r, SPAN("Subject: x\n\nx\n"));
	for (size_t i = 0; i < b.n; i++)
		if ((unsigned char)b.p[i] >= 0x80)
			b.n = 0;
	ok(b.n > 0, "without SMTPUTF8 it is ASCII");
	buf_free(&b);
}

static void
long_words(void)
{
	char word[3001];
	struct report_rcpt to = { word, word, "5.0.0", word, 0 };
	struct report r = plain;
	struct buf b;

	memset(word, 'y', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	r.rcpts = &to;
	r.n = 1;
	r.sender = r.envid = word;
	b = made(r, SPAN("a: b\n"));
	ok(is_clean(&b), "words without an end");
	buf_free(&b);
}

static void
boundaries(void)
{
	struct buf a = made(plain, SPAN("x: y\n")), b = made(plain, SPAN("x: y\n"));

	ok(count(&a, "=_report_") == 5, "in the header, three parts, the end");
	ok(strcmp(buf_str(&a), buf_str(&b)) != 0, "another one each time");
	buf_free(&a);
	buf_free(&b);
}

int
main(void)
{
	said();
	said_by_no_host();
	how_much_returns();
	lines();
	utf8();
	long_words();
	boundaries();
	return done_testing();
}
