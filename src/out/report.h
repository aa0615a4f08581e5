/*
 * Reports of failure to a sender: RFC 3464 in RFC 6522, or RFC 6533 for mail
 * that needs SMTPUTF8.  Lines end in LF, as `sendmail' reads them, and are
 * shorter than 998 octets but where the original's are not.
 */
#ifndef OUT_REPORT_H
#define OUT_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct report_rcpt {
	const char *address;
	const char *orcpt;	/* `rfc822;ann@x`, decoded; NULL */
	const char *status;	/* x.y.z */
	const char *text;	/* why; `mx.test[192.0.2.1]:25: 550 5.1.1 no` tells
				   whose reply it was, RFC 3464 section 2.3.5 */
};

/* All borrowed. */
struct report {
	const char *host;	/* who reports: our name */
	const char *sender;	/* who gets it; never "" */
	const char *envid;	/* decoded; NULL */
	int64_t now;		/* seconds since the epoch */
	int64_t arrival;	/* likewise; 0 unknown */
	bool smtputf8;
	const struct report_rcpt *rcpts;
	size_t n;
};

/*
 * Appends the whole report about `original`, which may end anywhere; its CRLFs
 * become LFs.  `whole`: it is the message, not its header alone (RFC 3461
 * section 4.3 and 6.2; a long one is better returned without its body).
 */
void report_add(struct buf *, const struct report *, struct span original,
    bool whole);

#endif
