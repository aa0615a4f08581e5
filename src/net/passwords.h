/*
 * The file of users and their secrets, a line each:
 *
 *	user:{SCRAM-SHA-256}4096,SALT,STOREDKEY,SERVERKEY	as gsasl --mkpasswd prints it
 *	user:{PLAIN}secret					CRAM-MD5 needs that
 *
 * Empty lines and those that begin with # do not count.
 */
#ifndef NET_PASSWORDS_H
#define NET_PASSWORDS_H

#include "base/buf.h"
#include "base/vec.h"

#define PASSWORDS_ITERATIONS 4096	/* RFC 7677 section 4 */

struct password {
	char *user;
	struct buf secret;	/* {PLAIN}; otherwise empty, and the keys are there: */
	int iterations;
	char *salt, *stored, *server;	/* base64, RFC 5802 section 3 */
};

struct passwords {
	VEC(struct password) all;
	struct buf text;	/* the file */
};

/*
 * 0; -1: 78 others than its owner can read it, a line that cannot be understood (its
 * number is said, nothing of what stands there), a user twice; 74, 77 unreadable.
 */
int passwords_read(struct passwords *, const char *path, struct err *);

/* NULL: nobody has this name. */
const struct password *passwords_find(const struct passwords *, const char *user);

/* Has one of them a secret that CRAM-MD5 can use? */
bool passwords_plain(const struct passwords *);

void passwords_free(struct passwords *);	/* wiped */

#endif
