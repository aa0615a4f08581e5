/* What the files of turn-server's half with the rights share; nobody else includes this. */
#ifndef SESSION_TURN_PARENT_OWN_H
#define SESSION_TURN_PARENT_OWN_H

#include "session/turn_parent.h"

/*
 * turn_parent.c: `what', and behind it what others wrote, cut and made printable, to the
 * log.
 */
void turn_parent_log(struct turn_parent *, const char *what, struct span more);
void turn_parent_log_err(struct turn_parent *, const char *what, const struct err *);

/* The reply to the note that is dealt with.  0; -1: the other half is gone. */
int turn_parent_say(struct turn_parent *, int code, const char *status,
    const char *text);

/* turn_auth.c: what is to be done for NOTE_BINDING, NOTE_AUTH, NOTE_ANSWER */
void turn_auth_binding(struct turn_parent *, struct note *);
int turn_auth_begin(struct turn_parent *, struct note *);
int turn_auth_go_on(struct turn_parent *, struct note *);

/* The exchange under way comes to nothing. */
void turn_auth_forget(struct turn_parent *);

#endif
