/* What the receiving engine's own files share; nobody else includes this. */
#ifndef SMTP_RECEIVER_OWN_H
#define SMTP_RECEIVER_OWN_H

#include "smtp/receiver.h"

/* receiver.c: replies, in their place behind those that are due already */
void receiver_reply(struct receiver *, int code, const char *status,
    const char *text);

/* A reply that the driver decides on: its question, to be filled in. */
struct question *receiver_question(struct receiver *, enum about);

/* Told, not asked. */
struct question *receiver_tell(struct receiver *, enum about);

/* When everything is answered: this; no command is looked at before. */
void receiver_then(struct receiver *, enum receiver_want);

/* receiver_command.c: one line, without its CRLF */
void receiver_command(struct receiver *, struct span line);

/* Does it have to wait until the driver has decided on the commands before? */
bool receiver_must_wait(const struct receiver *, struct span line);

/* One more of these, and too many: the peer is sent away. */
void receiver_bad(struct receiver *);

/* The transaction comes to nothing. */
void receiver_forget(struct receiver *);

/* receiver_text.c */
void receiver_begin_text(struct receiver *, bool chunk, uint64_t octets, bool last);

/* Takes what it can of the text at the front of `in': how many octets. */
size_t receiver_text(struct receiver *, struct span in);

#endif
