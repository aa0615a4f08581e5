/* Texts made fit to be sent. */
#include "../tap.h"

#include "../pieces.h"
#include "spool/mend.h"

#define QP "Content-Transfer-Encoding: quoted-printable\r\n"
#define B64 "Content-Transfer-Encoding: base64\r\n"
#define BIT8 "Content-Transfer-Encoding: 8bit\r\n"
#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n"
#define VERSION10 "MIME-Version: 1.0\r\n"
#define UNKNOWN "Content-Type: text/plain; charset=unknown-8bit\r\n"

/* What a row does not say is the same as what went in. */
static const struct {
	const char *name, *in, *seven, *eight;
} rows[] = {
	{ "nothing", "", NULL, NULL },
	{ "a header only", "A: b\r\n", NULL, NULL },
	{ "within the limits", "A: b\r\n\r\nc\r\n.\r\n\r\n", NULL, NULL },
	{ "7-bit MIME", MIXED BIT8 "\r\n--b\r\n" BIT8 "\r\nx\r\n--b--\r\n",
	    NULL, NULL },
	{ "no last line end, and nothing to do", "A: b\r\n\r\nc", NULL, NULL },

	{ "bare CR", "A: b\r\n\r\nc\rd\r\n", "A: b\r\n\r\nc\r\nd\r\n",
	    "A: b\r\n\r\nc\r\nd\r\n" },
	{ "bare LF", "A: b\n\nc\r\n", "A: b\r\n\r\nc\r\n",
	    "A: b\r\n\r\nc\r\n" },
	{ "CR CR LF", "\r\nc\r\r\n", "\r\nc\r\n\r\n", "\r\nc\r\n\r\n" },
	{ "CR at the end", "\r\nc\r", "\r\nc\r\n", "\r\nc\r\n" },
	{ "LF CR", "\r\nc\n\rd\r\n", "\r\nc\r\n\r\nd\r\n",
	    "\r\nc\r\n\r\nd\r\n" },

	{ "no MIME at all", "A: b\r\n\r\nh\303\266=\r\n",
	    "A: b\r\n" VERSION10 UNKNOWN QP "\r\nh=C3=B6=3D\r\n", NULL },
	{ "no header at all", "\r\n\366\r\n",
	    VERSION10 UNKNOWN QP "\r\n=F6\r\n", NULL },
	{ "its own encoding, odd and twice",
	    VERSION10 "content-transfer-encoding :\r\n (x) 8BIT\r\n"
	    "Content-Type: text/html\r\n" BIT8 "\r\n\366\r\n",
	    VERSION10 QP "Content-Type: text/html\r\n\r\n=F6\r\n", NULL },
	{ "text with dashes and blanks",
	    "\r\n\366 \t\r\n-- \r\n- a\r\n--\r\n-\r\n \r\n",
	    VERSION10 UNKNOWN QP "\r\n=F6 =09\r\n=2D-=20\r\n- a\r\n=2D-\r\n-\r\n"
	    "=20\r\n", NULL },
	{ "no text", "Content-Type: application/x\r\n" BIT8 "\r\n\366\r\n",
	    "Content-Type: application/x\r\n" B64 VERSION10
	    "\r\n9g0K\r\n", NULL },
	{ "no text, and two octets at its end",
	    "Content-Type: x/x\r\n" VERSION10 "\r\n\366\366\366\r\n",
	    "Content-Type: x/x\r\n" VERSION10 B64 "\r\n9vb2DQo=\r\n", NULL },
	{ "an encoding nobody knows",
	    "Content-Transfer-Encoding: x-uuencode\r\n\r\n\366\r\n", NULL, NULL },
	{ "quoted-printable with octets it may not have",
	    QP "\r\na=\r\n\366=3D b \r\n", QP "\r\na=\r\n=F6=3D b \r\n", NULL },
	{ "base64 with octets it may not have", B64 "\r\nAA\366AA\r\n",
	    B64 "\r\nAAAA\r\n", NULL },
	{ "a header over 127", "A: \366\r\n\r\nb\r\n", NULL, NULL },

	{ "parts", "A: b\r\n" MIXED BIT8 "\r\npre\r\n--b\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n" BIT8
	    "\r\nh\303\266\r\n--b  \r\n\r\nplain\r\n\r\n--b\r\n"
	    "Content-Type: IMAGE/png\r\n\r\n\001\303\r\n\r\n--b--\r\nepi\r\n",
	    "A: b\r\n" MIXED "Content-Transfer-Encoding: 7bit\r\n" VERSION10
	    "\r\npre\r\n--b\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n" QP
	    "\r\nh=C3=B6\r\n--b  \r\n\r\nplain\r\n\r\n--b\r\n"
	    "Content-Type: IMAGE/png\r\n" B64 "\r\nAcMNCg==\r\n--b--\r\nepi\r\n",
	    NULL },
	{ "a part that does not end its line",
	    MIXED "\r\n--b\r\n\r\n\r\n--b\r\n\r\n\366\r\n\r\n\r\n--b--\r\n",
	    MIXED "\r\n--b\r\n\r\n\r\n--b\r\n" QP "\r\n=F6\r\n\r\n\r\n--b--\r\n",
	    NULL },
	{ "parts in parts", MIXED "\r\n--b\r\n"
	    "Content-Type: multipart/x;\r\n\tboundary=\"b\\b\" (c)\r\n\r\n"
	    "--bb\r\n\r\n\366\r\n--b\r\n\r\n\366\r\n--bb\r\n--b--\r\n\366\r\n",
	    MIXED "\r\n--b\r\n"
	    "Content-Type: multipart/x;\r\n\tboundary=\"b\\b\" (c)\r\n\r\n"
	    "--bb\r\n" QP "\r\n=F6\r\n--b\r\n" QP "\r\n=F6\r\n=2D-bb\r\n"
	    "--b--\r\n\366\r\n", NULL },
	{ "a message in it", "Content-Type: message/rfc822\r\n" BIT8 "\r\n"
	    "A: b\r\n\r\n\366\r\n",
	    "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n"
	    VERSION10 "\r\nA: b\r\n" VERSION10 UNKNOWN QP "\r\n=F6\r\n", NULL },
	{ "a digest", "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n"
	    "\r\nA: b\r\n\r\n\366\r\n--b--\r\n",
	    "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n"
	    "\r\nA: b\r\n" VERSION10 UNKNOWN QP "\r\n=F6\r\n--b--\r\n", NULL },
	{ "parts without their boundary",
	    "Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\n\366\r\n", NULL,
	    NULL },
	{ "other messages", "Content-Type: message/delivery-status\r\n\r\n"
	    "A: \366\r\n", NULL, NULL },
	{ "a header with a boundary in it", MIXED "\r\n--b\r\nA: b\r\n--b\r\n"
	    BIT8 "--b--\r\n\366\r\n", NULL, NULL },
	{ "it says 8 bits for what stays so", MIXED BIT8 "\r\n--b\r\n"
	    "Content-Type: message/partial\r\n\r\n\366\r\n--b\r\n\r\n\366\r\n",
	    MIXED BIT8 "\r\n--b\r\nContent-Type: message/partial\r\n\r\n\366\r\n"
	    "--b\r\n" QP "\r\n=F6\r\n", NULL },
};

