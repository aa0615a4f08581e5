#include "spool/spool.h"

static int
sendmail_open(struct spool *s, struct err *e)
{
	return err_set(e, FAULT_UNAVAILABLE, "--spool: %s queues are not there yet",
	    s->kind->name);
}

const struct spool_kind spool_sendmail = {
	.name = "sendmail",
	.open = sendmail_open,
};
