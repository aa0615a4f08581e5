/* A Sendmail qf, and a body of one line. */
#include "spool.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const sub[] = { NULL };
	static struct spool s = { .kind = &spool_sendmail };
	static char qf[128];
	char df[128];

	if (s.dir == NULL) {
		s.dir = must(strdup(fuzz_dir(sub)));
		snprintf(qf, sizeof qf, "%s/qf6ANG5xdc022989", s.dir);
		snprintf(df, sizeof df, "%s/df6ANG5xdc022989", s.dir);
		fuzz_file(df, 0600, (const uint8_t *)"hi\n", 3);
	}
	fuzz_file(qf, 0600, p, n);
	fuzz_read(&s, qf, STATE_DEFERRED);
	return 0;
}
