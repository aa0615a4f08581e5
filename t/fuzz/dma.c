/* dma's Q file, and a text of one line. */
#include "spool.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const sub[] = { NULL };
	static struct spool s = { .kind = &spool_dma };
	static char q[128];
	char m[128];

	if (s.dir == NULL) {
		s.dir = must(strdup(fuzz_dir(sub)));
		snprintf(q, sizeof q, "%s/Q294e98.556d247bbff0", s.dir);
		snprintf(m, sizeof m, "%s/M294e98.556d247bbff0", s.dir);
		fuzz_file(m, 0600, (const uint8_t *)"hi\n", 3);
	}
	fuzz_file(q, 0600, p, n);
	fuzz_read(&s, q, STATE_DEFERRED);
	return 0;
}
