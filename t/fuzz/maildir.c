/* A message in a Maildir: its envelope is in the lines in front. */
#include "spool.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const sub[] = { "new", "cur", "tmp", NULL };
	static char file[128];
	static struct spool s;
	char spec[128];
	struct err e = {0};

	if (s.dir == NULL) {
		snprintf(spec, sizeof spec, "maildir:%s", fuzz_dir(sub));
		must_hold(spool_open(&s, spec, &e) == 0);
		snprintf(file, sizeof file, "%s/new/1.a.test", s.dir);
	}
	fuzz_file(file, 0600, p, n);
	fuzz_read(&s, file, STATE_DEFERRED);
	return 0;
}
