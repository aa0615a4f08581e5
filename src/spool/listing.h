/*
 * An MTA's own listing, line by line, for who may not read its files.
 */
#ifndef SPOOL_LISTING_H
#define SPOOL_LISTING_H

#include "base/child.h"

struct listing {
	struct child child;
	struct buf in, words;
	size_t looked;			/* of in: no line end there */
	const char *name;		/* of the program */
};

/* Starts argv[0]; {0} before.  0 or -1: 74 it is not on this host, or child_start(). */
int listing_start(struct listing *, const char *name, const char *const argv[],
    struct err *);

/*
 * The next line without its end, good until the next call: 1; 0 no more, and the
 * program ended well; -1: it broke off (74), said nothing for a minute (75), or
 * ended otherwise (program_failed()).
 */
int listing_line(struct listing *, struct span *line, struct err *);

/* Ends the program, if it has not; leaves the struct empty. */
void listing_end(struct listing *);

#endif
