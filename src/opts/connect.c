#include "opts/connect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/unit.h"
#include "net/dns.h"
#include "net/mech.h"
#include "net/sock.h"
#include "net/tls_cert.h"
#include "wire/domain.h"

#define CONNECT_TIMEOUT_S 30

static const char **servers;
static const char *mx, *port, *bind_to, *helo;
static const char *connect_timeout, *timeout, *deadline;
static const char *tls, *password_command;
static struct login login;
static int four, six, tls_wrap, auth_in_clear, verbose;

struct poptOption opts_connect[] = {
	{ "server", 's', POPT_ARG_ARGV, &servers, 0,
	    "whom to talk to; may be given more than once", "PEER" },
	{ "mx", 0, POPT_ARG_STRING, &mx, 0,
	    "the mail exchangers of a domain, best first", "DOMAIN" },
	{ "port", 'p', POPT_ARG_STRING, &port, 0,
	    "port where PEER names none (25; for ATRN 366)", "PORT" },
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
	    "none, may, encrypt, verify or dane (may; verify with -u)", "LEVEL" },
	{ "tls-wrap", 0, POPT_ARG_NONE, &tls_wrap, 0,
	    "TLS before the greeting (port 465 always)", NULL },
	{ "tls-ca", 0, POPT_ARG_STRING, &login.tls.ca, 0,
	    "CAs to trust, a PEM file or a directory (this host's)", "PATH" },
	{ "tls-cert", 0, POPT_ARG_STRING, &login.tls.cert, 0,
	    "our own certificate, PEM", "FILE" },
	{ "tls-key", 0, POPT_ARG_STRING, &login.tls.key, 0,
	    "its key, where it is not in the same file", "FILE" },
	{ "tls-name", 0, POPT_ARG_STRING, &login.name, 0,
	    "the name its certificate must have (the server's)", "NAME" },
	{ "tls-fingerprint", 0, POPT_ARG_STRING, &login.fingerprint, 0,
	    "the certificate it must be; no CA is asked then", "SHA256" },
	{ "user", 'u', POPT_ARG_STRING, &login.user, 0, "log in as", "NAME" },
	{ "auth", 0, POPT_ARG_STRING, &login.mechs, 0,
	    "mechanisms, in order (the strongest offered)", "MECH,..." },
	{ "password-file", 0, POPT_ARG_STRING, &login.from.file, 0,
	    "its first line is the password (netrc, or you are asked)", "FILE" },
	{ "password-command", 0, POPT_ARG_STRING, &password_command, 0,
	    "prints the password; no shell", "COMMAND" },
	{ "auth-in-clear", 0, POPT_ARG_NONE, &auth_in_clear, 0,
	    "AUTH may go without TLS", NULL },
	{ "verbose", 'v', POPT_ARG_NONE, &verbose, 0,
	    "the dialogue, on stderr", NULL },
	POPT_TABLEEND
};

void
opts_dial_port(struct dial *d, const char *otherwise)
{
	if (port == NULL)
		d->port = otherwise;
}

bool
opts_server_given(void)
{
	return servers != NULL || mx != NULL;
}

/* What can be seen to be wrong before anybody is called. */
static int
check_tls(struct login *l, struct err *e)
{
	unsigned char pin[PIN_OCTETS];

	if (l->name != NULL && !domain_is_name(span_of(l->name)) &&
	    !peer_is_address(span_of(l->name)))
		return err_set(e, FAULT_USAGE, "--tls-name: `%.300s' is neither a "
		    "host name nor an address", l->name);
	if (l->fingerprint != NULL && cert_pin_parse(pin, l->fingerprint, e) < 0)
		return err_in(e, "--tls-fingerprint");
	if ((l->tls.ca != NULL || l->tls.cert != NULL) &&
	    !(l->level_given && l->level == TLS_NONE) &&
	    login_shared(l, e) == NULL)
		return err_in(e, l->tls.cert == NULL ? "--tls-ca" : "TLS");
	return 0;
}

