/* What goes out: printable text, doubled dots, xtext, MAIL and RCPT. */
#include "../tap.h"

#include <stdint.h>

#include "base/text.h"
#include "wire/command.h"
#include "wire/dot.h"
#include "wire/xtext.h"

static const struct { const char *in; size_t n; const char *out; } prints[] = {
	{ "plain text", 10, "plain text" },
	{ "a\tb\r\n", 5, "a\\x09b\\x0D\\x0A" },
	{ "\33[2J", 4, "\\x1B[2J" }, { "a\0b", 3, "a\\x00b" },
	{ "\177", 1, "\\x7F" }, { "b\303\266b", 4, "b\303\266b" },
	{ "\302\233[2J", 5, "\\xC2\\x9B[2J" },	/* CSI as C1 */
	{ "\233[2J", 4, "\\x9B[2J" },
	{ "\303", 1, "\\xC3" }, { "\300\200", 2, "\\xC0\\x80" },
	{ "\340\200\200", 3, "\\xE0\\x80\\x80" },
	{ "\355\240\200", 3, "\\xED\\xA0\\x80" },
	{ "\364\220\200\200", 4, "\\xF4\\x90\\x80\\x80" },
	{ "\360\237\230\200", 4, "\360\237\230\200" },
	{ "\302\240", 2, "\302\240" }, { "\377", 1, "\\xFF" },
};

static const struct { const char *in, *out; } words[] = {
	{ "/var/spool/q-1_2@x,y:z=%+", "/var/spool/q-1_2@x,y:z=%+" },
	{ "", "''" }, { "a b", "'a b'" }, { "it's", "'it'\\''s'" },
	{ "$(x)", "'$(x)'" }, { "`x`;&|<>*?[!~#", "'`x`;&|<>*?[!~#'" },
	{ "a\\b\"", "'a\\b\"'" }, { "b\303\266b", "'b\303\266b'" },
	{ "a\nb", NULL }, { "a\033b", NULL }, { "\377", NULL }, { "\302\205", NULL },
};

static const struct { const char *in; size_t most; const char *out; } fronts[] = {
	{ "abc", 4, "abc" }, { "abc", 3, "abc" }, { "abc", 2, "ab" }, { "abc", 0, "" },
	{ "b\303\266b", 2, "b" }, { "b\303\266b", 3, "b\303\266" },
	{ "\360\237\230\200", 3, "" }, { "a\360\237\230\200", 4, "a" },
	{ "\266\266\266\266\266\266", 5, "\266\266\266\266\266" },
};

static const struct { const char *in, *out; } dots[] = {
	{ "", "" }, { "a\r\n", "a\r\n" }, { ".\r\n", "..\r\n" },
	{ "..\r\n.a\r\n", "...\r\n..a\r\n" }, { "a.\r\n", "a.\r\n" },
	{ "\r\n.\r\n", "\r\n..\r\n" }, { ".", ".." },
	{ ".\r\n.\r\n.\r\n", "..\r\n..\r\n..\r\n" },
};

static void
stuffed(const char *in, const char *want, size_t bite)
{
	struct span rest = span_of(in);
	struct buf b = {0};
	bool bol = true;

	while (rest.n > 0) {
		dot_stuff(&b, (struct span){ rest.p,
		    rest.n < bite ? rest.n : bite }, &bol);
		rest = span_from(rest, bite);
	}
	is(buf_str(&b), want, "dots");
	ok(bol == (*in == '\0' || span_ends(span_of(in), "\n")),
	    "and whether a line begins");
	buf_free(&b);
}

static const struct { const char *plain, *coded; } xtexts[] = {
	{ "abc", "abc" }, { "a+b=c", "a+2Bb+3Dc" }, { "a b", "a+20b" },
	{ "b\303\266b", "b+C3+B6b" }, { "\r\n", "+0D+0A" }, { "", "" },
};

static const char *const no_xtext[] = {
	"a b", "a=b", "+", "+2", "+2b", "+2G", "a+2", "\303\266", "a\r", "\177",
};

static const struct {
	struct envelope v;
	unsigned offers;
	int64_t size;
	const char *line;
} mails[] = {
	{ { .sender = (char *)(uintptr_t)"a@x" }, 0, 100, "MAIL FROM:<a@x>\r\n" },
	{ { .sender = NULL }, 0, -1, "MAIL FROM:<>\r\n" },
	{ { .sender = (char *)(uintptr_t)"" }, EXT_SIZE, -1, "MAIL FROM:<>\r\n" },
	{ { .sender = (char *)(uintptr_t)"a@x" }, EXT_SIZE, 0,
	    "MAIL FROM:<a@x> SIZE=0\r\n" },
	{ { .sender = (char *)(uintptr_t)"a@x", .body = BODY_8BITMIME,
	    .smtputf8 = true, .ret = RET_FULL,
	    .envid = (char *)(uintptr_t)"Q 1+" }, ~0u, 77,
	    "MAIL FROM:<a@x> SIZE=77 BODY=8BITMIME SMTPUTF8 RET=FULL "
	    "ENVID=Q+201+2B\r\n" },
	{ { .sender = (char *)(uintptr_t)"a@x", .body = BODY_8BITMIME,
	    .smtputf8 = true, .ret = RET_HDRS,
	    .envid = (char *)(uintptr_t)"Q" }, 0, 77, "MAIL FROM:<a@x>\r\n" },
	{ { .sender = (char *)(uintptr_t)"a@x", .body = BODY_7BIT,
	    .ret = RET_HDRS }, EXT_DSN | EXT_8BITMIME, 77,
	    "MAIL FROM:<a@x> RET=HDRS\r\n" },
};

