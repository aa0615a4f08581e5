/* netrc: nothing it may hold harms; what is found was there. */
#include <assert.h>
#include <stdint.h>

#include "net/secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const users[] = { "u", NULL };

	for (int i = 0; i < 2; i++) {
		struct buf found = {0};
		struct err e = {0};
		int r = netrc_find((struct span){ (const char *)p, n }, "a",
		    users[i], &found, &e);

		assert(r == 1 || found.n == 0);
		assert((r < 0) == (e.fault == FAULT_CONFIG));
		assert(found.n <= n);
		buf_wipe(&found);
	}
	return 0;
}
