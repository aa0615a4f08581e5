/* An mbox: every message that is found in it is read. */
#include "spool/mbox.h"
#include "spool.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const sub[] = { NULL };
	struct mbox x = { .fd = -1, .dir = -1, .journal = -1 };
	struct spool s = { .kind = &spool_mbox, .own = &x };
	struct entry at = {0};
	struct err e = {0};
	struct walk *w;
	char file[128];
	int tries = 50;

	snprintf(file, sizeof file, "%s/box", fuzz_dir(sub));
	s.dir = file;
	fuzz_file(file, 0600, p, n);
	w = s.kind->walk(&s, STATES_ALL, &e);
	must_hold(w != NULL);
	while (tries-- > 0 && s.kind->next(w, &at, &e) == 1) {
		char *ref = span_dup(buf_span(&at.ref));

		fuzz_read(&s, ref, STATE_DEFERRED);
		free(ref);
	}
	s.kind->walk_end(w);
	buf_free(&at.ref);
	return 0;
}
