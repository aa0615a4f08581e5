/* Whatever a server says: in bites it means what it means at once. */
#include "fuzz.h"

#include "wire/reply.h"

/* Some of the prefixes of a long one, all of a short one. */
static void
in_bites(struct span in, ssize_t length, const struct reply *whole)
{
	struct reply r = {0};
	struct err e = {0};
	size_t step = in.n / 256 + 1;
	ssize_t got = 0;

	for (size_t n = 0; n < in.n && got == 0; n += step) {
		got = reply_parse(&r, (struct span){ in.p, n }, &e);
		if (got > 0)
			must_hold((size_t)got <= n);
		must_hold(got == 0 || got == length);
	}
	if (got > 0)
		must_hold(r.code == whole->code &&
		    strcmp(r.status, whole->status) == 0 &&
		    span_eq(buf_span(&r.text), buf_span(&whole->text)));
	reply_free(&r);
}

static void
sound(const struct reply *r)
{
	struct buf words = {0};

	must_hold(r->code >= 200 && r->code <= 599);
	must_hold(r->status[0] == '\0' || r->status[0] - '0' == r->code / 100);
	reply_words(&words, r);
	must_hold(words.n >= 3 && words.n <= 512);
	must_hold(memchr(words.p, '\n', words.n) == NULL);
	buf_free(&words);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct span in = { (const char *)data, n };
	struct reply r = {0};
	struct err e = {0};
	ssize_t length;

	do {
		length = reply_parse(&r, in, &e);
		if (length < 0)
			must_hold(e.fault == FAULT_PROTO && *e.text != '\0');
		in_bites(in, length, &r);
		if (length > 0) {
			must_hold((size_t)length <= in.n);
			sound(&r);
			in = span_from(in, (size_t)length);
		}
	} while (length > 0);
	reply_free(&r);
	return 0;
}
