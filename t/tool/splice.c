/*
 * splice [--first=MS] [--quiet=MS] [--near=MS] [--deadline=MS] [--group=GID]
 *     [--expected=N] [--stop=FIFO]
 *     [--release=PROGRAM] --listen=PEER --domains=NODES CUSTOMER [ARG...]
 *
 * splice_run() for the tests: the customer is a program that is the server on its stdin
 * and stdout, PROGRAM is started when he is ready; what is written to FIFO says that no
 * session will come any more; `sessions N messages N refused N', and
 * dequeue-like statuses.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "net/sock.h"
#include "session/splice.h"

#define NAME "splice"

static const char *first_ms = "10000", *quiet_ms = "1000", *near_ms = "60000",
    *deadline_ms = "60000", *expected = "0", *group = "-1", *program, *stop, *where, *domains;
static struct child released;

static int
start(void *arg, struct err *e)
{
	const char *const argv[] = { program, NULL };

	(void)arg;
	return child_start(&released, argv, 0, e);
}

static bool
option(const char *arg)
{
	const struct { const char *name; const char **to; } all[] = {
		{ "--first=", &first_ms }, { "--quiet=", &quiet_ms },
		{ "--near=", &near_ms }, { "--deadline=", &deadline_ms },
		{ "--group=", &group }, { "--expected=", &expected }, { "--release=", &program },
		{ "--stop=", &stop },
		{ "--listen=", &where }, { "--domains=", &domains },
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (strncmp(arg, all[i].name, strlen(all[i].name)) == 0) {
			*all[i].to = arg + strlen(all[i].name);
			return true;
		}
	return false;
}

static int
run(const char *const *customer, struct splice *o, struct err *e)
{
	struct sock_opts opts = { .command = customer };
	static char text[] = "the customer";
	struct peer exec = { .kind = PEER_EXEC, .text = text };
	struct peer p = {0};
	struct line far = { .io = { .in = -1, .out = -1,
	    .child = { 0, -1, -1, -1 } } };
	int r = -1;

	if (peer_parse(&p, "--listen", where, e) == 0 &&
	    (o->listener = splice_listen(&p, atoi(group), e)) >= 0 &&
	    sock_open(&far.io, &exec, &opts, e) == 0)
		r = splice_run(o, &far, (struct span){0}, e);
	line_close(&far);
	peer_free(&p);
	return r;
}

int
main(int argc, char *argv[])
{
	struct splice o = { .name = "isp.test", .stop = -1 };
	struct err e = {0};
	int i = 1, status;

	signal(SIGPIPE, SIG_IGN);
	interrupt_catch();
	for (; i < argc && option(argv[i]); i++)
		;
	if (i == argc || where == NULL || domains == NULL)
		return FAULT_USAGE;
	if (stop != NULL && (o.stop = open(stop, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) < 0)
		return FAULT_USAGE;
	o.domains = span_of(domains);
	o.first_ms = atoll(first_ms);
	o.quiet_ms = atoll(quiet_ms);
	o.expected = atoll(expected);
	o.near_ms = atoll(near_ms);
	o.deadline = clock_in(atoll(deadline_ms));
	o.release = program != NULL ? start : NULL;
	status = run((const char *const *)argv + i, &o, &e) < 0 ? (int)e.fault : 0;
	err_print(&e, NAME);
	printf("sessions %zu messages %zu refused %zu\n", o.sessions, o.messages,
	    o.refused);
	child_end(&released);
	return status;
}
