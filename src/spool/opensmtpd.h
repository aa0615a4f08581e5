/* What the files of the OpenSMTPD kind share; nobody else includes this. */
#ifndef SPOOL_OPENSMTPD_H
#define SPOOL_OPENSMTPD_H

#include "spool/file.h"
#include "spool/spool.h"

#define OSMTPD_QUEUE "/var/spool/smtpd"	/* compiled in; no command prints it */
#define OSMTPD_ID 16			/* hexadecimal digits of an envelope's ID */
#define OSMTPD_MESSAGE 8		/* the first of them: the message's */

/* opensmtpd_read.c */
int osmtpd_read(struct spool *, const struct entry *, unsigned what,
    struct message *, struct err *);
int osmtpd_body(struct spool *, const char *ref, struct body *, struct err *);

/* opensmtpd_why.c */
int osmtpd_outlook(struct spool *, const struct message *, struct outlook *,
    struct err *);

#endif