static struct buf
mended(struct span in, size_t size, bool seven)
{
	struct body inner, b;

	pieces_body(&inner, in, size);
	mend_limits(&b, &inner, seven);
	return pieces_all(&b);
}

static bool
alike(struct buf *a, struct span b)
{
	bool same = span_eq(buf_span(a), b);

	if (!same)
		printf("# got:    %s\n# wanted: %.*s\n", buf_str(a), (int)b.n,
		    b.p);
	buf_free(a);
	return same;
}

/* As it should be, in bites too, and again. */
static void
comes_out(const char *name, struct span in, struct span want, bool seven)
{
	static const size_t sizes[] = { 1, 7, 4096, 1 << 20 };
	struct buf out;

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		out = mended(in, sizes[i], seven);
		ok(alike(&out, want), "%s, %d bits, bites of %zu", name,
		    seven ? 7 : 8, sizes[i]);
	}
	out = mended(want, 4096, seven);
	ok(alike(&out, want), "%s, again", name);
}

static void
repeat(struct buf *b, const char *s, size_t n)
{
	while (n-- > 0)
		buf_adds(b, s);
}

/* The longest line of a text. */
static size_t
longest(struct span s)
{
	struct span line;
	size_t max = 0;

	while (span_cut(&s, '\n', &line))
		if (line.n > max)
			max = line.n;
	return max > 0 ? max - 1 : 0;
}

