/* A limits file, behind a line that is an address: what counts for it. */
#include "fuzz.h"

#include "wire/domain.h"
#include "wire/limits.h"

/* Each address in it has the limit of its own line. */
static void
own_lines(const struct limits *v)
{
	for (size_t i = 0; i < v->n; i++) {
		struct span key = span_of(v->p[i].key);
		struct span domain = domain_of(key);

		must_hold(v->p[i].size >= 0 && v->p[i].line > 0);
		if (domain.n > 0 && key.n - domain.n > 1)
			must_hold(limits_of(v, v->p[i].key) == v->p[i].size);
	}
}

static bool
has(const struct limits *v, int64_t size)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->p[i].size == size)
			return true;
	return size == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct span in = { (const char *)data, n }, line;
	struct limits v = {0};
	struct err e = {0};
	char *address;

	if (!span_cut(&in, '\n', &line))
		return 0;
	address = span_dup(line);
	if (limits_parse(&v, "limits", in, &e) < 0)
		must_hold(e.fault == FAULT_CONFIG && *e.text != '\0');
	else
		own_lines(&v);
	must_hold(has(&v, limits_of(&v, address)));
	limits_free(&v);
	free(address);
	return 0;
}
