/* An OpenSMTPD envelope, and a text of one line. */
#include "spool.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const sub[] = { "queue", "queue/07", "queue/07/07e48a25",
	    NULL };
	static struct spool s = { .kind = &spool_opensmtpd };
	static char file[128];
	char text[128];

	if (s.dir == NULL) {
		s.dir = must(strdup(fuzz_dir(sub)));
		snprintf(file, sizeof file, "%s/queue/07/07e48a25/07e48a250247f0c8",
		    s.dir);
		snprintf(text, sizeof text, "%s/queue/07/07e48a25/message", s.dir);
		fuzz_file(text, 0600, (const uint8_t *)"hi\n", 3);
	}
	fuzz_file(file, 0600, p, n);
	fuzz_read(&s, file, STATE_DEFERRED);
	return 0;
}
