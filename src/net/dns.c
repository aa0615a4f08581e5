#include "net/dns.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "wire/domain.h"

#define ANSWER_MAX 65536

static unsigned
dice(unsigned sides)
{
	unsigned n = 0;

	if (getrandom(&n, sizeof n, 0) != sizeof n)
		n = 0;		/* an order is an order */
	return n % sides;
}

static int
by_preference(const void *a, const void *b)
{
	const struct mx *x = a, *y = b;

	return (x->preference > y->preference) - (x->preference < y->preference);
}

/* Shuffled first, then sorted by a stable insertion: equal ones stay shuffled. */
static void
order(struct mxs *v)
{
	for (size_t i = v->n; i > 1; i--) {
		size_t j = dice((unsigned)i);
		struct mx swap = v->p[i - 1];

		v->p[i - 1] = v->p[j];
		v->p[j] = swap;
	}
	for (size_t i = 1; i < v->n; i++) {
		struct mx one = v->p[i];
		size_t j = i;

		for (; j > 0 && by_preference(&v->p[j - 1], &one) > 0; j--)
			v->p[j] = v->p[j - 1];
		v->p[j] = one;
	}
}

/* 1 null MX, 0 taken or no MX, 2 an MX passed over, -1 damaged. */
static int
take(struct mxs *v, ns_msg *m, const ns_rr *rr)
{
	char name[NS_MAXDNAME];
	const unsigned char *rd = ns_rr_rdata(*rr);
	struct mx *mx;

	if (ns_rr_type(*rr) != ns_t_mx || ns_rr_class(*rr) != ns_c_in)
		return 0;
	if (ns_rr_rdlen(*rr) < 3 || dn_expand(ns_msg_base(*m), ns_msg_end(*m),
	    rd + 2, name, sizeof name) < 0)
		return -1;
	if (*name == '\0' || strcmp(name, ".") == 0)
		return 1;
	/* names from DNS are hostile: nothing but a host name goes on */
	if (!domain_is_name(span_of(name)) || v->n == MX_MAX)
		return 2;
	mx = vec_add(v);
	mx->preference = (int)ns_get16(rd);
	mx->host = span_dup(span_of(name));
	return 0;
}

int
dns_mx_parse(struct mxs *v, const unsigned char *p, size_t n,
    const char *domain, struct err *e)
{
	ns_msg m;
	ns_rr rr;
	int nulls = 0, passed = 0, r;

	if (n > ANSWER_MAX || ns_initparse(p, (int)n, &m) < 0)
		goto damaged;
	if (ns_msg_getflag(m, ns_f_rcode) == ns_r_nxdomain)
		return err_set(e, FAULT_NOHOST, "%s: no such domain", domain);
	if (ns_msg_getflag(m, ns_f_rcode) != ns_r_noerror)
		return err_set(e, FAULT_TEMP,
		    "%s: the name server failed to find its MX hosts", domain);
	for (int i = 0; i < ns_msg_count(m, ns_s_an); i++) {
		if (ns_parserr(&m, ns_s_an, i, &rr) < 0 ||
		    (r = take(v, &m, &rr)) < 0)
			goto damaged;
		nulls += r == 1;
		passed += r == 2;
	}
	if (v->n == 0 && nulls > 0)
		return err_set(e, FAULT_NOHOST, "%s: takes no mail (null MX)",
		    domain);
	/* it has MX hosts: none else takes their place (RFC 5321 section 5.1) */
	if (v->n == 0 && passed > 0)
		return err_set(e, FAULT_TEMP,
		    "%s: none of its MX hosts has a host's name", domain);
	order(v);
	return v->n == 0;
damaged:
	mxs_free(v);
	return err_set(e, FAULT_TEMP, "%s: a damaged answer from the name "
	    "server", domain);
}

/* $TIDEGATE_NAMESERVER */
static int
use_nameserver(res_state rs, struct err *e)
{
	const char *text = getenv("TIDEGATE_NAMESERVER");
	struct sockaddr_in *to = &rs->nsaddr_list[0];
	struct span rest, host = {0};
	long long port = 53;
	char *address;
	int r;

	if (text == NULL)
		return 0;
	rest = span_of(text);
	span_cut(&rest, ':', &host);
	address = span_dup(host);
	*to = (struct sockaddr_in){ .sin_family = AF_INET };
	r = inet_pton(AF_INET, address, &to->sin_addr);
	free(address);
	if (r != 1 || (rest.n > 0 && !span_number(rest, &port)) || port > 65535)
		return err_set(e, FAULT_CONFIG,
		    "$TIDEGATE_NAMESERVER: `%s' is no address", text);
	to->sin_port = htons((unsigned short)port);
	rs->nscount = 1;
	return 0;
}

/* The length of the answer, in *answer (freed by the caller); -1. */
static int
ask(const char *domain, unsigned char **answer, struct err *e)
{
	struct __res_state rs = {0};
	int n, why;

	if (res_ninit(&rs) != 0)
		return err_set(e, FAULT_TEMP, "%s: no resolver", domain);
	/* no search list: what was named is meant (RFC 5321 section 5.1) */
	rs.options &= ~(unsigned long)(RES_DNSRCH | RES_DEFNAMES);
	if (use_nameserver(&rs, e) < 0) {
		res_nclose(&rs);
		return -1;
	}
	*answer = must(malloc(ANSWER_MAX));
	n = res_nquery(&rs, domain, ns_c_in, ns_t_mx, *answer, ANSWER_MAX);
	why = rs.res_h_errno;
	res_nclose(&rs);
	/* the full length comes back even when the buffer was smaller */
	if (n >= 0)
		return n < ANSWER_MAX ? n : ANSWER_MAX;
	if (why == NO_DATA)
		return 0;
	if (why == HOST_NOT_FOUND)
		return err_set(e, FAULT_NOHOST, "%s: no such domain", domain);
	return err_set(e, FAULT_TEMP, "%s: no answer from the name server",
	    domain);
}

int
dns_mx(struct mxs *v, const char *domain, struct err *e)
{
	unsigned char *answer = NULL;
	struct mx *mx;
	int n = ask(domain, &answer, e), r = n;

	if (n > 0)
		r = dns_mx_parse(v, answer, (size_t)n, domain, e);
	else if (n == 0)
		r = 1;
	free(answer);
	if (r == 1) {
		mx = vec_add(v);
		mx->host = span_dup(span_of(domain));
		return 0;
	}
	return r;
}

void
mxs_free(struct mxs *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->p[i].host);
	vec_free(v);
}
