/*
 * Where a password comes from.  Never from an argument or the environment.
 */
#ifndef NET_SECRET_H
#define NET_SECRET_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct secret_from {
	const char *file;	/* its first line; NULL */
	const char *const *command;	/* words; first line of its stdout; NULL */
	const char *user;	/* looked for in netrc; asked for */
	const char *host;	/* netrc's machine; NULL: only `default` */
	int64_t deadline;	/* for the command */
};

/*
 * The secret, to be wiped with buf_wipe(): from file, else command, else
 * $CREDENTIALS_DIRECTORY/tidegate.password (systemd.exec(5)), else netrc ($NETRC
 * or ~/.netrc), else asked for on /dev/tty without echo.  At most 8192 octets.
 *
 * -1: 78 a file that others can read or write (pipes may; below
 * $CREDENTIALS_DIRECTORY the group may; netrc only if it has what we want), is
 * empty or (netrc) cannot be understood; 78 a NUL in it; 78 nothing names one and
 * there is no terminal; 74, 77 unreadable; the command failed (75), is not there
 * (78), or cannot be run (71, 77); 75 a signal came while it was asked for: whoever handles it has it.
 */
int secret_get(struct buf *, const struct secret_from *, struct err *);

/*
 * Netrc's text: the password of `user` at `host`.  1 found (appended), 0 not there,
 * -1 (78) where it cannot be understood.  A `default` entry serves every host;
 * an entry without login serves every user; the first that fits is it.  The words
 * of an error name a line, nothing of what stands there.
 */
int netrc_find(struct span text, const char *host, const char *user,
    struct buf *password, struct err *);

#endif
