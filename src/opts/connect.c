#include "opts/connect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/unit.h"
#include "net/dns.h"
#include "net/sock.h"
#include "wire/domain.h"

#define CONNECT_TIMEOUT_S 30

static const char **servers;
static const char *mx, *port = "25", *bind_to, *helo;
static const char *connect_timeout, *timeout, *deadline;
static const char *tls = "may", *tls_ca, *tls_cert, *tls_key, *tls_name,
    *tls_fingerprint, *user, *auth, *password_file, *password_command;
static int four, six, tls_wrap, auth_in_clear, verbose;

struct poptOption opts_connect[] = {
	{ "server", 's', POPT_ARG_ARGV, &servers, 0,
	    "whom to talk to; may be given more than once", "PEER" },
	{ "mx", 0, POPT_ARG_STRING, &mx, 0,
	    "the mail exchangers of a domain, best first", "DOMAIN" },
	{ "port", 'p', POPT_ARG_STRING, &port, 0,
	    "port where PEER names none (25)", "PORT" },
	{ "bind", 0, POPT_ARG_STRING, &bind_to, 0,
	    "our end's address", "ADDRESS" },
	{ "ipv4", '4', POPT_ARG_NONE, &four, 0, "IPv4 only", NULL },
	{ "ipv6", '6', POPT_ARG_NONE, &six, 0, "IPv6 only", NULL },
	{ "helo", 0, POPT_ARG_STRING, &helo, 0,
	    "the name we give; never looked up", "NAME" },
	{ "connect-timeout", 0, POPT_ARG_STRING, &connect_timeout, 0,
	    "for one address (30s)", "TIME" },
	{ "timeout", 0, POPT_ARG_STRING, &timeout, 0,
	    "for one reply (RFC 5321's times)", "TIME" },
	{ "deadline", 0, POPT_ARG_STRING, &deadline, 0,
	    "for everything (none)", "TIME" },
	{ "tls", 0, POPT_ARG_STRING, &tls, 0,
	    "none or may; encrypt, verify and dane are not there yet", "LEVEL" },
	{ "tls-wrap", 0, POPT_ARG_NONE, &tls_wrap, 0, "not there yet", NULL },
	{ "tls-ca", 0, POPT_ARG_STRING, &tls_ca, 0, "not there yet", "PATH" },
	{ "tls-cert", 0, POPT_ARG_STRING, &tls_cert, 0, "not there yet", "FILE" },
	{ "tls-key", 0, POPT_ARG_STRING, &tls_key, 0, "not there yet", "FILE" },
	{ "tls-name", 0, POPT_ARG_STRING, &tls_name, 0, "not there yet", "NAME" },
	{ "tls-fingerprint", 0, POPT_ARG_STRING, &tls_fingerprint, 0,
	    "not there yet", "SHA256" },
	{ "user", 'u', POPT_ARG_STRING, &user, 0, "not there yet", "NAME" },
	{ "auth", 0, POPT_ARG_STRING, &auth, 0, "not there yet", "MECH,..." },
	{ "password-file", 0, POPT_ARG_STRING, &password_file, 0,
	    "not there yet", "FILE" },
	{ "password-command", 0, POPT_ARG_STRING, &password_command, 0,
	    "not there yet", "COMMAND" },
	{ "auth-in-clear", 0, POPT_ARG_NONE, &auth_in_clear, 0,
	    "not there yet", NULL },
	{ "verbose", 'v', POPT_ARG_NONE, &verbose, 0,
	    "the dialogue, on stderr", NULL },
	POPT_TABLEEND
};

bool
opts_server_given(void)
{
	return servers != NULL || mx != NULL;
}

/*
 * Credentials are refused, not ignored: nobody shall think that a session was
 * authenticated or encrypted.
 */
static int
refuse_later(struct err *e)
{
	const struct { const char *name; bool given; } later[] = {
		{ "--tls-wrap", tls_wrap }, { "--tls-ca", tls_ca },
		{ "--tls-cert", tls_cert }, { "--tls-key", tls_key },
		{ "--tls-name", tls_name },
		{ "--tls-fingerprint", tls_fingerprint },
		{ "--user", user }, { "--auth", auth },
		{ "--password-file", password_file },
		{ "--password-command", password_command },
		{ "--auth-in-clear", auth_in_clear },
	};
	static const char *const levels[] = { "encrypt", "verify", "dane" };

	for (size_t i = 0; i < sizeof later / sizeof *later; i++)
		if (later[i].given)
			return err_set(e, FAULT_UNAVAILABLE, "%s: TLS and AUTH "
			    "are not there yet", later[i].name);
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		if (strcmp(tls, levels[i]) == 0)
			return err_set(e, FAULT_UNAVAILABLE,
			    "--tls=%s: TLS is not there yet", tls);
	if (strcmp(tls, "none") != 0 && strcmp(tls, "may") != 0)
		return err_set(e, FAULT_USAGE, "--tls: `%s' is none of none, "
		    "may, encrypt, verify, dane", tls);
	return 0;
}

