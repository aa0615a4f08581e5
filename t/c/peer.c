/* A peer as it is spelled everywhere. */
#include "../tap.h"

#include "net/peer.h"

static const struct {
	const char *text;
	int kind;		/* -1: 64 */
	const char *what;	/* host, path or command */
	const char *port;
	bool literal;
	int fd;
} rows[] = {
	{ "mx.isp.test", PEER_HOST, "mx.isp.test", NULL, false, -1 },
	{ "mx.isp.test:2525", PEER_HOST, "mx.isp.test", "2525", false, -1 },
	{ "localhost:25", PEER_HOST, "localhost", "25", false, -1 },
	{ "192.0.2.1", PEER_HOST, "192.0.2.1", NULL, true, -1 },
	{ "192.0.2.1:25", PEER_HOST, "192.0.2.1", "25", true, -1 },
	{ "[192.0.2.1]:25", PEER_HOST, "192.0.2.1", "25", true, -1 },
	{ "[192.0.2.1]", PEER_HOST, "192.0.2.1", NULL, true, -1 },
	{ "2001:db8::1", PEER_HOST, "2001:db8::1", NULL, true, -1 },
	{ "[2001:db8::1]", PEER_HOST, "2001:db8::1", NULL, true, -1 },
	{ "[2001:db8::1]:366", PEER_HOST, "2001:db8::1", "366", true, -1 },
	{ "::1", PEER_HOST, "::1", NULL, true, -1 },
	{ "b\303\274cher.test", PEER_HOST, "b\303\274cher.test", NULL, false, -1 },
	{ "unix:/run/lmtp", PEER_UNIX, "/run/lmtp", NULL, false, -1 },
	{ "unix:a b", PEER_UNIX, "a b", NULL, false, -1 },
	{ "fd:3", PEER_FD, NULL, NULL, false, 3 },
	{ "fd:0", PEER_FD, NULL, NULL, false, 0 },
	{ "exec:sendmail -bs", PEER_EXEC, "sendmail -bs", NULL, false, -1 },
	{ "", -1, NULL, NULL, false, -1 }, { ":25", -1, NULL, NULL, false, -1 },
	{ "host:", -1, NULL, NULL, false, -1 },
	{ "host:0", -1, NULL, NULL, false, -1 },
	{ "host:65536", -1, NULL, NULL, false, -1 },
	{ "host:smtp", -1, NULL, NULL, false, -1 },
	{ "host:-1", -1, NULL, NULL, false, -1 },
	{ "[::1", -1, NULL, NULL, false, -1 }, { "[::1]25", -1, NULL, NULL, false, -1 },
	{ "[::1]:", -1, NULL, NULL, false, -1 }, { "[]", -1, NULL, NULL, false, -1 },
	{ "[", -1, NULL, NULL, false, -1 },
	{ "-h", -1, NULL, NULL, false, -1 }, { ".x", -1, NULL, NULL, false, -1 },
	{ "a b", -1, NULL, NULL, false, -1 }, { "a\n", -1, NULL, NULL, false, -1 },
	{ "a;b", -1, NULL, NULL, false, -1 }, { "user@host", -1, NULL, NULL, false, -1 },
	{ "unix:", -1, NULL, NULL, false, -1 }, { "fd:", -1, NULL, NULL, false, -1 },
	{ "fd:x", -1, NULL, NULL, false, -1 }, { "fd:-1", -1, NULL, NULL, false, -1 },
	{ "fd:99999999", -1, NULL, NULL, false, -1 },
	{ "exec:", -1, NULL, NULL, false, -1 },
};

int
main(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct peer p;
		struct err e = {0};
		int r = peer_parse(&p, "--server", rows[i].text, &e);

		if (rows[i].kind < 0) {
			ok(r == -1 && e.fault == FAULT_USAGE, "not `%s'",
			    rows[i].text);
			peer_free(&p);
			continue;
		}
		ok(r == 0 && (int)p.kind == rows[i].kind, "`%s'", rows[i].text);
		is(p.kind == PEER_HOST ? p.host : p.kind == PEER_UNIX ? p.path :
		    p.command, rows[i].what, "what it names");
		is(p.port, rows[i].port, "its port");
		is(p.text, rows[i].text, "as it was given");
		ok(p.literal == rows[i].literal && p.fd == rows[i].fd,
		    "literal, descriptor");
		peer_free(&p);
		peer_free(&p);
	}
	return done_testing();
}
