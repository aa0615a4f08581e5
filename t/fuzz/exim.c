/*
 * An Exim message: -H, -J and its log, parted by octets 0xff.
 */
#include "spool.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const sub[] = { "input", "msglog", NULL };
	static const char *const names[] = { "input/%s-H", "input/%s-J", "msglog/%s" };
	static const char id[] = "1xVWxK-0002qv-01";
	static struct spool s = { .kind = &spool_exim };
	char path[128], below[64];
	const uint8_t *end;

	if (s.dir == NULL) {
		s.dir = must(strdup(fuzz_dir(sub)));
		snprintf(path, sizeof path, "%s/input/%s-D", s.dir, id);
		fuzz_file(path, 0600, (const uint8_t *)"1xVWxK-0002qv-01-D\nhi\n", 22);
	}
	for (int i = 0; i < 3; i++) {
		end = n > 0 ? memchr(p, 0xff, n) : NULL;
		if (end == NULL || i == 2)
			end = p + n;
		snprintf(below, sizeof below, names[i], id);
		snprintf(path, sizeof path, "%s/%s", s.dir, below);
		fuzz_file(path, 0600, p, (size_t)(end - p));
		n -= (size_t)(end - p);
		p = end;
		if (n > 0) {
			p++;
			n--;
		}
	}
	snprintf(path, sizeof path, "%s/input/%s-H", s.dir, id);
	fuzz_read(&s, path, STATE_UNTOLD);
	return 0;
}
