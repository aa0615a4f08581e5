#include "net/range.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/vec.h"

#define MAPPED_BITS 96		/* ::ffff:0:0/96 */

struct in6_addr
range_of_ipv4(const struct in_addr *four)
{
	struct in6_addr six = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	memcpy(&six.s6_addr[12], four, 4);
	return six;
}

static bool
read_address(const char *text, struct range *r)
{
	struct in_addr four;

	r->bits = 128;
	if (inet_pton(AF_INET, text, &four) == 1) {
		r->at = range_of_ipv4(&four);
		return true;
	}
	return inet_pton(AF_INET6, text, &r->at) == 1;
}

static bool
read_range(const char *text, struct range *r)
{
	struct span s = span_of(text);
	size_t slash = span_find(s, '/');
	char *address = span_dup((struct span){ s.p, slash });
	bool four = strchr(address, ':') == NULL;
	bool good = read_address(address, r);
	long long bits;

	free(address);
	if (!good || slash == s.n)
		return good;
	if (!span_number(span_from(s, slash + 1), &bits) ||
	    bits > (four ? 32 : 128))
		return false;
	r->bits = (int)bits + (four ? MAPPED_BITS : 0);
	return true;
}

int
range_parse(struct ranges *v, const char *what, const char *text,
    struct err *e)
{
	struct range r;

	if (!read_range(text, &r))
		return err_set(e, FAULT_USAGE, "%s: `%.300s' is neither an "
		    "address nor address/bits", what, text);
	*vec_add(v) = r;
	return 0;
}

void
range_add(struct ranges *v, const struct sockaddr_storage *a)
{
	struct range *r = vec_add(v);

	r->bits = 128;
	if (a->ss_family == AF_INET)
		r->at = range_of_ipv4(
		    &((const struct sockaddr_in *)a)->sin_addr);
	else
		r->at = ((const struct sockaddr_in6 *)a)->sin6_addr;
}

static bool
is_in(const struct range *r, const struct in6_addr *a)
{
	size_t whole = (size_t)r->bits / 8;
	int rest = r->bits % 8;

	if (memcmp(&r->at, a, whole) != 0)
		return false;
	return rest == 0 ||
	    ((r->at.s6_addr[whole] ^ a->s6_addr[whole]) >> (8 - rest)) == 0;
}

bool
range_has(const struct ranges *v, const struct in6_addr *a)
{
	for (size_t i = 0; i < v->n; i++)
		if (is_in(&v->p[i], a))
			return true;
	return false;
}

void
range_text(struct buf *b, const struct in6_addr *a)
{
	char text[INET6_ADDRSTRLEN];
	bool four = IN6_IS_ADDR_V4MAPPED(a);

	buf_adds(b, inet_ntop(four ? AF_INET : AF_INET6,
	    four ? (const void *)&a->s6_addr[12] : a, text, sizeof text));
}

void
range_site(struct buf *b, const struct in6_addr *a)
{
	struct in6_addr site = *a;

	if (IN6_IS_ADDR_V4MAPPED(a)) {
		range_text(b, a);
		return;
	}
	memset(&site.s6_addr[8], 0, 8);
	range_text(b, &site);
	buf_adds(b, "/64");
}

bool
range_is_loopback(const void *address)
{
	const struct sockaddr *any = address;
	const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
	const struct in_addr *four = &((const struct sockaddr_in *)address)->sin_addr;

	if (any->sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(six) ||
		    (IN6_IS_ADDR_V4MAPPED(six) && six->s6_addr[12] == 127);
	return any->sa_family == AF_INET && ntohl(four->s_addr) >> 24 == 127;
}
