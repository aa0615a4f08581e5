/*
 * Whatever a text is: mended it has CRLF only, no Bcc, lines and octets as they
 * may be sent, whatever its pieces were, and mending it again changes nothing.
 * The first octet says how: 1 seven bits, 2 without Bcc, 4 the other octets are
 * words of the table below, so that chance meets MIME more often.
 */
#include "fuzz.h"

#include "../pieces.h"
#include "spool/mend.h"
#include "wire/header.h"
#include "wire/survey.h"

static struct buf
mended(struct span in, int how, size_t size)
{
	struct body inner, b;

	pieces_body(&b, in, size);
	if ((how & 2) != 0) {
		inner = b;
		mend_no_bcc(&b, &inner);
	}
	inner = b;
	mend_limits(&b, &inner, how & 1);
	return pieces_all(&b);
}

static bool
alike(const struct buf *a, const struct buf *b)
{
	return span_eq(buf_span(a), buf_span(b));
}

/* Could it have parts, or an encoding that cannot be changed? */
static bool
is_simple(struct span in)
{
	struct buf b = {0};
	const char *s;
	bool simple;

	for (size_t i = 0; i < in.n; i++)
		if (in.p[i] != '\0')
			buf_addc(&b, in.p[i]);
	s = buf_str(&b);
	simple = strcasestr(s, "multipart") == NULL &&
	    strcasestr(s, "message") == NULL && strcasestr(s, "coding") == NULL;
	buf_free(&b);
	return simple;
}

/* The text behind the header. */
static struct span
text_of(struct span s, bool *bcc)
{
	struct span name;
	size_t n;

	*bcc = false;
	while ((n = header_field(s, &name)) > 0) {
		*bcc |= span_ieq(name, SPAN("Bcc")) ||
		    span_ieq(name, SPAN("Resent-Bcc"));
		s = span_from(s, n);
	}
	return s;
}

static void
within(const struct buf *out, int how, bool simple)
{
	struct survey whole = {0}, text = {0};
	bool bcc;

	survey_look(&text, text_of(buf_span(out), &bcc));
	survey_look(&whole, buf_span(out));
	must_hold(whole.bare_at == 0);
	must_hold(!bcc || (how & 2) == 0);
	must_hold(out->n == 0 || memchr(out->p, '\0', out->n) == NULL);
	if (simple) {
		must_hold(text.longest <= TEXT_LINE_MAX);
		must_hold(!text.eight_bit || (how & 1) == 0);
	}
}

static const char *const words[] = {
	"\r\n", "\r\n", "\r", "\n", " ", "\t", "--", "b", "c", ":", ";", "=", "(",
	")", "\"", "\\", "\303\266", "A: ", "Content-Type: ", "multipart/mixed",
	"multipart/digest; boundary=b\r\n", "; boundary=", "message/rfc822",
	"message/partial", "text/plain", "a/b", "\r\n\r\n", "\r\n--b\r\n",
	"\r\n--c\r\n", "\r\n--b--\r\n", "--c--", "8bit", "binary", "base64",
	"Content-Transfer-Encoding: ", "quoted-printable", "=3D", "=\r\n",
	"Content-Type: multipart/mixed; boundary=c\r\n", "MIME-Version: 1.0\r\n",
	"Bcc", "Resent-Bcc: x",
};

static void
put(struct buf *b, uint8_t octet)
{
	size_t all = sizeof words / sizeof *words;

	if (octet < all)
		buf_adds(b, words[octet]);
	else if (octet < 0xf0)
		buf_addc(b, (char)octet);
	else
		for (int i = 0; i < 500; i++)
			buf_addc(b, octet & 1 ? ' ' : 'x');
}

static void
try(struct span in, int how)
{
	struct buf out, bites, again;
	size_t n = in.n + 1;

	out = mended(in, how, n);
	bites = mended(in, how, 1);
	must_hold(alike(&out, &bites));
	buf_free(&bites);
	bites = mended(in, how, 7);
	must_hold(alike(&out, &bites));
	again = mended(buf_span(&out), how, n);
	must_hold(alike(&out, &again));
	within(&out, how, is_simple(in));
	buf_free(&out);
	buf_free(&bites);
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf in = {0};

	if (n < 1)
		return 0;
	for (size_t i = 1; i < n && in.n < 6000; i++) {
		if ((data[0] & 4) != 0)
			put(&in, data[i]);
		else
			buf_addc(&in, (char)data[i]);
	}
	try(buf_span(&in), data[0] & 3);
	buf_free(&in);
	return 0;
}
