/* Whatever a server offers. */
#include "fuzz.h"

#include "wire/ehlo.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct span in = { (const char *)data, n };
	struct reply r = {0};
	struct err e = {0};
	ssize_t length;

	while ((length = reply_parse(&r, in, &e)) > 0) {
		struct ehlo h;

		memset(&h, 0xff, sizeof h);
		ehlo_parse(&h, &r);
		must_hold(h.offers < EXT_STARTTLS << 1);
		must_hold(h.size >= 0);
		must_hold(memchr(h.name, '\0', sizeof h.name) != NULL);
		in = span_from(in, (size_t)length);
	}
	reply_free(&r);
	return 0;
}
