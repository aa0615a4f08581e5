/* What dequeue left undone: told, be it only by number, and never silently 75. */
#ifndef SESSION_UNDONE_H
#define SESSION_UNDONE_H

#include <stdbool.h>

struct undone {
	long long busy, changed;
	long long mixed;	/* left, also for recipients who are not selected */
	bool shown;		/* ... each in a line of its own, which says not why */
	long long held;		/* left, on hold; each was told by name */
};

bool undone_any(const struct undone *);

/* A line on stderr for each that is not 0, but for what was told by name. */
void undone_tell(const struct undone *, const char *tool);

/* The end of the last line with -v: `, left behind N' or nothing, and LF. */
void undone_end(const struct undone *);

#endif