static void
long_lines(void)
{
	struct buf in = {0}, want = {0}, out;

	buf_adds(&in, "\r\n");
	repeat(&in, "x", 998);
	buf_adds(&in, "\r\n");
	comes_out("998 octets", buf_span(&in), buf_span(&in), true);
	in.n -= 2;
	buf_adds(&in, "x\r\n");
	buf_adds(&want, VERSION10 QP "\r\n");
	for (int i = 0; i < 999 / 75; i++) {
		repeat(&want, "x", 75);
		buf_adds(&want, "=\r\n");
	}
	repeat(&want, "x", 999 % 75);
	buf_adds(&want, "\r\n");
	comes_out("999 octets", buf_span(&in), buf_span(&want), false);

	buf_clear(&in);
	buf_clear(&want);
	buf_adds(&in, B64 "\r\n");
	repeat(&in, "AbC/", 19 * 20);
	buf_adds(&in, "\r\nAA==\r\n");
	buf_adds(&want, B64 "\r\n");
	for (int i = 0; i < 20; i++) {
		repeat(&want, "AbC/", 19);
		buf_adds(&want, "\r\n");
	}
	buf_adds(&want, "AA==\r\n");
	comes_out("base64", buf_span(&in), buf_span(&want), false);

	buf_clear(&in);
	buf_adds(&in, QP "\r\n");
	repeat(&in, "x=3D-", 300);
	buf_adds(&in, "\r\n");
	out = mended(buf_span(&in), 7, false);
	ok(longest(buf_span(&out)) <= 76, "quoted-printable");
	buf_free(&out);
	buf_free(&in);
	buf_free(&want);
}

/* Puts "\r\n" in for `|`. */
static void
lines(struct buf *b, const char *s)
{
	buf_clear(b);
	for (; *s != '\0'; s++) {
		if (*s == '|')
			buf_adds(b, "\r\n");
		else if (*s == '#')
			repeat(b, "x", 500);
		else
			buf_addc(b, *s);
	}
}

static void
folds(void)
{
	static const struct { const char *in, *out; } t[] = {
		{ "A: # #||b|", "A: #| #||b|" },
		{ "A: # \t#||b|", "A: #| \t#||b|" },
		{ "A: # # # #||b|", "A: #| #| #| #||b|" },
		{ "A: # # # # |b c||b|", "A: #| #| #| # |b c||b|" },
		{ "A: # b c # d||b|", "A: # b c| # d||b|" },
		{ "A: ####||b|", "A:| ####||b|" },
		{ "A: b #### c #||b|", "A: b| ####| c #||b|" },
		{ "A:#### # #||b|", "A:####| #| #||b|" },
		{ "A:b| #### c||b|", "A:b| ####| c||b|" },
		{ "A # # #||b|", "A # # #||b|" },
		{ "--A: # # #||b|", "--A: # # #||b|" },
		{ "B:#|A:##                    ||b|", "B:#|A:##                    ||b|" },
	};
	struct buf in = {0}, want = {0};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		lines(&in, t[i].in);
		lines(&want, t[i].out);
		comes_out("folded", buf_span(&in), buf_span(&want), true);
	}
	lines(&in, "A: b");
	repeat(&in, " ", 3000);
	buf_adds(&in, "c\r\n\r\n");
	buf_free(&want);
	want = mended(buf_span(&in), 4096, true);
	comes_out("blanks", buf_span(&in), buf_span(&want), true);
	buf_free(&in);
	buf_free(&want);
}

/* Deeper, and more, than is looked at: it stays, and costs nothing. */
static void
bounds(void)
{
	struct buf in = {0}, out;

	for (int i = 0; i < 3000; i++)
		buf_addf(&in, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n"
		    "--b%d\r\n", i, i);
	buf_adds(&in, "\r\n\366\r\n");
	comes_out("too deep", buf_span(&in), buf_span(&in), true);

	buf_clear(&in);
	buf_adds(&in, MIXED "\r\n");
	repeat(&in, "--b\r\n\r\n\366\r\n", 20000);
	out = mended(buf_span(&in), 4096, true);
	comes_out("too many", buf_span(&in), buf_span(&out), true);
	buf_free(&out);

	buf_clear(&in);
	buf_adds(&in, "Content-Type: multipart/mixed;");
	repeat(&in, " (((;\"", 100000);
	buf_adds(&in, "\r\n\r\n\366\r\n");
	out = mended(buf_span(&in), 4096, true);
	ok(out.n >= in.n, "a field without an end");
	buf_free(&out);
	buf_free(&in);
}

