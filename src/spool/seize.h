/*
 * What taking mail out of queues has in common where a message is a file of its own:
 * our lock on it, the look behind the lock, a mark in it, and its removal, each
 * durable when it returns.
 *
 * The lock is flock(2), exclusive: dma's own, and where an MTA has none it keeps our
 * twins away.  It ends with the process, so none is ever left behind.
 */
#ifndef SPOOL_SEIZE_H
#define SPOOL_SEIZE_H

#include <sys/stat.h>

#include "spool/spool.h"

/*
 * Opens (to read and write) and locks the regular file at `path`, which shall have no
 * more than `names` names, and looks whether it still lies there.  CLAIM_OURS with fd
 * and `st`; else nothing is open.
 */
enum claim seize(const char *path, nlink_t names, int *fd, struct stat *st,
    struct err *);

/* Does this very file lie there? */
bool seize_is_at(int fd, const char *path);

/*
 * Overwrites the octet at `at`, which has to be `was` (65), keeps the file's times and
 * syncs it.  0 or -1.
 */
int seize_mark(int fd, const char *path, off_t at, char was, char now, struct err *);

/* Appends to the file and syncs it; a part of it is taken back.  0 or -1. */
int seize_append(int fd, const char *path, struct span text, struct err *);

/* All of it is written.  0 or -1 (errno). */
int seize_write(int fd, struct span);

/* Writes the octets at..end of `from` (end -1: to its end).  0 or -1 (errno). */
int seize_copy(int from, off_t at, off_t end, int to);

/* Owner (for root), mode and times are the old file's; synced.  0 or -1 (errno). */
int seize_like(int from, int to);

/*
 * Removes it, if it is there, and syncs the directory, which another one may remove
 * meanwhile.  0 or -1.
 */
int seize_remove(const char *path, struct err *);

/*
 * Makes a directory for what is ours for a while, unless it is there; it belongs to whom
 * `like` belongs (for root).  Another one may remove it again at once.  0 or -1.
 */
int seize_make_dir(const char *path, const char *like, struct err *);

/* Syncs the directory that a file lies in.  0 or -1. */
int seize_sync_dir(const char *path, struct err *);

/* rename() that replaces nothing: -1 and EEXIST. */
int seize_move(const char *from, const char *to);

/* Who still waits?  0: all are done. */
size_t seize_pending(const struct message *);

/* Delivered or relayed: nothing is left to do for him. */
bool seize_is_done(const struct result *);

#endif
