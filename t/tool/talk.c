/*
 * talk: plays the server's side of a conversation on stdin and stdout.
 *
 *	talk [--client] [--bite=N] SCRIPT
 *
 *	S: line		sent, with CRLF
 *	S-: octets	sent as they are
 *	C: line		must come exactly so, with CRLF
 *	C~ ERE		a line that must match, without its CRLF (no escapes)
 *	B: line		a line of the text: must come with CRLF, its dot doubled
 *			unless it is among the octets that `C: BDAT n' announced
 *	X		closes now
 *	# = !		comments, and lines for others
 *
 * \r \n \0 \xHH \\ stand for octets in S, C and B lines.  After the last line
 * the other side must close and say nothing more but QUIT.  With --client the roles are
 * swapped: C and B lines are sent, S lines must come (`S~' where `C~' was).
 * --bite=N sends N octets at a time, each when the last ones were taken.
 *
 * The first line that differs ends it: `talk: SCRIPT: line N: wanted "..." got
 * "..."' on stderr and at the end of the file $TALK_LOG, status 1.
 */
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

#define PATIENCE 120		/* seconds for all of it: nothing waits for ever */
#define BITE_MS 200		/* for octets that nobody takes */

static struct buf got;		/* came, and is not yet compared */
static const char *script;
static size_t line_no, bite;
static size_t chunk;		/* octets of a BDAT that are to come */

static void
fail(const char *fmt, ...)
{
	const char *log = getenv("TALK_LOG");
	FILE *f = log != NULL ? fopen(log, "a") : NULL;
	struct buf text = {0};
	va_list ap;
	char *words = NULL;

	va_start(ap, fmt);
	if (vasprintf(&words, fmt, ap) < 0)
		must(NULL);
	va_end(ap);
	buf_addf(&text, "talk: %s: line %zu: %s\n", script, line_no, words);
	fputs(buf_str(&text), stderr);
	if (f != NULL) {
		fputs(buf_str(&text), f);
		fclose(f);
	}
	exit(1);
}

static void
differs(struct span wanted, struct span came)
{
	struct buf w = {0}, c = {0};

	text_printable(&w, wanted);
	text_printable(&c, came);
	fail("wanted \"%s\" got \"%s\"", buf_str(&w), buf_str(&c));
}

static int
hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c != '\0' ? strchr(digits, c | 32) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

/* Resolves one escape at the front of `s'; returns its length. */
static size_t
escape(struct buf *out, struct span s)
{
	static const char names[] = "rn0\\", octets[] = "\r\n\0\\";
	const char *at = s.n > 1 ? memchr(names, s.p[1], 4) : NULL;

	if (at != NULL) {
		buf_addc(out, octets[at - names]);
		return 2;
	}
	if (s.n < 4 || s.p[1] != 'x' || hex(s.p[2]) < 0 || hex(s.p[3]) < 0)
		fail("not an escape: %.*s", s.n < 4 ? (int)s.n : 4, s.p);
	buf_addc(out, (char)(hex(s.p[2]) << 4 | hex(s.p[3])));
	return 4;
}

static void
unescape(struct buf *out, struct span s)
{
	while (s.n > 0)
		if (s.p[0] == '\\') {
			s = span_from(s, escape(out, s));
		} else {
			buf_addc(out, s.p[0]);
			s = span_from(s, 1);
		}
}

/* Reads until there is a whole line behind the first `n' octets, or the end. */
static struct span
hear(size_t n)
{
	struct span behind;
	ssize_t r = 1;

	for (;;) {
		behind = span_from(buf_span(&got), n);
		if (span_find(behind, '\n') < behind.n)
			return (struct span){ got.p,
			    n + span_find(behind, '\n') + 1 };
		r = read(0, buf_room(&got, 65536), 65536);
		if (r <= 0)
			return buf_span(&got);
		got.n += (size_t)r;
	}
}

static void
expect(struct span wanted)
{
	struct span line = hear(0);

	/* Further only while it fits: a script may want \n within a line. */
	while (line.n < wanted.n && line.n > 0 &&
	    line.p[line.n - 1] == '\n' && memcmp(line.p, wanted.p, line.n) == 0)
		line = hear(line.n);
	if (line.n == 0)
		differs(wanted, SPAN("(the end)"));
	if (!span_eq(line, wanted))
		differs(wanted, line);
	buf_drop(&got, line.n);
}

