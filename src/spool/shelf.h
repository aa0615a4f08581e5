/*
 * Queues that are a directory or two with a file a message, its name the ID, right in
 * there or some levels further down.
 */
#ifndef SPOOL_SHELF_H
#define SPOOL_SHELF_H

#include "spool/file.h"
#include "spool/spool.h"

#define SHELF_LEVELS 3

struct shelf {
	const char *dir;	/* below the spool's; "" is that one */
	enum state state;
	bool whole;		/* what is there is a complete message (spool.h) */
};

/* Is a name one of those that count at this level? */
typedef bool shelf_level(const char *name);

struct walk;

/*
 * A walk over these directories (ended by one whose dir is NULL).  `levels`, ended by
 * NULL: names of directories to enter, the last those of messages.  All is borrowed.
 */
struct walk *shelf_walk(struct spool *, const struct shelf *, shelf_level *const *levels,
    unsigned states);
int shelf_next(struct walk *, struct entry *, struct err *);
void shelf_walk_end(struct walk *);

/* The file of this name in one of them: 1, 0, -1.  Twice, as files move. */
int shelf_find(struct spool *, const struct shelf *, const char *name,
    struct entry *, struct err *);

/* The spool that a ref lies in: 1 and `dir`, when it could be in one of them. */
int shelf_owns(const struct shelf *, shelf_level *const *levels, const char *ref,
    struct buf *dir);

/* ref, times and identity of a file that was opened; its state from the entry. */
void shelf_start(struct message *, const struct entry *, const struct stat *);

#endif
