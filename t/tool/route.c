/*
 * route [--deadline=MS] [--helo=NAME] [--family=4|6] [--port=PORT]
 *     mx|addresses|tlsa|same NAME...
 *
 * What route_find(), dns_addresses() and dns_tlsa() say, for the tests.  One line
 * a hop (`PREFERENCE HOST`, ` literal`), an address (` of CANONICAL`) or a record
 * (`USAGE SELECTOR MATCHING DATA`), ` secure` where it is; `same` tells of two
 * domains whether their routes are.  No TLSA record: `none`.
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "session/route.h"

#define NAME "route"

static const char *deadline_ms, *helo, *family, *port = "25";
static int64_t deadline = NEVER;

static int
show_mx(const char *domain, struct err *e)
{
	struct route r = {0};

	if (route_find(&r, span_of(domain), helo, deadline, e) < 0)
		return -1;
	for (size_t i = 0; i < r.n; i++)
		printf("%d %s%s%s\n", r.p[i].preference, r.p[i].host,
		    r.p[i].literal ? " literal" : "",
		    r.p[i].secure ? " secure" : "");
	route_free(&r);
	return 0;
}

static int
show_addresses(const char *host, struct err *e)
{
	struct addresses v = {0};
	int of = family == NULL ? AF_UNSPEC : *family == '4' ? AF_INET : AF_INET6;
	char text[NI_MAXHOST];

	if (dns_addresses(&v, host, of, deadline, e) < 0)
		return -1;
	for (size_t i = 0; i < v.n; i++) {
		getnameinfo((struct sockaddr *)&v.p[i].at, v.p[i].n, text,
		    sizeof text, NULL, 0, NI_NUMERICHOST);
		printf("%s%s%s%s\n", text, v.canonical ? " of " : "",
		    v.canonical ? v.canonical : "", v.secure ? " secure" : "");
	}
	addresses_free(&v);
	return 0;
}

static int
show_tlsa(const char *host, struct err *e)
{
	struct tlsas v = {0};

	if (dns_tlsa(&v, host, port, deadline, e) < 0)
		return -1;
	if (v.n == 0)
		printf("none%s\n", v.secure ? " secure" : "");
	for (size_t i = 0; i < v.n; i++) {
		struct tlsa *t = &v.p[i];

		printf("%u %u %u ", t->usage, t->selector, t->matching);
		for (size_t k = 0; k < t->data.n; k++)
			printf("%02x", (unsigned char)t->data.p[k]);
		printf("%s\n", v.secure ? " secure" : "");
		buf_free(&t->data);
	}
	vec_free(&v);
	return 0;
}

static int
show_same(const char *const names[], struct err *e)
{
	struct route a = {0}, b = {0};
	int r = 0;

	if (names[0] == NULL || names[1] == NULL)
		return err_set(e, FAULT_USAGE, "same: two domains");
	if (route_find(&a, span_of(names[0]), helo, deadline, e) < 0 ||
	    route_find(&b, span_of(names[1]), helo, deadline, e) < 0)
		r = -1;
	else
		puts(route_same(&a, &b) ? "same" : "different");
	route_free(&a);
	route_free(&b);
	return r;
}

static bool
option(const char *arg)
{
	struct { const char *name, **value; } all[] = {
		{ "--deadline=", &deadline_ms }, { "--helo=", &helo },
		{ "--family=", &family }, { "--port=", &port },
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (span_starts(span_of(arg), all[i].name)) {
			*all[i].value = arg + strlen(all[i].name);
			return true;
		}
	return false;
}

int
main(int argc, char *argv[])
{
	struct err e = {0};
	int i = 1;

	while (i < argc && option(argv[i]))
		i++;
	if (argc - i < 2) {
		fputs("usage: " NAME " [--deadline=MS] [--helo=NAME] "
		    "[--family=4|6] [--port=PORT] mx|addresses|tlsa|same "
		    "NAME...\n", stderr);
		return FAULT_USAGE;
	}
	interrupt_catch();
	if (deadline_ms != NULL)
		deadline = clock_in(atoll(deadline_ms));
	if (strcmp(argv[i], "mx") == 0)
		show_mx(argv[i + 1], &e);
	else if (strcmp(argv[i], "addresses") == 0)
		show_addresses(argv[i + 1], &e);
	else if (strcmp(argv[i], "tlsa") == 0)
		show_tlsa(argv[i + 1], &e);
	else
		show_same((const char *const *)argv + i + 1, &e);
	return err_exit(&e, NAME);
}
