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

/* A kind whose queue lies in the same place on every host. */
struct usual {
	const char *name;	/* of the MTA, for people */
	const char *dir;
	const char *has;	/* what has to be in it, in words */
	bool (*shape)(const char *dir);
	bool (*named)(const char *dir);	/* of one that was named, if less will do */
};

/* kind->open and kind->discover of such a kind. */
int shelf_open(struct spool *, const struct usual *, struct err *);
int shelf_discover(struct spools *, const struct spool_kind *, const struct usual *);

/*
 * The spool that a ref lies in: 1 and `dir`, when it could be in one of them and the
 * spool has this shape (NULL: any).
 */
int shelf_owns(const struct shelf *, shelf_level *const *levels,
    bool (*shape)(const char *dir), const char *ref, struct buf *dir);

/* Up to 20 digits and nothing else? */
bool shelf_number(const char *name);

/* ref, times and identity of a file that was opened; its state from the entry. */
void shelf_start(struct message *, const struct entry *, const struct stat *);

#endif
