/* Whatever a header says: what comes out may stand on the wire. */
#include "fuzz.h"

#include "wire/header.h"
#include "wire/path.h"

static void
fields(struct span rest)
{
	struct span name;
	size_t n, all = rest.n;

	while ((n = header_field(rest, &name)) > 0) {
		must_hold(n <= rest.n && name.n <= n);
		rest = span_from(rest, n);
	}
	must_hold(rest.n == 0 || rest.p[0] == '\n' || rest.p[0] == '\r');
	must_hold(rest.n <= all);
}

static void
mailboxes(const struct words *w, bool once)
{
	for (size_t i = 0; i < w->n; i++) {
		struct span s = span_of(w->p[i]);

		must_hold(path_is_mailbox(s));
		for (size_t k = 0; once && w->n < 200 && k < i; k++)
			must_hold(!path_same(span_of(w->p[k]), s));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct span in = { (const char *)data, n };
	struct words w = {0};
	struct err e = {0};

	if (header_addresses(&w, in, &e) < 0)
		must_hold(e.fault == FAULT_DATA && *e.text != '\0');
	mailboxes(&w, false);
	words_free(&w);
	err_clear(&e);
	if (header_recipients(&w, in, &e) < 0)
		must_hold(e.fault == FAULT_DATA && *e.text != '\0');
	else
		mailboxes(&w, true);
	words_free(&w);
	fields(in);
	return 0;
}
