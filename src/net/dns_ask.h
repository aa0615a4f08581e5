/*
 * One question to the name servers of /etc/resolv.conf or $TIDEGATE_NAMESERVER.
 *
 * libresolv reads the configuration and writes the question, but does not carry
 * it: over TCP it waits without a limit, and no signal gets through meanwhile.
 */
#ifndef NET_DNS_ASK_H
#define NET_DNS_ASK_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Puts the answer's bytes in `answer` (emptied first): the first that says
 * something about the name, or, when all servers have failed, what the last of
 * them said (SERVFAIL, REFUSED).  Its question is ours, it is not truncated, and
 * its AD bit is only there when it can be trusted.
 *
 * 0; -1: 75 no answer in time or interrupted, 68 a name that cannot be asked for,
 * 78 $TIDEGATE_NAMESERVER is no address.  With NEVER it is resolv.conf's
 * `timeout` and `attempts` that count.
 */
int dns_ask(struct buf *answer, const char *name, int type, int64_t deadline,
    struct err *);

#endif
