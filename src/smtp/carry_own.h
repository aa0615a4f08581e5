/* What the files of smtp/carry share. */
#ifndef SMTP_CARRY_OWN_H
#define SMTP_CARRY_OWN_H

#include "smtp/carry.h"
#include "wire/arguments.h"

#define CARRIED (EXT_8BITMIME | EXT_CHUNKING | EXT_DSN | EXT_PIPELINING | \
	EXT_ENHANCEDSTATUSCODES | EXT_SIZE | EXT_SMTPUTF8)

/* A reply to near that needs nobody; its text has no CRLF. */
void carry_say(struct carry *, struct carry_near *, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Far owes another; good until the next one. */
struct owed *carry_owe(struct carry *, enum due, struct carry_near *);

/* Far forgets, unless there is nothing to forget. */
void carry_reset(struct carry *);

/* What far still owes this one is for nobody. */
void carry_detach(struct carry *, const struct carry_near *);

/* Lines of a reply, as far gave it, that near may see. */
void carry_write_reply(struct buf *, const struct reply *);

bool carry_offers(const struct carry *, unsigned ext);

/* carry_near.c: the lines of EHLO's reply, or LHLO's. */
void carry_hello(struct carry *, struct carry_near *, unsigned offers);

/* May this sender begin?  An argument of MAIL; false: it was answered. */
bool carry_takes_sender(struct carry *, struct carry_near *, struct span arg,
    struct envelope *, int64_t *size);

/* May this recipient have it?  An argument of RCPT; false: it was answered. */
bool carry_takes(struct carry *, struct carry_near *, struct span arg, struct envelope *);

/* carry_text.c: how much of it was text, which goes on to far or into `chunk' */
size_t carry_take_text(struct carry *, struct carry_near *, struct span);

/* carry_lmtp.c */
void carry_lmtp_hello(struct carry *, struct carry_near *, struct span arg);
void carry_lmtp_mail(struct carry *, struct carry_near *, struct span arg);
void carry_lmtp_rcpt(struct carry *, struct carry_near *, struct span arg);
void carry_lmtp_data(struct carry *, struct carry_near *, struct span arg);
void carry_lmtp_bdat(struct carry *, struct carry_near *, struct span arg);
void carry_lmtp_rset(struct carry *, struct carry_near *, struct span arg);

/* Its sender, recipients and text are forgotten. */
void carry_lmtp_forget(struct carry_near *);

/* One more command to far of him who has the turn; false: none can be said now. */
bool carry_lmtp_speaks(struct carry *, struct carry_near *);

/* Does the text go to far as BDAT, or to nobody, and so through `chunk'? */
bool carry_in_chunks(const struct carry *, const struct carry_near *);

/* There is some text in `chunk'; is it the last? */
void carry_lmtp_text(struct carry *, struct carry_near *, bool last);

/* What far answered to it. */
void carry_lmtp_answered(struct carry *, const struct owed *, const struct reply *);

#endif
