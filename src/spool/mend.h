/*
 * Texts that are made fit to be sent, piece by piece, in constant memory.  Each
 * is a body that pulls from another one, which it takes over: closing it closes both.
 */
#ifndef SPOOL_MEND_H
#define SPOOL_MEND_H

#include "spool/body.h"

/* Without Bcc and Resent-Bcc fields in its header, and NUL octets there. */
void mend_no_bcc(struct body *, struct body *inner);

/*
 * Within SMTP's limits: a CR or LF that stands alone becomes CRLF, NUL octets go;
 * header lines over 998 octets are folded at white space.  MIME entities whose
 * text has lines over 998 octets, or (with `seven_bit`) octets over 127, are
 * encoded again as quoted-printable, or base64 where they are not text, and
 * their Content-Transfer-Encoding says so; multipart and message entities are
 * walked into, not encoded.  What is within the limits passes unchanged, octet
 * by octet.  Header octets over 127 stay: they need SMTPUTF8 or are refused.
 */
void mend_limits(struct body *, struct body *inner, bool seven_bit);

#endif