static int
check_helo(struct err *e)
{
	struct span s;

	if (helo == NULL)
		return 0;
	s = span_of(helo);
	if (domain_is_name(s) || domain_is_literal(s))
		return 0;
	return err_set(e, FAULT_USAGE, "--helo: `%.300s' is neither a host name "
	    "nor an [address]", helo);
}

/* `0` means none for a time, as it would for poll(). */
static int
milliseconds(const char *what, const char *text, int64_t otherwise,
    int64_t *ms, struct err *e)
{
	int64_t seconds;

	*ms = otherwise;
	if (text == NULL)
		return 0;
	if (unit_time(what, text, &seconds, e) < 0)
		return -1;
	if (seconds == 0)
		return err_set(e, FAULT_USAGE, "%s: no time at all", what);
	*ms = seconds * 1000;
	return 0;
}

/* The resolver knows no deadline: one try at each server, within the time left. */
static void
hurry_resolver(int64_t ms)
{
	char text[40];
	int64_t seconds = ms / 1000;

	if (seconds > 30)
		return;
	snprintf(text, sizeof text, "timeout:%d attempts:1", (int)seconds);
	setenv("RES_OPTIONS", text, 0);
}

static int
fill_dial(struct dial *d, struct err *e)
{
	int64_t left;
	long long n;

	*d = (struct dial){ .port = port, .bind = bind_to, .helo = helo,
	    .verbose = verbose };
	d->family = four ? AF_INET : six ? AF_INET6 : AF_UNSPEC;
	if (four && six)
		return err_set(e, FAULT_USAGE, "-4 and -6: choose one");
	if (!span_number(span_of(port), &n) || n < 1 || n > 65535)
		return err_set(e, FAULT_USAGE, "--port: `%s' is no port", port);
	if (bind_to != NULL && !peer_is_address(span_of(bind_to)))
		return err_set(e, FAULT_USAGE, "--bind: `%.300s' is no address",
		    bind_to);
	if (refuse_later(e) < 0 || check_helo(e) < 0 ||
	    milliseconds("--connect-timeout", connect_timeout,
	    CONNECT_TIMEOUT_S * 1000, &d->connect_ms, e) < 0 ||
	    milliseconds("--timeout", timeout, 0, &d->reply_ms, e) < 0 ||
	    milliseconds("--deadline", deadline, NEVER, &left, e) < 0)
		return -1;
	d->deadline = clock_in(left);
	hurry_resolver(left);
	return 0;
}

static int
add_server(struct servers *v, const char *text, struct err *e)
{
	struct server *s = vec_add(v);
	int argc;

	if (peer_parse(&s->peer, "--server", text, e) < 0)
		return -1;
	if (s->peer.kind == PEER_EXEC &&
	    poptParseArgvString(s->peer.command, &argc, &s->command) != 0)
		return err_set(e, FAULT_USAGE,
		    "--server: `%s' cannot be split into words", text);
	return 0;
}

static int
add_mx(struct servers *v, bool others_only, struct err *e)
{
	char *domain = domain_ascii("--mx", span_of(mx), e);
	struct mxs found = {0};
	int r = domain == NULL ? -1 : dns_mx(&found, domain, NEVER, e);

	for (size_t i = 0; r == 0 && i < found.n; i++)
		if (!others_only || !sock_is_ours(found.p[i].host))
			r = add_server(v, found.p[i].host, e);
	if (r == 0 && v->n == 0)
		r = err_set(e, FAULT_NOHOST,
		    "--mx: %s has no other mail exchanger than this host", mx);
	mxs_free(&found);
	free(domain);
	return r;
}

int
opts_dial(struct servers *v, struct dial *d, bool others_only, struct err *e)
{
	if (fill_dial(d, e) < 0)
		return -1;
	if (servers != NULL && mx != NULL)
		return err_set(e, FAULT_USAGE, "--server and --mx: choose one");
	for (size_t i = 0; servers != NULL && servers[i] != NULL; i++)
		if (add_server(v, servers[i], e) < 0)
			return -1;
	if (mx != NULL)
		return add_mx(v, others_only, e);
	return 0;
}
