#include "spool/spool.h"

static int
qmail_open(struct spool *s, struct err *e)
{
	return err_set(e, FAULT_UNAVAILABLE, "--spool: %s queues are not there yet",
	    s->kind->name);
}

const struct spool_kind spool_qmail = {
	.name = "qmail",
	.open = qmail_open,
};
