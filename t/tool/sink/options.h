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
static bool use_stdio, no_ehlo;
static struct rules refuse, refuse_mail, refuse_data, final, etrn_reply;

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
	{ "banner", &banner, NULL, NULL },
	{ "refuse", NULL, &refuse, NULL },
	{ "refuse-mail", NULL, &refuse_mail, NULL },
	{ "refuse-data", NULL, &refuse_data, NULL },
	{ "final", NULL, &final, NULL },
	{ "etrn-reply", NULL, &etrn_reply, NULL },
	{ "etrn", &etrn, NULL, NULL },
	{ "max-rcpt", &max_rcpt, NULL, NULL },
	{ "drop-after", &drop_after, NULL, NULL },
	{ "hang-at", &hang_at, NULL, NULL },
	{ "drop-at", &drop_at, NULL, NULL },
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
