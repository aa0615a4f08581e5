/* Files met before, by device and inode. */
#ifndef BASE_SEEN_H
#define BASE_SEEN_H

#include <stdbool.h>
#include <sys/types.h>

struct seen {
	void *tree;		/* all zero is an empty one */
};

/* Is this the first time?  It is remembered. */
bool seen_first(struct seen *, dev_t, ino_t);

bool seen_has(const struct seen *, dev_t, ino_t);

void seen_free(struct seen *);

#endif
