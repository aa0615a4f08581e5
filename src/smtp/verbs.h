/* What the engine's own files share: a verb is a row in client.c's table. */
#ifndef SMTP_VERBS_H
#define SMTP_VERBS_H

#include "smtp/client.h"

typedef void answered_fn(struct client *, const struct asked *,
    const struct reply *);

/* hello.c: before there is mail */
answered_fn on_greeting, on_ehlo, on_helo, on_starttls, on_auth;

/* transaction.c */
answered_fn on_rset, on_mail, on_rcpt, on_data, on_text, on_bdat;

void client_ask(struct client *, enum verb, struct letter *, size_t rcpt);

/* Says what goes alone; WANT_BYTES until its reply has come. */
void client_command(struct client *, enum verb);

/* Somebody's transaction is in a state nobody can vouch for: it ends here. */
void client_broken(struct client *, struct letter *, const char *why);

/* Everything that can be ended is: what was asked is answered. */
void client_idle(struct client *);

/* The next unsaid command of a transaction would be for nobody: passed over. */
void client_skip_useless(struct client *);

/* Appends a transaction's command to `out`. */
void client_say_mail(struct client *, const struct asked *);

#endif
