#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

int
err_set(struct err *e, enum fault fault, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	e->fault = fault;
	return -1;
}

static enum fault
fault_of(int number)
{
	switch (number) {
	case EACCES: case EPERM: case EROFS:
		return FAULT_PERM;
	case ENOMEM: case EMFILE: case ENFILE: case EAGAIN: case ENOBUFS:
	case ECONNREFUSED: case ECONNRESET: case ECONNABORTED: case EPIPE:
	case ETIMEDOUT: case EHOSTUNREACH: case ENETUNREACH: case ENETDOWN:
	case EADDRNOTAVAIL: case EHOSTDOWN: case ENONET: case EPROTO:
		return FAULT_TEMP;
	default:
		return FAULT_IO;
	}
}

int
err_sys(struct err *e, const char *fmt, ...)
{
	int number = errno;
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	n = strlen(e->text);
	snprintf(e->text + n, sizeof e->text - n, ": %s", strerror(number));
	e->fault = fault_of(number);
	return -1;
}

int
err_in(struct err *e, const char *fmt, ...)
{
	char old[sizeof e->text];
	va_list ap;
	size_t n;

	memcpy(old, e->text, sizeof old);
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	n = strlen(e->text);
	snprintf(e->text + n, sizeof e->text - n, ": %s", old);
	return -1;
}

void
err_clear(struct err *e)
{
	e->fault = FAULT_NONE;
	e->text[0] = '\0';
}

static void
say(const char *tool, const char *text)
{
	struct buf line = {0};

	buf_addf(&line, "%s: ", tool);
	text_printable(&line, span_of(text));
	buf_addc(&line, '\n');
	fwrite(line.p, 1, line.n, stderr);
	buf_free(&line);
}

void
err_print(const struct err *e, const char *tool)
{
	if (e->fault != FAULT_NONE)
		say(tool, e->text);
}

int
err_exit(const struct err *e, const char *tool)
{
	err_print(e, tool);
	return (int)e->fault;
}

void
warn(const char *tool, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	say(tool, text);
}

static bool
passing(int status)
{
	return status == FAULT_TEMP || status == FAULT_PROTO;
}

int
status_worse(int so_far, int next)
{
	if (next == 0 || passing(so_far))
		return so_far;
	if (so_far == 0 || passing(next))
		return next;
	return so_far;
}

void *
must(void *p)
{
	if (p == NULL) {
		fputs("out of memory\n", stderr);
		exit(FAULT_TEMP);
	}
	return p;
}
