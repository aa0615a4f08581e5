#include "session/route.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/vec.h"
#include "wire/domain.h"

#define OWN_CHECK_MS 30000

/* An error with the enhanced status (RFC 3463) it means; -1. */
static int
refuse(struct err *e, const char *status)
{
	struct err was = *e;

	return err_set(e, was.fault, "%s %s", status, was.text);
}

/* As IPv6, IPv4 mapped, so that both are one thing to compare. */
static bool
as_six(const struct sockaddr *a, struct in6_addr *to)
{
	if (a == NULL)
		return false;
	if (a->sa_family == AF_INET6) {
		*to = ((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
		return true;
	}
	if (a->sa_family != AF_INET)
		return false;
	*to = (struct in6_addr){0};
	to->s6_addr[10] = to->s6_addr[11] = 0xff;
	memcpy(to->s6_addr + 12,
	    &((const struct sockaddr_in *)(const void *)a)->sin_addr, 4);
	return true;
}

static bool
is_loopback(const struct in6_addr *a)
{
	return IN6_IS_ADDR_LOOPBACK(a) ||
	    (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
}

/* `0.0.0.0` and `::` connect to this host. */
static bool
is_unspecified(const struct in6_addr *a)
{
	static const unsigned char none[4];

	return IN6_IS_ADDR_UNSPECIFIED(a) ||
	    (IN6_IS_ADDR_V4MAPPED(a) && memcmp(a->s6_addr + 12, none, 4) == 0);
}

static bool
is_own_address(const struct address *at)
{
	struct in6_addr a, other;
	struct ifaddrs *all, *i;
	bool yes = false;

	if (!as_six((const struct sockaddr *)&at->at, &a))
		return false;
	if (is_unspecified(&a))
		return true;
	if (is_loopback(&a))
		return getenv("TIDEGATE_NAMESERVER") == NULL;
	if (getifaddrs(&all) < 0)
		return false;
	for (i = all; i != NULL && !yes; i = i->ifa_next)
		yes = as_six(i->ifa_addr, &other) &&
		    memcmp(&a, &other, sizeof a) == 0;
	freeifaddrs(all);
	return yes;
}

static bool
is_own_name(const char *host, const char *helo)
{
	char name[HOST_NAME_MAX + 1];

	if (helo != NULL && strcasecmp(host, helo) == 0)
		return true;
	return gethostname(name, sizeof name) == 0 && strcasecmp(host, name) == 0;
}

static bool
leads_to_us(const char *host, int64_t deadline)
{
	struct addresses v = {0};
	struct err e = {0};
	bool yes = false;

	if (dns_addresses(&v, host, AF_UNSPEC, deadline, &e) < 0)
		return false;
	for (size_t i = 0; i < v.n && !yes; i++)
		yes = is_own_address(&v.p[i]);
	addresses_free(&v);
	return yes;
}

static void
cut(struct route *r, int preference)
{
	while (r->n > 0 && r->p[r->n - 1].preference >= preference)
		free(r->p[--r->n].host);
}

/*
 * RFC 5321 section 5.1: whom we find in the list has handed the mail to us because
 * those before are to have it; to go behind would be a circle.  Names cost nothing
 * and come first.
 */
static void
leave_out_ourselves(struct route *r, const char *helo, int64_t deadline)
{
	deadline = clock_sooner(deadline, clock_in(OWN_CHECK_MS));
	for (size_t i = 0; i < r->n; i++)
		if (is_own_name(r->p[i].host, helo))
			cut(r, r->p[i].preference);
	for (size_t i = 0; i < r->n; i++)
		if (leads_to_us(r->p[i].host, deadline))
			cut(r, r->p[i].preference);
}

static bool
is_address(const char *host)
{
	unsigned char a[16];

	return inet_pton(AF_INET, host, a) == 1 ||
	    inet_pton(AF_INET6, host, a) == 1;
}

static void
add(struct route *r, const char *host, int preference, bool secure)
{
	struct hop *hop = vec_add(r);

	hop->host = span_dup(span_of(host));
	hop->preference = preference;
	hop->literal = is_address(host);
	hop->secure = secure && !hop->literal;
}

static int
loop(struct route *r, struct span domain, struct err *e)
{
	route_free(r);
	return err_set(e, FAULT_NOHOST, "5.4.6 %.*s: this host is its mail "
	    "exchanger: a loop", (int)domain.n, domain.p);
}

/* Without brackets and `IPv6:`; the caller knows it is a literal. */
static int
find_literal(struct route *r, struct span domain, const char *helo,
    struct err *e)
{
	struct span inner = { domain.p + 1, domain.n - 2 };
	char *host;

	if (inner.n > 5 && span_ieq((struct span){ inner.p, 5 }, SPAN("IPv6:")))
		inner = span_from(inner, 5);
	host = span_dup(inner);
	add(r, host, 0, false);
	free(host);
	if (helo != NULL && span_ieq(domain, span_of(helo)))
		return loop(r, domain, e);
	/* an address: no question is asked */
	return leads_to_us(r->p[0].host, NEVER) ? loop(r, domain, e) : 0;
}

static int
find_hosts(struct route *r, const char *domain, int64_t deadline,
    struct err *e)
{
	struct mxs v = {0};

	if (dns_mx(&v, domain, deadline, e) < 0) {
		if (e->fault == FAULT_NOHOST)
			return refuse(e, v.null ? "5.1.10" : "5.1.2");
		return e->fault == FAULT_CONFIG ? -1 : refuse(e, "4.4.3");
	}
	for (size_t i = 0; i < v.n; i++)
		add(r, v.p[i].host, v.p[i].preference, v.secure);
	mxs_free(&v);
	return 0;
}

/* A bare address is no domain, although each part could be a label. */
static char *
read_domain(struct span domain, struct err *e)
{
	char *name = domain_ascii("domain", domain, e);

	if (name != NULL && is_address(name)) {
		err_set(e, FAULT_NOHOST, "%s: an address without brackets is no "
		    "domain", name);
		free(name);
		name = NULL;
	}
	if (name == NULL) {
		e->fault = FAULT_NOHOST;
		refuse(e, "5.1.2");
	}
	return name;
}

int
route_find(struct route *r, struct span domain, const char *helo,
    int64_t deadline, struct err *e)
{
	char *name;
	int result;

	if (domain_is_literal(domain))
		return find_literal(r, domain, helo, e);
	if ((name = read_domain(domain, e)) == NULL)
		return -1;
	result = find_hosts(r, name, deadline, e);
	if (result == 0) {
		leave_out_ourselves(r, helo, deadline);
		if (r->n == 0)
			result = loop(r, span_of(name), e);
	}
	free(name);
	return result;
}

struct span
route_why(const struct err *why, char *status)
{
	struct span rest = span_of(why->text), word;
	size_t n = span_find(rest, ' ');
	bool there = n > 4 && n < ROUTE_STATUS_MAX && rest.p[1] == '.';

	word = there ? (struct span){ rest.p, n } : SPAN("4.4.3");
	memcpy(status, word.p, word.n);
	status[word.n] = '\0';
	return there ? span_from(rest, n + 1) : rest;
}

static bool
same_hop(const struct hop *a, const struct hop *b)
{
	return a->literal == b->literal && a->secure == b->secure &&
	    strcasecmp(a->host, b->host) == 0;
}

/* Where the hops end that are as good as hop `i`. */
static size_t
equal_until(const struct route *r, size_t i)
{
	size_t end = i;

	while (end < r->n && r->p[end].preference == r->p[i].preference)
		end++;
	return end;
}

/* How often among the hops from `i` to before `end`? */
static size_t
count(const struct route *r, size_t i, size_t end, const struct hop *hop)
{
	size_t n = 0;

	for (; i < end; i++)
		n += same_hop(&r->p[i], hop);
	return n;
}

bool
route_same(const struct route *a, const struct route *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0, end; i < a->n; i = end) {
		end = equal_until(a, i);
		if (equal_until(b, i) != end)
			return false;
		for (size_t k = i; k < end; k++)
			if (count(a, i, end, &a->p[k]) !=
			    count(b, i, end, &a->p[k]))
				return false;
	}
	return true;
}

void
route_free(struct route *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->p[i].host);
	vec_free(r);
}
