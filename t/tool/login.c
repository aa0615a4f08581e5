/*
 * login: logs in to a server on stdin and stdout, and tells stderr how it went:
 * `MECHANISM CODE' for each try, then the error, if any; the exit status is its.
 *
 *	login MECHANISMS USER PASSWORD		MECHANISMS `-': the usual ones
 *
 * A test tool: real ones take no password as an argument.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/sasl.h"

/* A reply's last line, or what its AUTH line offers; 0: the end. */
static int
hear(struct buf *text, struct buf *offered)
{
	static char line[16384];
	struct span s;
	int code;

	do {
		if (fgets(line, sizeof line, stdin) == NULL ||
		    sscanf(line, "%3d", &code) != 1)
			return 0;
		s = span_trim(span_of(line));
		if (span_starts(span_from(s, 4), "AUTH "))
			buf_addspan(offered, span_from(s, 9));
	} while (line[3] == '-');
	buf_clear(text);
	buf_addspan(text, span_from(s, 4));
	return code;
}

static void
say(const char *verb, const char *arg, struct buf *more)
{
	printf("%s%s%s%s\r\n", verb, arg, more->n > 0 && *arg ? " " : "",
	    buf_str(more));
	fflush(stdout);
	buf_clear(more);
}

/* The code that ends it. */
static int
try(struct sasl *s, const char *mech, struct buf *line, struct err *e)
{
	struct buf text = {0}, none = {0};
	int code;

	say("AUTH ", mech, line);
	while ((code = hear(&text, &none)) == 334) {
		if (sasl_step(s, buf_span(&text), line, e) < 0) {
			buf_clear(line);
			buf_addc(line, '*');
		}
		say("", "", line);
	}
	if (code == 235)
		sasl_finish(s, buf_span(&text), e);
	if (sasl_reason(s).n > 0)
		fprintf(stderr, "reason %.*s\n", (int)sasl_reason(s).n,
		    sasl_reason(s).p);
	fprintf(stderr, "%s %d\n", mech, code);
	buf_free(&text);
	buf_free(&none);
	return code;
}

int
main(int argc, char *argv[])
{
	struct buf text = {0}, offered = {0}, tried = {0}, line = {0};
	struct sasl_who w = { .encrypted = true, .host = "sink.test" };
	struct err e = {0};
	const char *mech;
	struct sasl *s;
	int code = 0;

	if (argc != 4)
		return FAULT_USAGE;
	w.mechs = strcmp(argv[1], "-") == 0 ? NULL : argv[1];
	w.user = argv[2];
	w.secret = span_of(argv[3]);
	hear(&text, &offered);
	say("EHLO ", "login.test", &line);
	hear(&text, &offered);
	while (code != 235 && e.fault == 0 && (s = sasl_start(&w,
	    buf_span(&offered), &tried, &mech, &line, &e)) != NULL) {
		code = try(s, mech, &line, &e);
		sasl_free(s);
	}
	say("QUIT", "", &line);
	hear(&text, &offered);
	buf_free(&text);
	buf_free(&offered);
	buf_free(&tried);
	buf_wipe(&line);
	return err_exit(&e, "login");
}
