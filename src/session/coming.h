/*
 * What comes in a session of session/receive.h and has no fate yet; when it has one, that
 * is told and counted.
 */
#ifndef SESSION_COMING_H
#define SESSION_COMING_H

#include "session/receive.h"

/* A recipient of a transaction. */
struct coming_rcpt {
	char *address;
	unsigned token;
	bool refused;
};

/* A transaction without a fate. */
struct coming {
	unsigned transaction;
	unsigned token;		/* of its end; 0: not there yet */
	unsigned mail;		/* of its beginning, until that is answered */
	int refused;		/* that was, with this; 0 */
	char *status, *why;
	int64_t octets;
	VEC(struct coming_rcpt) rcpts;
};

/* ABOUT_MAIL, ABOUT_RCPT; the session's. */
void coming_begin(struct receive *, const struct question *);
void coming_rcpt(struct receive *, const struct question *);

/* NULL: it is none of these. */
struct coming *coming_of(struct receive *, unsigned transaction);

/* What was asked with this token is answered. */
void coming_decided(struct receive *, unsigned token, int code, const char *status,
    const char *text);

/* The engine has refused this one, or, NULL, one that has not begun, or a recipient. */
void coming_refused(struct receive *, const struct coming *, struct question *);

/* It comes to nothing; NULL is none. */
void coming_forget(struct receive *, struct coming *);

/* No more is said about those whose sender was refused. */
void coming_settle(struct receive *);

void coming_free(struct receive *);

#endif
