/*
 * A Postfix queue file and its defer log.  The first two octets say how long the
 * queue file is, big end first; the rest is the log.
 */
#include "spool.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const sub[] = { "deferred", "defer", "hold", NULL };
	static char file[128], log[128];
	static struct spool s = { .kind = &spool_postfix };
	size_t cut;

	if (s.dir == NULL) {
		s.dir = must(strdup(fuzz_dir(sub)));
		snprintf(file, sizeof file, "%s/deferred/A1B2C3D4", s.dir);
		snprintf(log, sizeof log, "%s/defer/A1B2C3D4", s.dir);
	}
	if (n < 2)
		return 0;
	cut = (size_t)p[0] << 8 | p[1];
	p += 2;
	n -= 2;
	if (cut > n)
		cut = n;
	fuzz_file(file, 0700, p, cut);
	fuzz_file(log, 0600, p + cut, n - cut);
	fuzz_read(&s, file, STATE_DEFERRED);
	return 0;
}
