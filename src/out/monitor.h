/* A tally (BY_QUEUE) for monitoring: a plug-in's line, or Prometheus' text format. */
#ifndef OUT_MONITOR_H
#define OUT_MONITOR_H

#include <stdio.h>

#include "out/tally.h"

/* When to warn: from so many messages on, or when one is so old; -1: never. */
struct threshold {
	int64_t messages;
	int64_t seconds;
};

/* `N[,TIME]`: 0, or -1 with 64. */
int threshold_parse(struct threshold *, const char *what, const char *,
    struct err *);

enum { MONITOR_OK, MONITOR_WARNING, MONITOR_CRITICAL, MONITOR_UNKNOWN };

/*
 * Writes the plug-in's line, and returns its status.  `trouble`: why something could
 * not be looked at; NULL: all was.  Held mail is counted apart: somebody put it there.
 */
int monitor_check(FILE *, struct tally *, const struct threshold *warn,
    const struct threshold *critical, const char *trouble);

/* A queue that was looked at, or could not be. */
struct monitored {
	const char *mta, *spool;
	bool up;
};

void monitor_prometheus(FILE *, struct tally *, const struct monitored *, size_t n,
    double seconds);

/*
 * Puts the text into a file: whoever reads it sees the old one or the new one, whole.
 * 0; -1: 77, 74, 75; the old one is as it was.
 */
int monitor_replace(const char *path, struct span text, struct err *);

#endif
