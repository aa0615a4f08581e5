/*
 * What went wrong in the world, in words and as an exit status.
 *
 * A bug is an assert; no memory is must(); a peer's 4xx or 5xx is a reply, not
 * an error.  Everything else is a struct err, all zero when there is none.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

/* The values are the exit statuses (sysexits). */
enum fault {
	FAULT_NONE = 0,
	FAULT_USAGE = 64,	/* bad command line */
	FAULT_DATA = 65,	/* the message or a record cannot be used */
	FAULT_NOUSER = 67,	/* refused for good: recipient */
	FAULT_NOHOST = 68,	/* refused for good: no such domain, null MX */
	FAULT_UNAVAILABLE = 69,	/* refused for good, or not offered */
	FAULT_BUG = 70,
	FAULT_OS = 71,
	FAULT_IO = 74,		/* a local file could not be read or written */
	FAULT_TEMP = 75,	/* try again later */
	FAULT_PROTO = 76,	/* the peer broke the protocol; try again later */
	FAULT_PERM = 77,	/* not allowed */
	FAULT_CONFIG = 78,
};

struct err {
	enum fault fault;
	char text[640];		/* a longer one is cut */
};

/*
 * Both return -1.  The message names the thing and the reason, in that order.
 * err_sys() adds errno's words and takes the fault from errno: 77 where access
 * was denied, 75 for what may pass (network, memory, descriptors), else 74.
 */
int err_set(struct err *, enum fault, const char *, ...)
    __attribute__((format(printf, 3, 4)));
int err_sys(struct err *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts "what: " in front of the text; returns -1. */
int err_in(struct err *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

void err_clear(struct err *);

/* Prints `tool: text` on stderr, made printable, unless there is no error. */
void err_print(const struct err *, const char *tool);

/* err_print(), then the exit status. */
int err_exit(const struct err *, const char *tool);

/* A warning on stderr: `tool: text`, made printable. */
void warn(const char *tool, const char *, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The status of many outcomes: 75 and 76 outrank everything, otherwise the
 * first that is not 0 stays.
 */
int status_worse(int so_far, int next);

/* Returns p; without memory the program ends with 75. */
void *must(void *p);

#endif
