/* A Courier control file, and a text of one line. */
#include "spool.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const sub[] = { "msgs", "msgs/0", "msgq", NULL };
	static struct spool s = { .kind = &spool_courier };
	static char file[128];
	char text[128];

	if (s.dir == NULL) {
		s.dir = must(strdup(fuzz_dir(sub)));
		snprintf(file, sizeof file, "%s/msgs/0/C2501000", s.dir);
		snprintf(text, sizeof text, "%s/msgs/0/D2501000", s.dir);
		fuzz_file(text, 0600, (const uint8_t *)"hi\n", 3);
	}
	fuzz_file(file, 0600, p, n);
	fuzz_read(&s, file, STATE_DEFERRED);
	return 0;
}
