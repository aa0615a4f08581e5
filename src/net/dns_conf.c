#include "net/dns_conf.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "net/range.h"

/* What fits into one packet nearly everywhere: no fragments that can be forged. */
#define UDP_PAYLOAD 1232
#define AD 0x20			/* octet 3 of a header (RFC 4035 section 3) */

static void
add_server(struct dns_conf *c, const void *at, socklen_t n)
{
	struct dns_server *s = &c->servers[c->n++];

	s->n = n;
	memcpy(&s->at, at, n);
}

/* $TIDEGATE_NAMESERVER: 1 taken, 0 not set. */
static int
use_variable(struct dns_conf *c, struct err *e)
{
	const char *text = getenv("TIDEGATE_NAMESERVER");
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct span rest, host = {0};
	long long port = 53;
	char *address;
	int r;

	if (text == NULL)
		return 0;
	rest = span_of(text);
	span_cut(&rest, ':', &host);
	address = span_dup(host);
	r = inet_pton(AF_INET, address, &to.sin_addr);
	free(address);
	if (r != 1 || (rest.n > 0 && !span_number(rest, &port)) || port > 65535)
		return err_set(e, FAULT_CONFIG,
		    "$TIDEGATE_NAMESERVER: `%s' is no address", text);
	to.sin_port = htons((unsigned short)port);
	add_server(c, &to, sizeof to);
	return 1;
}

/* glibc keeps IPv6 servers elsewhere and leaves a hole in the list. */
static void
use_configured(struct dns_conf *c, const struct __res_state *rs)
{
	for (int i = 0; i < rs->nscount && i < DNS_SERVERS; i++) {
		const struct sockaddr_in *four = &rs->nsaddr_list[i];

		if (four->sin_family == AF_INET)
			add_server(c, four, sizeof *four);
#ifdef __GLIBC__
		else if (rs->_u._ext.nsaddrs[i] != NULL)
			add_server(c, rs->_u._ext.nsaddrs[i],
			    sizeof *rs->_u._ext.nsaddrs[i]);
#endif
	}
}

/*
 * An AD bit is worth what the way it came by is worth (RFC 4035 section 4.9.3).
 * `trust-ad` vouches for resolv.conf's servers, not for the variable's.
 */
static bool
may_trust(const struct dns_conf *c, const struct __res_state *rs, bool variable)
{
#ifdef RES_TRUSTAD
	if (!variable && (rs->options & RES_TRUSTAD) != 0)
		return true;
#else
	(void)rs, (void)variable;
#endif
	for (size_t i = 0; i < c->n; i++)
		if (!range_is_loopback(&c->servers[i].at))
			return false;
	return true;
}

static int
write_question(struct dns_conf *c, struct __res_state *rs, const char *name,
    int type, struct err *e)
{
	static const unsigned char opt[DNS_OPT_N] = { 0, 0, ns_t_opt,
	    UDP_PAYLOAD >> 8, UDP_PAYLOAD & 0xff };
	unsigned char *q = c->question;
	int n = res_nmkquery(rs, ns_o_query, name, ns_c_in, type, NULL, 0,
	    NULL, q, DNS_QUESTION_MAX - DNS_OPT_N);

	if (n < NS_HFIXEDSZ)
		return err_set(e, FAULT_NOHOST, "%s: no name that DNS can hold",
		    name);
	/* whoever wants to forge an answer has to guess it (RFC 5452) */
	if (getrandom(q, 2, 0) != 2)
		return err_sys(e, "random number");
	/* AD in a question: do tell us (RFC 6840 section 5.7) */
	if (c->trusted)
		q[3] |= AD;
	memcpy(q + n, opt, DNS_OPT_N);
	c->question_n = (size_t)n;
	return 0;
}

int
dns_conf(struct dns_conf *c, const char *name, int type, struct err *e)
{
	struct __res_state rs = {0};
	int r;

	*c = (struct dns_conf){0};
	if (res_ninit(&rs) != 0)
		return err_set(e, FAULT_TEMP, "%s: no resolver", name);
	r = use_variable(c, e);
	if (r == 0)
		use_configured(c, &rs);
	c->trusted = may_trust(c, &rs, r == 1);
	c->by_tcp = (rs.options & RES_USEVC) != 0;
	c->rounds = rs.retry > 0 ? rs.retry : 1;
	c->wait_ms = (rs.retrans > 0 ? rs.retrans : 1) * (int64_t)1000;
	if (r >= 0)
		r = write_question(c, &rs, name, type, e);
	res_nclose(&rs);
	return r;
}
