/* qmail's info and remote files, parted by an octet 0xff. */
#include "spool.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const sub[] = { "mess", "mess/3", "info", "info/3", "local",
	    "remote", "remote/3", "todo", NULL };
	static struct spool s = { .kind = &spool_qmail };
	const uint8_t *end = n > 0 ? memchr(p, 0xff, n) : NULL;
	size_t first = end != NULL ? (size_t)(end - p) : n;
	char path[128];

	s.dir = (char *)(uintptr_t)fuzz_dir(sub);
	snprintf(path, sizeof path, "%s/info/3/26", s.dir);
	fuzz_file(path, 0600, p, first);
	snprintf(path, sizeof path, "%s/remote/3/26", s.dir);
	fuzz_file(path, 0600, p + first, n - first);
	snprintf(path, sizeof path, "%s/mess/3/26", s.dir);
	fuzz_file(path, 0600, (const uint8_t *)"hi\n", 3);
	fuzz_read(&s, path, STATE_UNTOLD);
	return 0;
}
