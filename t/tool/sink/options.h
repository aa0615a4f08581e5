/* The command line: sink.c says what is what. */
#ifndef T_SINK_OPTIONS_H
#define T_SINK_OPTIONS_H

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "rule.h"

static const char *at_address = "127.0.0.1:0", *port_file, *maildir, *log_file;
static const char *ext = "PIPELINING,SIZE 10000000,8BITMIME,"
    "ENHANCEDSTATUSCODES,DSN";
static const char *banner = "sink.test ESMTP", *etrn, *hang_at, *drop_at;
static const char *max_rcpt = "1000000", *drop_after = "1000000000";
static const char *auth, *user = ":", *auth_reply;
static bool auth_tls, auth_no_proof, auth_proof_in_235, need_auth;
static const char *tls_cert, *tls_ca, *starttls_reply = "220 2.0.0 go ahead";
static const char *starttls_inject, *tls_ext, *max_mail = "1000000000";
static const char *ehlo_reply = "250", *drop_verdict = "1000000000";
static bool use_stdio, no_ehlo, tls_wrap, lmtp, eight_clean, helo_line;
static struct rules refuse, refuse_mail, refuse_data, final, etrn_reply;
static struct rules auth_refuse;

static const struct {
	const char *name;
	const char **value;
	struct rules *rules;
	bool *flag;
} options[] = {
	{ "listen", &at_address, NULL, NULL },
	{ "port-file", &port_file, NULL, NULL },
	{ "stdio", NULL, NULL, &use_stdio },
	{ "maildir", &maildir, NULL, NULL },
	{ "log", &log_file, NULL, NULL },
	{ "ext", &ext, NULL, NULL },
	{ "no-ehlo", NULL, NULL, &no_ehlo },
	{ "ehlo-reply", &ehlo_reply, NULL, NULL },
	{ "banner", &banner, NULL, NULL },
	{ "refuse", NULL, &refuse, NULL },
	{ "refuse-mail", NULL, &refuse_mail, NULL },
	{ "refuse-data", NULL, &refuse_data, NULL },
	{ "final", NULL, &final, NULL },
	{ "etrn-reply", NULL, &etrn_reply, NULL },
	{ "etrn", &etrn, NULL, NULL },
	{ "max-rcpt", &max_rcpt, NULL, NULL },
	{ "max-mail", &max_mail, NULL, NULL },
	{ "lmtp", NULL, NULL, &lmtp },
	{ "8-bit-clean", NULL, NULL, &eight_clean },
	{ "helo-line", NULL, NULL, &helo_line },
	{ "drop-verdict", &drop_verdict, NULL, NULL },
	{ "drop-after", &drop_after, NULL, NULL },
	{ "hang-at", &hang_at, NULL, NULL },
	{ "drop-at", &drop_at, NULL, NULL },
	{ "auth", &auth, NULL, NULL },
	{ "user", &user, NULL, NULL },
	{ "auth-reply", &auth_reply, NULL, NULL },
	{ "auth-tls", NULL, NULL, &auth_tls },
	{ "auth-no-proof", NULL, NULL, &auth_no_proof },
	{ "auth-proof-in-235", NULL, NULL, &auth_proof_in_235 },
	{ "need-auth", NULL, NULL, &need_auth },
	{ "tls-cert", &tls_cert, NULL, NULL },
	{ "tls-ca", &tls_ca, NULL, NULL },
	{ "tls-wrap", NULL, NULL, &tls_wrap },
	{ "starttls-reply", &starttls_reply, NULL, NULL },
	{ "starttls-inject", &starttls_inject, NULL, NULL },
	{ "tls-ext", &tls_ext, NULL, NULL },
	{ "auth-refuse", NULL, &auth_refuse, NULL },
};

static bool
option(const char *arg)
{
	size_t n = strcspn(arg, "=");
	const char *value = arg[n] == '=' ? arg + n + 1 : NULL;

	if (strncmp(arg, "--", 2) != 0)
		return false;
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		if (strlen(options[i].name) != n - 2 ||
		    strncmp(options[i].name, arg + 2, n - 2) != 0 ||
		    (value == NULL) != (options[i].flag != NULL))
			continue;
		if (options[i].rules != NULL)
			return rule_add(options[i].rules, value);
		if (options[i].flag != NULL)
			*options[i].flag = true;
		else
			*options[i].value = value;
		return true;
	}
	return false;
}

static bool
offered(const char *keyword)
{
	struct span all = span_of(ext), one;

	while (span_cut(&all, ',', &one)) {
		one.n = span_find(one, ' ');
		if (span_ieq(one, span_of(keyword)))
			return true;
	}
	return strcmp(keyword, "ETRN") == 0 && (etrn || etrn_reply.n > 0);
}

static long long
size_limit(void)
{
	struct span all = span_of(ext), one;
	long long n;

	while (span_cut(&all, ',', &one))
		if (span_starts(one, "SIZE ") &&
		    span_number(span_from(one, 5), &n) && n > 0)
			return n;
	return 0;
}

#endif