static void
expect_match(const char *ere)
{
	struct span line = hear(0), bare = line;
	char *text;
	regex_t re;

	if (regcomp(&re, ere, REG_EXTENDED | REG_NOSUB) != 0)
		fail("not a regular expression: %s", ere);
	if (line.n == 0)
		differs(span_of(ere), SPAN("(the end)"));
	if (!span_ends(line, "\r\n"))
		differs(SPAN("... CRLF"), line);
	bare.n -= 2;
	text = span_dup(bare);
	if (regexec(&re, text, 0, NULL, 0) != 0)
		differs(span_of(ere), line);
	free(text);
	regfree(&re);
	buf_drop(&got, line.n);
}

/* Waits until the other side has taken what was sent: a socket or a pipe knows. */
static void
taken(void)
{
	int left;

	for (int i = 0; i < BITE_MS; i++) {
		if (ioctl(1, TIOCOUTQ, &left) < 0 && ioctl(1, FIONREAD, &left) < 0)
			return;
		if (left == 0)
			return;
		poll(NULL, 0, 1);
	}
}

static void
send_all(struct span s)
{
	while (s.n > 0) {
		size_t n = bite > 0 && bite < s.n ? bite : s.n;
		ssize_t r = write(1, s.p, n);

		if (r < 0)
			fail("nobody listens any more");
		s = span_from(s, (size_t)r);
		if (bite > 0)
			taken();
	}
}

/* Is it `S:', `S-:' or `S~'?  Then that is cut off, and a blank behind it. */
static bool
cut_mark(struct span *line, char *who, char *how)
{
	if (line->n == 0 || strchr("SCB", line->p[0]) == NULL)
		return false;
	*who = line->p[0] == 'B' ? 'C' : line->p[0];
	*line = span_from(*line, 1);
	*how = span_starts(*line, "-:") ? '-' :
	    span_starts(*line, "~") ? '~' : ':';
	if (*how == ':' && !span_starts(*line, ":"))
		return false;
	*line = span_from(*line, *how == '-' || span_starts(*line, "~:") ? 2 : 1);
	*line = span_from(*line, span_starts(*line, " "));
	return true;
}

/* One line of the script; false at an X. */
static bool
play(struct span line, char ours)
{
	struct buf text = {0};
	struct span rest = line;
	char who, how;

	if (line.n == 0 || strchr("#=!", line.p[0]) != NULL)
		return true;
	if (span_is(line, "X"))
		return false;
	if (!cut_mark(&rest, &who, &how) || (how == '~' && who == ours))
		fail("not understood: %.*s", (int)line.n, line.p);
	if (how == '~') {
		char *ere = span_dup(rest);

		expect_match(ere);
		free(ere);
		return true;
	}
	if (line.p[0] == 'B' && chunk == 0 && span_starts(rest, "."))
		buf_addc(&text, '.');
	unescape(&text, rest);
	if (how != '-')
		buf_adds(&text, "\r\n");
	if (line.p[0] == 'B')
		chunk -= chunk < text.n ? chunk : text.n;
	else if (span_starts(line, "C: BDAT "))
		chunk = strtoul(buf_str(&text) + 5, NULL, 10);
	if (who == ours)
		send_all(buf_span(&text));
	else
		expect(buf_span(&text));
	buf_free(&text);
	return true;
}

static void
read_script(struct buf *all)
{
	FILE *f = fopen(script, "r");
	size_t n;

	if (f == NULL)
		fail("cannot be opened");
	while ((n = fread(buf_room(all, 65536), 1, 65536, f)) > 0)
		all->n += n;
	fclose(f);
}

/*
 * Nobody says anything more, and the other side goes, too.  Its QUIT may have been
 * on the way already, in one group with the text before it.
 */
static void
part(void)
{
	shutdown(1, SHUT_WR);
	close(1);
	if (hear(0).n > 0 && !span_is(hear(0), "QUIT\r\n"))
		differs(SPAN("(the end)"), hear(0));
}

int
main(int argc, char *argv[])
{
	struct buf all = {0};
	struct span rest, line;
	char ours = 'S';

	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--client") == 0)
			ours = 'C';
		else if (strncmp(argv[i], "--bite=", 7) == 0)
			bite = strtoul(argv[i] + 7, NULL, 10);
		else
			script = argv[i];
	if (script == NULL) {
		fputs("usage: talk [--client] [--bite=N] SCRIPT\n", stderr);
		return FAULT_USAGE;
	}
	/* Whoever ran us may send TERM as soon as it has closed: first look. */
	signal(SIGTERM, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	alarm(PATIENCE);
	read_script(&all);
	rest = buf_span(&all);
	while (line_no++, span_cut(&rest, '\n', &line))
		if (!play(line, ours))
			goto out;
	part();
out:
	buf_free(&all);
	buf_free(&got);
	return 0;
}
