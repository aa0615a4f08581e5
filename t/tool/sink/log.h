/* What sink tells the tests, and how it gives up. */
#ifndef T_SINK_LOG_H
#define T_SINK_LOG_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

static int log_fd = -1;

static void
die(const char *what)
{
	fprintf(stderr, "sink: %s: %s\n", what, strerror(errno));
	exit(FAULT_OS);
}

/* A line in the log: what was asked, and the code it was answered with. */
static void
note(struct span what, const char *reply, struct span more)
{
	struct buf line = {0};

	if (log_fd < 0)
		return;
	text_printable(&line, what);
	if (reply != NULL)
		buf_addf(&line, " %.3s", reply);
	if (more.n > 0)
		buf_addc(&line, ' ');
	text_printable(&line, more);
	buf_addc(&line, '\n');
	if (write(log_fd, line.p, line.n) < 0)
		die("log");
	buf_free(&line);
}

static void
note_arg(const char *verb, struct span arg, const char *reply)
{
	struct buf what = {0};

	buf_addf(&what, "%s ", verb);
	buf_addspan(&what, arg);
	note(buf_span(&what), reply, SPAN(""));
	buf_free(&what);
}

static void
notef(const char *what, const char *reply, const char *more)
{
	note(span_of(what), reply, span_of(more));
}

#endif