static int
fill_tls(struct login *l, struct err *e)
{
	static const char *const levels[] = { "none", "may", "encrypt", "verify",
	    "dane" };

	l->wrap = tls_wrap;
	l->in_clear = auth_in_clear;
	l->judge = verbose;
	if (l->tls.key != NULL && l->tls.cert == NULL)
		return err_set(e, FAULT_USAGE, "--tls-key: without --tls-cert");
	if (tls == NULL)
		return 0;
	l->level_given = true;
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		if (strcmp(tls, levels[i]) == 0) {
			l->level = (enum tls_level)i;
			return l->level == TLS_NONE && (tls_wrap ||
			    l->fingerprint != NULL) ? err_set(e, FAULT_USAGE,
			    "--tls=none: and yet TLS is asked for") : 0;
		}
	return err_set(e, FAULT_USAGE, "--tls: `%s' is none of none, may, "
	    "encrypt, verify, dane", tls);
}

static int
fill_auth(struct login *l, struct err *e)
{
	int argc;

	l->from.deadline = NEVER;
	if (l->user != NULL && (*l->user == '\0' || strpbrk(l->user, "\r\n")))
		return err_set(e, FAULT_USAGE, "--user: no name");
	if (l->user == NULL && (l->from.file != NULL || password_command != NULL))
		return err_set(e, FAULT_USAGE, "--user: say whose password it is");
	if (l->from.file != NULL && password_command != NULL)
		return err_set(e, FAULT_USAGE, "--password-file and "
		    "--password-command: choose one");
	if (l->user == NULL && l->mechs != NULL &&
	    strcasecmp(l->mechs, "EXTERNAL") != 0)
		return err_set(e, FAULT_USAGE, "--auth: without --user only "
		    "EXTERNAL can be");
	if (l->mechs != NULL && mech_check(l->mechs, e) < 0)
		return err_in(e, "--auth");
	if (password_command != NULL && poptParseArgvString(password_command,
	    &argc, (const char ***)(uintptr_t)&l->from.command) != 0)
		return err_set(e, FAULT_USAGE, "--password-command: `%s' cannot "
		    "be split into words", password_command);
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

static int
milliseconds(const char *what, const char *text, int64_t otherwise,
    int64_t *ms, struct err *e)
{
	*ms = otherwise;
	return text != NULL ? unit_wait(what, text, ms, e) : 0;
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

	*d = (struct dial){ .port = port != NULL ? port : "25", .bind = bind_to,
	    .helo = helo, .verbose = verbose, .login = &login };
	d->family = four ? AF_INET : six ? AF_INET6 : AF_UNSPEC;
	/* an address of ours reaches only its like */
	if (bind_to != NULL && d->family == AF_UNSPEC)
		d->family = strchr(bind_to, ':') != NULL ? AF_INET6 : AF_INET;
	if (four && six)
		return err_set(e, FAULT_USAGE, "-4 and -6: choose one");
	if (unit_port("--port", d->port, e) < 0)
		return -1;
	if (bind_to != NULL && !peer_is_address(span_of(bind_to)))
		return err_set(e, FAULT_USAGE, "--bind: `%.300s' is no address",
		    bind_to);
	if (fill_tls(&login, e) < 0 || check_tls(&login, e) < 0 ||
	    fill_auth(&login, e) < 0 ||
	    check_helo(e) < 0 ||
	    milliseconds("--connect-timeout", connect_timeout,
	    CONNECT_TIMEOUT_S * 1000, &d->connect_ms, e) < 0 ||
	    milliseconds("--timeout", timeout, 0, &d->reply_ms, e) < 0 ||
	    milliseconds("--deadline", deadline, NEVER, &left, e) < 0)
		return -1;
	d->deadline = clock_in(left);
	login.from.deadline = d->deadline;
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
	if (s->peer.kind != PEER_HOST && login.name == NULL &&
	    login.fingerprint == NULL &&
	    login_level(&login, true) == TLS_VERIFY)
		return err_set(e, FAULT_USAGE, "--tls=verify: %.300s has no name "
		    "that a certificate could be for; say --tls-name", text);
	return 0;
}

static int
add_mx(struct servers *v, const struct dial *d, bool others_only,
    struct err *e)
{
	char *domain = domain_ascii("--mx", span_of(mx), e);
	struct mxs found = {0};
	int r = domain == NULL ? -1 : dns_mx(&found, domain, d->deadline, e);

	for (size_t i = 0; r == 0 && i < found.n; i++)
		if (!others_only || !sock_is_ours(found.p[i].host)) {
			r = add_server(v, found.p[i].host, e);
			v->p[v->n - 1].domain = span_dup(span_of(domain));
			v->p[v->n - 1].secure = found.secure;
		}
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
		return add_mx(v, d, others_only, e);
	return 0;
}

void
opts_dial_free(void)
{
	login_free(&login);
}
