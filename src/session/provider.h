/* What a provider's MTA needs so that mail for customers waits until it is asked for. */
#ifndef SESSION_PROVIDER_H
#define SESSION_PROVIDER_H

#include "session/customers.h"

/* Appends it for `postfix', `exim' or `sendmail'.  0; -1: 64 another. */
int provider_config(struct buf *, const char *mta, const struct customers *,
    struct err *);

#endif
