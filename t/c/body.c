/* Text in files with LF or CRLF, as it goes on the wire. */
#include "../tap.h"

#include <fcntl.h>
#include <unistd.h>

#include "spool/body.h"

static void
plain_text(void)
{
	static const struct { const char *in, *out; } t[] = {
		{ "a\nb\n", "a\r\nb\r\n" }, { "a\r\nb", "a\r\nb\r\n" },
		{ "a\rb\n", "a\rb\r\n" }, { "\n\n", "\r\n\r\n" }, { "", "" },
		{ "a\r", "a\r\r\n" }, { "a\r\r\n", "a\r\r\n" },
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		FILE *f = tmpfile();
		struct buf text = {0};
		struct span piece;
		struct err e = {0};
		struct body b;

		fputs(t[i].in, f);
		fflush(f);
		body_file(&b, dup(fileno(f)), 0, -1);
		while (b.next(&b, &piece, &e) > 0)
			buf_addspan(&text, piece);
		is(buf_str(&text), t[i].out, "LF and CRLF");
		b.rewind(&b, &e);
		if (b.next(&b, &piece, &e) > 0)
			ok(memcmp(piece.p, text.p, piece.n) == 0, "again");
		body_close(&b);
		buf_free(&text);
		fclose(f);
	}
}

/* A CR and its LF in two pieces are one line end. */
static void
seams(void)
{
	FILE *f = tmpfile();
	size_t n = 0;
	struct span piece;
	struct err e = {0};
	struct body b;

	for (int i = 0; i < 65535 + 70000; i++)
		putc('x', f);
	fseek(f, 65535, SEEK_SET);
	fputs("\r\n", f);
	fflush(f);
	body_file(&b, dup(fileno(f)), 0, -1);
	while (b.next(&b, &piece, &e) > 0)
		n += piece.n;
	ok(n == 65535 + 70000 + 2, "%zu octets", n);
	body_close(&b);
	fclose(f);
}

int
main(void)
{
	plain_text();
	seams();
	return done_testing();
}