static const struct {
	struct rcpt r;
	unsigned offers;
	const char *line;
} rcpts[] = {
	{ { .address = (char *)(uintptr_t)"b@y" }, ~0u, "RCPT TO:<b@y>\r\n" },
	{ { .address = (char *)(uintptr_t)"b@y", .notify = NOTIFY_NEVER,
	    .orcpt = (char *)(uintptr_t)"rfc822;b@y" }, 0, "RCPT TO:<b@y>\r\n" },
	{ { .address = (char *)(uintptr_t)"b@y", .notify = NOTIFY_NEVER },
	    EXT_DSN, "RCPT TO:<b@y> NOTIFY=NEVER\r\n" },
	{ { .address = (char *)(uintptr_t)"b@y", .notify = NOTIFY_SUCCESS |
	    NOTIFY_FAILURE | NOTIFY_DELAY }, EXT_DSN,
	    "RCPT TO:<b@y> NOTIFY=SUCCESS,FAILURE,DELAY\r\n" },
	{ { .address = (char *)(uintptr_t)"b@y", .notify = NOTIFY_DELAY,
	    .orcpt = (char *)(uintptr_t)"rfc822;a+b c@y" }, EXT_DSN,
	    "RCPT TO:<b@y> NOTIFY=DELAY ORCPT=rfc822;a+2Bb+20c@y\r\n" },
};

/* Every octet at every place of a text that is looked at eight octets at a time. */
static void
places(void)
{
	char s[20];
	size_t bad = 0;

	for (size_t n = 0; n <= sizeof s; n++) {
		for (size_t i = 0; i < n; i++) {
			for (int c = 0; c < 256; c++) {
				bool plain = c >= ' ' && c <= '~' && c != '"' &&
				    c != '\\';

				memset(s, 'x', sizeof s);
				s[i] = (char)c;
				bad += text_plain((struct span){ s, n }, '"',
				    '\\') != (plain ? n : i);
				bad += text_is_ascii((struct span){ s, n }) !=
				    (c < 0x80);
				bad += text_is_utf8((struct span){ s, n }) !=
				    (c < 0x80);
			}
		}
	}
	ok(bad == 0, "an octet anywhere is seen (%zu are not)", bad);
	memset(s, 'x', sizeof s);
	memcpy(s + 7, "\360\237\230\200", 4);
	ok(text_is_utf8((struct span){ s, sizeof s }), "a character across");
	ok(!text_is_utf8((struct span){ s, 10 }), "and half of it");
}

static const struct { int64_t v; const char *text; } numbers[] = {
	{ 0, "0" }, { 7, "7" }, { -1, "-1" }, { 1764180000, "1764180000" },
	{ INT64_MAX, "9223372036854775807" }, { INT64_MIN, "-9223372036854775808" },
};

static void
cut(void)
{
	for (size_t i = 0; i < sizeof fronts / sizeof *fronts; i++) {
		struct buf b = {0};

		buf_addspan(&b, text_front(span_of(fronts[i].in), fronts[i].most));
		is(buf_str(&b), fronts[i].out, "the front");
		buf_free(&b);
	}
}

int
main(void)
{
	struct buf b = {0};

	places();
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		buf_addi(&b, numbers[i].v);
		is(buf_str(&b), numbers[i].text, "a number");
		buf_clear(&b);
	}
	for (size_t i = 0; i < sizeof prints / sizeof *prints; i++) {
		text_printable(&b, (struct span){ prints[i].in, prints[i].n });
		is(buf_str(&b), prints[i].out, "printable");
		buf_clear(&b);
	}
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		ok(text_shell(&b, span_of(words[i].in)) == (words[i].out != NULL),
		    "a shell's word %zu", i);
		is(buf_str(&b), words[i].out != NULL ? words[i].out : "", "quoted");
		buf_clear(&b);
	}
	for (size_t i = 0; i < sizeof dots / sizeof *dots; i++)
		for (size_t bite = 1; bite < 12; bite++)
			stuffed(dots[i].in, dots[i].out, bite);
	for (size_t i = 0; i < sizeof xtexts / sizeof *xtexts; i++) {
		xtext_add(&b, span_of(xtexts[i].plain));
		is(buf_str(&b), xtexts[i].coded, "xtext");
		buf_clear(&b);
		ok(xtext_decode(&b, span_of(xtexts[i].coded)), "decoded");
		is(buf_str(&b), xtexts[i].plain, "and the same");
		buf_clear(&b);
	}
	for (size_t i = 0; i < sizeof no_xtext / sizeof *no_xtext; i++)
		ok(!xtext_decode(&b, span_of(no_xtext[i])), "no xtext %zu", i);
	for (size_t i = 0; i < sizeof mails / sizeof *mails; i++) {
		struct ehlo h = { .offers = mails[i].offers };

		buf_clear(&b);
		command_mail(&b, &mails[i].v, &h, mails[i].size);
		is(buf_str(&b), mails[i].line, "MAIL");
	}
	for (size_t i = 0; i < sizeof rcpts / sizeof *rcpts; i++) {
		struct ehlo h = { .offers = rcpts[i].offers };

		buf_clear(&b);
		command_rcpt(&b, &rcpts[i].r, &h);
		is(buf_str(&b), rcpts[i].line, "RCPT");
	}
	buf_free(&b);
	cut();
	return done_testing();
}
