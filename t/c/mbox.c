/* The journal of an mbox: half a line that cannot be cut off is the last one. */
#include "../tap.h"

#include <fcntl.h>
#include <unistd.h>

#include "spool/mbox.h"

int
main(void)
{
	struct mbox x = { .fd = -1, .dir = -1 };
	struct err e = {0};
	struct stat st;
	char name[] = "/tmp/tidegate.mbox.XXXXXX";

	/* takes nothing, and is not cut off */
	x.journal = open("/dev/full", O_WRONLY | O_APPEND);
	ok(x.journal >= 0 && mbox_journal_add(&x, 0, "a@x.test", &e) < 0, "no room");
	close(x.journal);
	err_clear(&e);
	x.journal = mkstemp(name);
	ok(mbox_journal_add(&x, 0, "b@x.test", &e) < 0 && *e.text != '\0',
	    "nothing is recorded any more, which is told");
	ok(fstat(x.journal, &st) == 0 && st.st_size == 0, "nor is it written");
	ok(x.marks.n == 2, "to us they are done");
	close(x.journal);
	unlink(name);
	mbox_marks_free(&x);
	return done_testing();
}
