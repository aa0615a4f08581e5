/* What is known of a text before it is sent. */
#include "../tap.h"

#include "base/err.h"
#include "wire/survey.h"

static const struct {
	const char *name, *text;
	size_t n;		/* 0: strlen() */
	long long size, lines, longest, longest_at, bare_at;
	bool eight, eight_header;
} rows[] = {
	{ "nothing", "", 0, 0, 0, 0, 0, 0, false, false },
	{ "a line", "hello\r\n", 0, 7, 1, 5, 1, 0, false, false },
	{ "two, the second longer", "a\r\nbcd\r\n", 0, 8, 2, 3, 2, 0, false, false },
	{ "two alike", "abc\r\ndef\r\n", 0, 10, 2, 3, 1, 0, false, false },
	{ "dots count once", ".\r\n..\r\n", 0, 7, 2, 2, 2, 0, false, false },
	{ "a bare LF", "a\r\nb\nc\r\n", 0, 8, 2, 3, 2, 2, false, false },
	{ "a bare CR", "a\rb\r\n", 0, 5, 1, 3, 1, 1, false, false },
	{ "CR CR LF", "a\r\r\n", 0, 4, 1, 2, 1, 1, false, false },
	{ "LF first", "\n\r\n", 0, 3, 1, 1, 1, 1, false, false },
	{ "LF CR LF", "a\r\n\n\r\n", 0, 6, 2, 1, 1, 2, false, false },
	{ "8 bits in the body", "S: x\r\n\r\n\303\266\r\n", 0, 12, 3, 4, 1, 0,
	    true, false },
	{ "8 bits in the header", "S: \303\266\r\n\r\nx\r\n", 0, 12, 3, 5, 1, 0,
	    true, true },
	{ "a NUL", "a\0b\r\n", 5, 5, 1, 3, 1, 0, false, false },
};

static struct survey
look(const char *text, size_t n, size_t bite)
{
	struct survey s = {0};

	for (size_t at = 0; at < n; at += bite)
		survey_look(&s, (struct span){ text + at,
		    n - at < bite ? n - at : bite });
	return s;
}

static void
lines(size_t octets, long long longest)
{
	char *text = must(malloc(octets + 2));
	struct survey s;

	memset(text, 'x', octets);
	memcpy(text + octets, "\r\n", 2);
	s = look(text, octets + 2, 100);
	ok(s.longest == longest && (s.longest > TEXT_LINE_MAX) == (octets > 998),
	    "a line of %zu octets", octets);
	free(text);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t n = rows[i].n ? rows[i].n : strlen(rows[i].text);

		for (size_t bite = 1; bite < 9; bite++) {
			struct survey s = look(rows[i].text, n, bite);

			if (!ok(s.size == rows[i].size && s.lines == rows[i].lines &&
			    s.longest == rows[i].longest &&
			    s.longest_at == rows[i].longest_at &&
			    s.bare_at == rows[i].bare_at &&
			    s.eight_bit == rows[i].eight &&
			    s.eight_bit_header == rows[i].eight_header,
			    "%s, in bites of %zu", rows[i].name, bite))
				printf("# size %lld lines %lld longest %lld at %lld "
				    "bare %lld eight %d %d\n", (long long)s.size,
				    (long long)s.lines, (long long)s.longest,
				    (long long)s.longest_at, (long long)s.bare_at,
				    s.eight_bit, s.eight_bit_header);
		}
	}
	lines(997, 997);
	lines(998, 998);
	lines(999, 999);
	return done_testing();
}
