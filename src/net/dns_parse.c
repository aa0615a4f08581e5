/* The parsers of dns.h: bytes into hosts, addresses and TLSA records. */
#include "net/dns.h"

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "wire/domain.h"

#define ANSWER_MAX 65535
#define CHAIN_MAX 16		/* CNAMEs in a row */
#define RECORDS_MAX 1000	/* MX records looked at */

/* An answer being read: the name that was asked for and its CNAMEs' targets. */
struct reading {
	ns_msg m;
	VEC(char *) chain;
	int at;			/* the next record of the answer section */
	bool secure;
};

static bool
in_chain(const struct reading *r, const char *name)
{
	for (size_t i = 0; i < r->chain.n; i++)
		if (strcasecmp(r->chain.p[i], name) == 0)
			return true;
	return false;
}

static void
remember(struct reading *r, const char *name)
{
	char **to = vec_add(&r->chain);

	*to = span_dup(span_of(name));
}

/* The name in a record's data, `skip` octets behind its beginning. */
static int
name_in(const struct reading *r, const ns_rr *rr, size_t skip,
    char name[NS_MAXDNAME])
{
	int n;

	if (ns_rr_rdlen(*rr) <= skip)
		return -1;
	n = ns_name_uncompress(ns_msg_base(r->m), ns_msg_end(r->m),
	    ns_rr_rdata(*rr) + skip, name, NS_MAXDNAME);
	return n == (int)(ns_rr_rdlen(*rr) - skip) ? 0 : -1;
}

/* The target of the last name's CNAME: 1 remembered, 0 it has none. */
static int
follow(struct reading *r)
{
	const char *last = r->chain.p[r->chain.n - 1];
	char name[NS_MAXDNAME];
	ns_rr rr;

	for (int i = 0; i < ns_msg_count(r->m, ns_s_an); i++) {
		if (ns_parserr(&r->m, ns_s_an, i, &rr) < 0)
			return -1;
		if (ns_rr_type(rr) != ns_t_cname || ns_rr_class(rr) != ns_c_in ||
		    strcasecmp(ns_rr_name(rr), last) != 0)
			continue;
		if (name_in(r, &rr, 0, name) < 0 || in_chain(r, name) ||
		    r->chain.n > CHAIN_MAX)
			return -1;
		remember(r, name);
		return 1;
	}
	return 0;
}

/* Without a dot at its end, as names in answers come out. */
static void
begin(struct reading *r, const char *asked)
{
	struct span s = span_of(asked);
	char **to = vec_add(&r->chain);

	if (s.n > 1 && s.p[s.n - 1] == '.')
		s.n--;
	*to = span_dup(s);
}

static void
end(struct reading *r)
{
	for (size_t i = 0; i < r->chain.n; i++)
		free(r->chain.p[i]);
	vec_free(&r->chain);
}

static int
damaged(const char *name, struct err *e)
{
	return err_set(e, FAULT_TEMP, "%s: a damaged answer from the name "
	    "server", name);
}

/* What the server thinks of it (RFC 1035 section 4.1.1). */
static int
verdict(const struct reading *r, const char *name, struct err *e)
{
	static const char *const words[16] = { [ns_r_formerr] = "FORMERR",
	    [ns_r_servfail] = "SERVFAIL", [ns_r_notimpl] = "NOTIMP",
	    [ns_r_refused] = "REFUSED" };
	int code = ns_msg_getflag(r->m, ns_f_rcode) & 15;

	if (code == ns_r_noerror)
		return 0;
	if (code == ns_r_nxdomain)
		return err_set(e, FAULT_NOHOST, "%s: no such domain", name);
	if (words[code] == NULL)
		return err_set(e, FAULT_TEMP, "%s: the name server failed (%d)",
		    name, code);
	return err_set(e, FAULT_TEMP, "%s: the name server failed (%s)", name,
	    words[code]);
}

/* To be ended in any case.  -1: nothing to be read. */
static int
open_answer(struct reading *r, const unsigned char *p, size_t n,
    const char *asked, struct err *e)
{
	int found;

	*r = (struct reading){0};
	if (n > ANSWER_MAX || ns_initparse(p, (int)n, &r->m) < 0 ||
	    !ns_msg_getflag(r->m, ns_f_qr))
		return damaged(asked, e);
	r->secure = ns_msg_getflag(r->m, ns_f_ad);
	begin(r, asked);
	do
		found = follow(r);
	while (found == 1);
	return found < 0 ? damaged(asked, e) : verdict(r, asked, e);
}

/*
 * The next record that belongs to what was asked: 1; 0 no more; -1 damaged.
 * Records of other names prove nothing (RFC 2181 section 5.4.1).
 */
static int
next(struct reading *r, ns_rr *rr)
{
	while (r->at < ns_msg_count(r->m, ns_s_an)) {
		if (ns_parserr(&r->m, ns_s_an, r->at++, rr) < 0)
			return -1;
		if (ns_rr_class(*rr) == ns_c_in && in_chain(r, ns_rr_name(*rr)))
			return 1;
	}
	return 0;
}

static unsigned
dice(unsigned sides)
{
	unsigned n = 0;

	if (getrandom(&n, sizeof n, 0) != sizeof n)
		n = 0;		/* an order is an order */
	return n % sides;
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

		for (; j > 0 && v->p[j - 1].preference > one.preference; j--)
			v->p[j] = v->p[j - 1];
		v->p[j] = one;
	}
	while (v->n > MX_MAX)
		free(v->p[--v->n].host);
}

