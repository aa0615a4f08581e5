/* The size of a text on the wire: what body.h gives out, counted without it. */
#include "../tap.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "spool/body.h"
#include "wire/octets.h"

static const struct {
	const char *name, *text;
	size_t n;		/* 0: strlen() */
	long long size, lf;	/* `lf`: where LF alone ends lines */
} rows[] = {
	{ "nothing", "", 0, 0, 0 },
	{ "LF", "a\nb\n", 0, 6, 6 },
	{ "CRLF", "a\r\nb\r\n", 0, 6, 8 },
	{ "both", "a\r\nb\n", 0, 6, 7 },
	{ "no last line end", "a\nb", 0, 6, 6 },
	{ "LF alone", "\n", 0, 2, 2 },
	{ "empty lines", "\n\n\r\n\n", 0, 8, 9 },
	{ "dots are not doubled", ".\n..\n", 0, 7, 7 },
	{ "a CR in a line", "a\rb\n", 0, 5, 5 },
	{ "a CR at the end", "a\r", 0, 4, 4 },
	{ "CR CR LF", "a\r\r\n", 0, 4, 5 },
	{ "a NUL and 8 bits", "\0\n\377\n", 4, 6, 6 },
};

static long long
bites(struct span s, size_t bite, bool lf)
{
	struct octets o = { .lf = lf };

	for (struct span at = s; at.n > 0; at = span_from(at, bite))
		octets_count(&o, (struct span){ at.p, at.n < bite ? at.n : bite });
	return octets_size(&o);
}

/* Counted apart and joined. */
static long long
halves(struct span s, size_t cut, bool lf)
{
	struct octets all = { .lf = lf }, a = all, b = all;

	octets_count(&a, (struct span){ s.p, cut });
	octets_count(&b, span_from(s, cut));
	octets_join(&all, &a);
	octets_join(&all, &b);
	return octets_size(&all);
}

/* By next(), by body_measure() and by body_measure() of a stream. */
static void
by_body(struct span front, struct span s, bool lf, long long size, const char *name)
{
	FILE *f = tmpfile();
	long long given = 0;
	int64_t counted = -1, streamed = -1;
	struct span piece;
	struct err e = {0};
	struct body b;
	struct buf ahead = {0};

	fwrite(s.p, 1, s.n, f);
	fflush(f);
	buf_addspan(&ahead, front);
	body_behind(&b, &ahead, dup(fileno(f)), 0, (off_t)s.n);
	b.lf = lf;
	while (b.next(&b, &piece, &e) > 0)
		given += (long long)piece.n;
	ok(body_measure(&b, &counted, &e) == 0 && given == counted &&
	    (size < 0 || given == size), "%s: in a file: %lld, %lld", name, given,
	    (long long)counted);
	body_close(&b);
	if (front.n == 0) {
		lseek(fileno(f), 0, SEEK_SET);
		body_stream(&b, fileno(f), NEVER);
		b.lf = lf;
		ok(body_measure(&b, &streamed, &e) == 0 && streamed == counted,
		    "%s: as a stream", name);
		body_close(&b);
	}
	fclose(f);
}

static void
table(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct span s = { rows[i].text, rows[i].n > 0 ? rows[i].n :
		    strlen(rows[i].text) };

		for (int lf = 0; lf < 2; lf++) {
			long long want = lf ? rows[i].lf : rows[i].size;
			bool same = true;

			for (size_t bite = 1; bite <= s.n; bite++)
				same = same && bites(s, bite, lf) == want;
			for (size_t cut = 0; cut <= s.n; cut++)
				same = same && halves(s, cut, lf) == want;
			ok(same && bites(s, s.n + 1, lf) == want, "%s: %lld, by %lld",
			    rows[i].name, bites(s, s.n + 1, lf), want);
			by_body(SPAN(""), s, lf, want, rows[i].name);
		}
	}
	by_body(SPAN("a: b\r"), SPAN("\nc"), false, 9, "a CR ahead of the file");
	by_body(SPAN("a: b\n"), SPAN("\r\n\n"), false, 10, "a header ahead");
	by_body(SPAN("a: b\r"), SPAN("\nc"), true, 10, "a CR ahead, LF ends lines");
}

/* Whatever stands where: against what reads an octet at a time. */
static void
chance(void)
{
	enum { MOST = 20000 };
	static const char some[] = "\n\r\n\rab\n";
	char *text = must(malloc(MOST));
	unsigned seed = 7;
	bool same = true;

	for (int round = 0; round < 300 && same; round++) {
		size_t n = round < 100 ? (size_t)round : (size_t)rand_r(&seed) % MOST;
		struct span s = { text, n };
		long long want = 0;
		char last = 0;

		for (size_t i = 0; i < n; i++)
			text[i] = round % 3 == 0 && rand_r(&seed) % 60 != 0 ? 'x' :
			    some[(size_t)rand_r(&seed) % (sizeof some - 1)];
		for (size_t i = 0; i < n; i++) {
			want += 1 + (text[i] == '\n' && last != '\r');
			last = text[i];
		}
		want += n > 0 && last != '\n' ? 2 : 0;
		same = bites(s, n + 1, false) == want && bites(s, 97, false) == want &&
		    halves(s, n / 2, false) == want && halves(s, n / 3, true) ==
		    bites(s, 1000, true);
	}
	ok(same, "300 texts of chance, seed 7");
	free(text);
}

/* Long enough for threads, with line ends where their parts meet. */
static void
long_file(void)
{
	enum { BLOCK = 1 << 20, BLOCKS = 80 };
	FILE *f = tmpfile();
	char *block = must(malloc(BLOCK));
	struct span piece;
	struct err e = {0};
	struct body b;
	int64_t size = -1, part = -1;
	long long given = 0;

	memset(block, 'x', BLOCK);
	for (size_t i = 0; i < BLOCK; i += 64)
		memcpy(block + i, i % 128 ? "\n" : "\r\n", i % 128 ? 1 : 2);
	for (int i = 0; i < BLOCKS; i++) {
		block[BLOCK - 1] = i % 2 ? '\r' : 'x';
		block[0] = '\n';
		fwrite(block, 1, BLOCK, f);
	}
	fflush(f);
	body_file(&b, dup(fileno(f)), 0, -1);
	while (b.next(&b, &piece, &e) > 0)
		given += (long long)piece.n;
	ok(body_measure(&b, &size, &e) == 0 && size == given, "%d MB: %lld, %lld",
	    BLOCKS, given, (long long)size);
	b.end = BLOCK * (BLOCKS - 1LL) + 1;
	b.rewind(&b, &e);
	for (given = 0; b.next(&b, &piece, &e) > 0;)
		given += (long long)piece.n;
	ok(body_measure(&b, &part, &e) == 0 && part == given && part < size,
	    "up to its end: %lld, %lld", given, (long long)part);
	b.end = BLOCK * (BLOCKS + 1LL);
	ok(body_measure(&b, &part, &e) < 0 && e.fault == FAULT_TEMP,
	    "shorter than it was: %s", e.text);
	body_close(&b);
	free(block);
	fclose(f);
}

int
main(void)
{
	table();
	chance();
	long_file();
	return done_testing();
}
