/* Queues that are a directory or two with a file a message, its name the ID. */
#ifndef SPOOL_FLAT_H
#define SPOOL_FLAT_H

#include "spool/file.h"
#include "spool/spool.h"

struct flat {
	const char *dir;	/* below the spool's; "" is that one */
	enum state state;
};

struct walk;

/*
 * A walk over these directories (ended by one whose dir is NULL; both are
 * borrowed).  `is_name`: is a file of this name one that names a message?
 */
struct walk *flat_walk(struct spool *, const struct flat *, bool (*is_name)(const char *),
    unsigned states);
int flat_next(struct walk *, struct entry *, struct err *);
void flat_walk_end(struct walk *);

/* The file of this name in one of them: 1, 0, -1.  Twice, as files move. */
int flat_find(struct spool *, const struct flat *, const char *name, struct entry *,
    struct err *);

/* The spool that a ref lies in: 1 and `dir`, when its directory is one of them. */
int flat_owns(const struct flat *, bool (*is_name)(const char *), const char *ref,
    struct buf *dir);

/* ref, times and identity of a file that was opened; its state from the entry. */
void flat_start(struct message *, const struct entry *, const struct stat *);

#endif
