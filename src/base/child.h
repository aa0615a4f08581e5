/*
 * Other programs: started without a shell, with a deadline, their output bounded.
 */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	CHILD_IN = 1,		/* a pipe to its stdin; otherwise /dev/null */
	CHILD_OUT = 2,		/* a pipe from its stdout; otherwise ours */
	CHILD_ERR = 4,		/* a pipe from its stderr; otherwise ours */
	CHILD_SOCKET = 8,	/* stdin and stdout are one socket: `in` */
	CHILD_ALONE = 16,	/* goes on without us: a session of its own, what
				   it says goes to /dev/null */
};

struct child {
	pid_t pid;		/* 0: none */
	int in, out, err;	/* our ends, close-on-exec; -1: none */
};

/*
 * Starts argv[0] (looked for on PATH) in a process group of its own, with
 * default signals.  Returns 0, or -1 when it cannot be run: 69 not found, 77
 * not allowed, 71 otherwise.
 */
int child_start(struct child *, const char *const argv[], unsigned pipes,
    struct err *);

/* Waits until it ends; *status as from waitpid().  -1: time is over. */
int child_wait(struct child *, int64_t deadline, int *status);

/* TERM, and KILL for what is still there a second later; closes our ends. */
void child_end(struct child *);

/* The same; once a signal has come, all together get less than half a second. */
void child_end_soon(struct child *);

/*
 * Runs it to its end, `input` on stdin, up to `limit` octets of stdout in `out`
 * and of stderr in `err` (either may be NULL: read and dropped, but counted).
 *
 * Returns its exit status, 128 + n when signal n ended it, or -1: it could not
 * be run, ran past `deadline` or printed more than `limit` (it is ended then).
 * Once a signal came (base/interrupt.h) it has five seconds, for what has to be put back;
 * after one that took longer no other is run.
 */
int child_run(const char *const argv[], struct span input, struct buf *out,
    struct buf *err, size_t limit, int64_t deadline, struct err *);

/* The same; a signal that came ends it at once. */
int child_tell(const char *const argv[], struct span input, struct buf *out,
    struct buf *err, size_t limit, int64_t deadline, struct err *);

/* Likewise, without input. */
int child_ask(const char *const argv[], struct buf *out, struct buf *err,
    size_t limit, int64_t deadline, struct err *);

/* Exit status of a wait status: 128 + n for signal n. */
int child_status(int wait_status);

#endif