/* 1 a null MX, 0 taken, 2 passed over, -1 damaged. */
static int
take_mx(struct mxs *v, const struct reading *r, const ns_rr *rr)
{
	char name[NS_MAXDNAME];
	struct mx *mx;

	if (name_in(r, rr, 2, name) < 0)
		return -1;
	if (*name == '\0' || strcmp(name, ".") == 0)
		return 1;
	/* names from DNS are hostile: nothing but a host name goes on */
	if (!domain_is_name(span_of(name)) || v->n == RECORDS_MAX)
		return 2;
	mx = vec_add(v);
	mx->preference = (int)ns_get16(ns_rr_rdata(*rr));
	mx->host = span_dup(span_of(name));
	return 0;
}

static int
read_mx(struct mxs *v, struct reading *r, const char *domain, struct err *e)
{
	int nulls = 0, passed = 0, more, took;
	ns_rr rr;

	while ((more = next(r, &rr)) == 1) {
		if (ns_rr_type(rr) != ns_t_mx)
			continue;
		if ((took = take_mx(v, r, &rr)) < 0)
			return damaged(domain, e);
		nulls += took == 1;
		passed += took == 2;
	}
	if (more < 0)
		return damaged(domain, e);
	/* a `.` among others says nothing (RFC 7505 section 3) */
	if (v->n == 0 && nulls > 0 && passed == 0) {
		v->null = true;
		return err_set(e, FAULT_NOHOST, "%s: takes no mail (null MX)",
		    domain);
	}
	/* it has MX hosts: none else takes their place (RFC 5321 section 5.1) */
	if (v->n == 0 && passed > 0)
		return err_set(e, FAULT_TEMP,
		    "%s: none of its MX hosts has a host's name", domain);
	order(v);
	return v->n == 0;
}

int
dns_mx_parse(struct mxs *v, const unsigned char *p, size_t n,
    const char *domain, struct err *e)
{
	struct reading r;
	int got = open_answer(&r, p, n, domain, e);

	v->secure = r.secure;
	if (got == 0)
		got = read_mx(v, &r, domain, e);
	end(&r);
	if (got < 0)
		mxs_free(v);
	return got;
}

static int
take_address(struct addresses *v, const ns_rr *rr)
{
	bool six = ns_rr_type(*rr) == ns_t_aaaa;
	struct address *a;

	if (ns_rr_rdlen(*rr) != (six ? 16 : 4))
		return -1;
	if (v->n == ADDRESS_MAX)
		return 0;
	a = vec_add(v);
	if (six) {
		struct sockaddr_in6 *to = (void *)&a->at;

		to->sin6_family = AF_INET6;
		memcpy(&to->sin6_addr, ns_rr_rdata(*rr), 16);
		a->n = sizeof *to;
	} else {
		struct sockaddr_in *to = (void *)&a->at;

		to->sin_family = AF_INET;
		memcpy(&to->sin_addr, ns_rr_rdata(*rr), 4);
		a->n = sizeof *to;
	}
	return 0;
}

static int
read_addresses(struct addresses *v, struct reading *r, const char *host,
    struct err *e)
{
	const char *last = r->chain.p[r->chain.n - 1];
	ns_rr rr;
	int more;

	while ((more = next(r, &rr)) == 1)
		if ((ns_rr_type(rr) == ns_t_a || ns_rr_type(rr) == ns_t_aaaa) &&
		    take_address(v, &rr) < 0)
			return damaged(host, e);
	if (more < 0)
		return damaged(host, e);
	if (r->chain.n > 1 && domain_is_name(span_of(last))) {
		free(v->canonical);
		v->canonical = span_dup(span_of(last));
	}
	return 0;
}

int
dns_addresses_parse(struct addresses *v, const unsigned char *p, size_t n,
    const char *host, struct err *e)
{
	struct reading r;
	int got = open_answer(&r, p, n, host, e);

	v->secure = r.secure;
	if (got == 0)
		got = read_addresses(v, &r, host, e);
	end(&r);
	if (got < 0)
		addresses_free(v);
	return got;
}

/* RFC 6698 section 2.1: three octets and at least one more. */
static void
take_tlsa(struct tlsas *v, const ns_rr *rr)
{
	const unsigned char *p = ns_rr_rdata(*rr);
	struct tlsa *t;

	if (v->n == TLSA_MAX)
		return;
	t = vec_add(v);
	t->usage = TLSA_UNUSABLE;
	if (ns_rr_rdlen(*rr) < 4)
		return;
	t->usage = p[0];
	t->selector = p[1];
	t->matching = p[2];
	buf_add(&t->data, p + 3, ns_rr_rdlen(*rr) - 3u);
}

static void
forget(struct tlsas *v)
{
	for (size_t i = 0; i < v->n; i++)
		buf_free(&v->p[i].data);
	vec_free(v);
}

int
dns_tlsa_parse(struct tlsas *v, const unsigned char *p, size_t n,
    const char *name, struct err *e)
{
	struct reading r;
	struct err why = {0};
	ns_rr rr;
	int got = open_answer(&r, p, n, name, &why), more = 0;

	v->secure = r.secure;
	while (got == 0 && (more = next(&r, &rr)) == 1)
		if (ns_rr_type(rr) == ns_t_tlsa)
			take_tlsa(v, &rr);
	end(&r);
	if (more < 0)
		got = damaged(name, &why);
	/* no such name is no such record */
	if (got == 0 || why.fault == FAULT_NOHOST)
		return 0;
	forget(v);
	*e = why;
	return -1;
}
