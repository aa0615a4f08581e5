#include "spool/spool.h"

static int
opensmtpd_open(struct spool *s, struct err *e)
{
	return err_set(e, FAULT_UNAVAILABLE, "--spool: %s queues are not there yet",
	    s->kind->name);
}

const struct spool_kind spool_opensmtpd = {
	.name = "opensmtpd",
	.open = opensmtpd_open,
};