static void
nul(void)
{
	struct span in = SPAN("A:\0 b\r\n\0\r\nc\r\0\n\0\0\r\n\0");

	comes_out("NUL", in, SPAN("A: b\r\n\r\nc\r\n\r\n"), true);
}

static void
rewinds(void)
{
	struct body inner, b;
	struct span piece, in = SPAN("Bcc: x\r\nA: b\r\n\r\n\366\r\n");
	struct err e = {0};
	struct buf out;

	for (int stop = 0; stop < 8; stop++) {
		pieces_body(&inner, in, 3);
		mend_no_bcc(&b, &inner);
		inner = b;
		mend_limits(&b, &inner, true);
		ok(inner.close == NULL, "the inner one is taken");
		for (int i = 0; i < stop; i++)
			if (b.next(&b, &piece, &e) <= 0)
				break;
		b.rewind(&b, &e);
		out = pieces_all(&b);
		ok(alike(&out, SPAN("A: b\r\n" VERSION10 UNKNOWN QP
		    "\r\n=F6\r\n")), "rewound after %d", stop);
	}
}

static void
no_bcc(void)
{
	static const struct { const char *in, *out; } t[] = {
		{ "", "" }, { "\r\n", "\r\n" }, { "B", "B" }, { "Bcc", "Bcc" },
		{ "Bcc:", "" }, { "A: b\r\nBc", "A: b\r\nBc" },
		{ "A: b\r\nBcc: x\r\n y\r\n\tz\r\nC: d\r\n\r\nBcc: x\r\n",
		    "A: b\r\nC: d\r\n\r\nBcc: x\r\n" },
		{ "BCC:x\r\nresent-bcc \t: x\r\nResent-B: x\r\nBccc: x\r\n"
		    "Bcc x: y\r\nX-Bcc: y\r\n",
		    "Resent-B: x\r\nBccc: x\r\nBcc x: y\r\nX-Bcc: y\r\n" },
		{ "Bcc: x\n y\nA: b\n\nBcc: x\n", "A: b\n\nBcc: x\n" },
		{ "A: b\rBcc: x\ry: z\r\r\nBcc: x\r\n", "A: b\ry: z\r\r\nBcc: x\r\n" },
		{ "A: b\r\n\rBcc: x\r", "A: b\r\n\rBcc: x\r" },
		{ "Bcc: x\r\n\r\nb\r\n", "\r\nb\r\n" },
		{ " Bcc: x\r\nBcc: y\r\n z", " Bcc: x\r\n" },
	};
	static const size_t sizes[] = { 1, 7, 4096 };
	struct body inner, b;
	struct buf out;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		for (size_t k = 0; k < 3; k++) {
			pieces_body(&inner, span_of(t[i].in), sizes[k]);
			mend_no_bcc(&b, &inner);
			out = pieces_all(&b);
			ok(alike(&out, span_of(t[i].out)), "no Bcc %zu", i);
		}
	}
	pieces_body(&inner, SPAN("B\0cc: x\r\nA:\0 b\r\n\0\r\n\0Bcc: x\r\n"), 3);
	mend_no_bcc(&b, &inner);
	out = pieces_all(&b);
	ok(alike(&out, SPAN("A: b\r\n\r\n\0Bcc: x\r\n")), "NUL hides none");
}

int
main(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct span in = span_of(rows[i].in);

		comes_out(rows[i].name, in, rows[i].seven != NULL ?
		    span_of(rows[i].seven) : in, true);
		comes_out(rows[i].name, in, rows[i].eight != NULL ?
		    span_of(rows[i].eight) : in, false);
	}
	long_lines();
	folds();
	bounds();
	nul();
	rewinds();
	no_bcc();
	return done_testing();
}
