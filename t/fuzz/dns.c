/* Answers from a name server; the first octet chooses the question. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/dns.h"
#include "wire/domain.h"

#define NAME "x.test"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(int yes)
{
	if (!yes)
		abort();
}

static void
read_mx(const uint8_t *p, size_t n)
{
	struct mxs v = {0};
	struct err e = {0};
	int r = dns_mx_parse(&v, p, n, NAME, &e);

	check((r == 0) == (v.n > 0) && v.n <= MX_MAX);
	check((r == -1) == (e.fault != FAULT_NONE));
	for (size_t i = 0; i < v.n; i++)
		check(domain_is_name(span_of(v.p[i].host)) &&
		    (i == 0 || v.p[i - 1].preference <= v.p[i].preference));
	mxs_free(&v);
}

static void
read_addresses(const uint8_t *p, size_t n)
{
	struct addresses v = {0};
	struct err e = {0};
	int r = dns_addresses_parse(&v, p, n, NAME, &e);

	check(r == 0 || (v.n == 0 && v.canonical == NULL));
	check(v.n <= ADDRESS_MAX);
	check((r == -1) == (e.fault != FAULT_NONE));
	check(v.canonical == NULL || domain_is_name(span_of(v.canonical)));
	addresses_free(&v);
}

static void
read_tlsa(const uint8_t *p, size_t n)
{
	struct tlsas v = {0};
	struct err e = {0};
	int r = dns_tlsa_parse(&v, p, n, NAME, &e);

	check((r == 0 || v.n == 0) && v.n <= TLSA_MAX);
	check((r == -1) == (e.fault != FAULT_NONE));
	for (size_t i = 0; i < v.n; i++) {
		check(v.p[i].data.n > 0 || v.p[i].usage == TLSA_UNUSABLE);
		buf_free(&v.p[i].data);
	}
	vec_free(&v);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static void (*const questions[])(const uint8_t *, size_t) = {
		read_mx, read_addresses, read_tlsa };

	if (n > 0)
		questions[p[0] % 3](p + 1, n - 1);
	return 0;
}
