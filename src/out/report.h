/*
 * Reports of failure to a sender: RFC 3464 in RFC 6522, or RFC 6533 for mail
 * that needs SMTPUTF8.  Lines end in LF, as `sendmail' reads them; none is over
 * 998 octets, and there is no CR and no NUL.
 */
#ifndef OUT_REPORT_H
#define OUT_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "wire/envelope.h"

#define REPORT_WHOLE_MAX 50000	/* of a longer message only the header returns */

struct report_rcpt {
	const char *address;
	const char *orcpt;	/* `rfc822;ann@x`, decoded; NULL */
	const char *status;	/* x.y.z */
	const char *text;	/* why; `mx.test[192.0.2.1]:25: 550 5.1.1 no` tells
				   whose reply it was, RFC 3464 section 2.3.5 */
	int64_t last_attempt;	/* seconds since the epoch; 0 unknown */
};

/* All borrowed. */
struct report {
	const char *host;	/* who reports: our name */
	const char *sender;	/* who gets it; never "" */
	const char *envid;	/* decoded; NULL */
	int64_t now;		/* seconds since the epoch */
	int64_t arrival;	/* likewise; 0 unknown */
	bool smtputf8;
	enum ret ret;		/* how much is to return, RFC 3461 section 4.3 */
	const struct report_rcpt *rcpts;
	size_t n;
};

/*
 * Appends the whole report.  `text` is the message with CRLF or LF: all of it, or of
 * one over REPORT_WHOLE_MAX octets any more than that.
 */
void report_add(struct buf *, const struct report *, struct span text);

#endif
