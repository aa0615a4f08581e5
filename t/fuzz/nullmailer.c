/* A message in nullmailer's queue. */
#include "spool.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const sub[] = { "queue", "failed", "tmp", NULL };
	static struct spool s = { .kind = &spool_nullmailer };
	static char file[128];

	if (s.dir == NULL) {
		s.dir = must(strdup(fuzz_dir(sub)));
		snprintf(file, sizeof file, "%s/queue/1795450564.7259", s.dir);
	}
	fuzz_file(file, 0600, p, n);
	fuzz_read(&s, file, STATE_DEFERRED);
	return 0;
}
