#include "net/dns.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "net/dns_ask.h"

static const unsigned char *
bytes(const struct buf *b)
{
	return (const unsigned char *)b->p;
}

/* RFC 5321 section 5.1: without MX the domain itself, as if it had preference 0. */
static void
stand_in(struct mxs *v, const char *domain)
{
	struct mx *mx = vec_add(v);

	mx->host = span_dup(span_of(domain));
	v->implicit = true;
}

int
dns_mx(struct mxs *v, const char *domain, int64_t deadline, struct err *e)
{
	struct buf answer = {0};
	int r = dns_ask(&answer, domain, ns_t_mx, deadline, e);

	if (r == 0)
		r = dns_mx_parse(v, bytes(&answer), answer.n, domain, e);
	buf_free(&answer);
	if (r == 1)
		stand_in(v, domain);
	return r < 0 ? -1 : 0;
}

void
mxs_free(struct mxs *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->p[i].host);
	vec_free(v);
}

void
addresses_free(struct addresses *v)
{
	free(v->canonical);
	v->canonical = NULL;
	vec_free(v);
}

/*
 * No `127.1`, `0x7f000001` or the like, which getaddrinfo() would take: IPv4 in
 * full, or IPv6, perhaps with a zone.
 */
static bool
read_literal(struct address *a, const char *host)
{
	struct addrinfo hints = { .ai_family = AF_INET6,
	    .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST }, *found;
	struct sockaddr_in *four = (void *)&a->at;

	*a = (struct address){0};
	if (inet_pton(AF_INET, host, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		a->n = sizeof *four;
		return true;
	}
	if (strchr(host, ':') == NULL ||
	    getaddrinfo(host, NULL, &hints, &found) != 0)
		return false;
	memcpy(&a->at, found->ai_addr, found->ai_addrlen);
	a->n = found->ai_addrlen;
	freeaddrinfo(found);
	return true;
}

static int
use_literal(struct addresses *v, const struct address *a, const char *host,
    int family, struct err *e)
{
	struct address *to;

	if (family != AF_UNSPEC && family != a->at.ss_family)
		return err_set(e, FAULT_NOHOST, "%s: not an address of IPv%d",
		    host, family == AF_INET ? 4 : 6);
	to = vec_add(v);
	*to = *a;
	v->secure = true;
	return 0;
}

static int
ask_family(struct addresses *v, const char *host, int type, int64_t deadline,
    struct err *e)
{
	struct buf answer = {0};
	int r = dns_ask(&answer, host, type, deadline, e);

	if (r == 0)
		r = dns_addresses_parse(v, bytes(&answer), answer.n, host, e);
	buf_free(&answer);
	return r;
}

/*
 * Both into one, six first (RFC 6724), then in turn: where one family leads
 * nowhere the second address is of the other.
 */
static void
interleave(struct addresses *v, struct addresses *six, struct addresses *four)
{
	for (size_t i = 0; i < ADDRESS_MAX; i++) {
		const struct addresses *both[] = { six, four };

		for (size_t k = 0; k < 2; k++)
			if (i < both[k]->n && v->n < ADDRESS_MAX) {
				struct address *to = vec_add(v);

				*to = both[k]->p[i];
			}
	}
	v->canonical = four->canonical != NULL ? four->canonical : six->canonical;
	if (v->canonical == four->canonical)
		four->canonical = NULL;
	else
		six->canonical = NULL;
}

int
dns_addresses(struct addresses *v, const char *host, int family,
    int64_t deadline, struct err *e)
{
	struct addresses four = {0}, six = {0};
	struct err bad4 = {0}, bad6 = {0};
	struct address a;
	bool secure = true;

	if (read_literal(&a, host))
		return use_literal(v, &a, host, family, e);
	if (family != AF_INET6 &&
	    ask_family(&four, host, ns_t_a, deadline, &bad4) == 0)
		secure = four.secure;
	if (family != AF_INET && bad4.fault != FAULT_CONFIG &&
	    ask_family(&six, host, ns_t_aaaa, deadline, &bad6) == 0)
		secure = secure && six.secure;
	interleave(v, &six, &four);
	addresses_free(&six);
	addresses_free(&four);
	v->secure = secure && v->n > 0;
	if (v->n > 0)
		return 0;
	addresses_free(v);
	/* one that may come yet outranks one that will not */
	if (bad4.fault != FAULT_NONE && bad4.fault != FAULT_NOHOST)
		*e = bad4;
	else if (bad6.fault != FAULT_NONE)
		*e = bad6;
	else
		err_set(e, FAULT_NOHOST, "%s: has no address", host);
	return -1;
}

int
dns_tlsa(struct tlsas *v, const char *host, const char *port, int64_t deadline,
    struct err *e)
{
	struct buf name = {0}, answer = {0};
	int r;

	buf_addf(&name, "_%s._tcp.%s", port, host);
	r = dns_ask(&answer, buf_str(&name), ns_t_tlsa, deadline, e);
	if (r == 0)
		r = dns_tlsa_parse(v, bytes(&answer), answer.n, buf_str(&name),
		    e);
	else if (e->fault == FAULT_NOHOST) {	/* too long to exist */
		err_clear(e);
		r = 0;
	}
	buf_free(&answer);
	buf_free(&name);
	return r;
}
