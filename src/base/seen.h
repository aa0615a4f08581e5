/*
 * Files met before, by device, inode and when they were born: what the caller knows of
 * that and no rename changes (0: nothing).  An inode that is free is soon another file's.
 * `within': the octet at which it begins, where many lie in one file; else 0.
 */
#ifndef BASE_SEEN_H
#define BASE_SEEN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct seen {
	void *tree;		/* all zero is an empty one */
};

/* Is this the first time?  It is remembered. */
bool seen_first(struct seen *, dev_t, ino_t, int64_t born, off_t within);

bool seen_has(const struct seen *, dev_t, ino_t, int64_t born, off_t within);

void seen_free(struct seen *);

#endif
