/*
 * Files and directories of a queue that another user owns: whoever may write
 * there may also put links, pipes and devices there, and none of these is ever
 * followed, waited for or taken for a message.
 */
#ifndef SPOOL_FILE_H
#define SPOOL_FILE_H

#include <dirent.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "spool/spool.h"

/*
 * Opens a regular file for reading, `st` is fstat's.  1; 0 there is none, or
 * it is none (a symbolic link, a directory, a pipe, a device); -1.
 */
int file_open(const char *path, struct stat *st, int *fd, struct err *);

/* The same of what shall have no second name: -1 (65) when it has. */
int file_open_single(const char *path, struct stat *st, int *fd, struct err *);

/*
 * All of `fd` from its beginning (its offset is not used), added to `text`.  0;
 * -1 unreadable, or longer than `most` (65); the caller names the file.
 */
int file_text(int fd, size_t most, struct buf *text, struct err *);

/* A small file's text: 1, 0 there is none, -1 with its name. */
int file_read(const char *path, size_t most, struct buf *text, struct err *);

/* The same of a configuration file, which may be a link: it is nobody's but root's. */
int file_conf(const char *path, size_t most, struct buf *text, struct err *);

/* Opens a directory.  1; 0 it is gone or none (a link is none); -1. */
int dir_open(const char *path, DIR **, struct err *);

/* Is it there?  What may not be looked at counts as there. */
bool dir_is_there(const char *dir, const char *name);

/* The same one, whatever they are called? */
bool dir_same(const char *, const char *);

/*
 * Where a configured directory is, without links in its path; as it is called where
 * that may not be looked at.  NULL: it is not there.  To be freed.
 */
char *dir_real(const char *);

/* Makes spool->dir absolute, without links in it.  0 or -1. */
int dir_absolute(struct spool *, struct err *);

/* Is it an absolute path without empty, `.` and `..` parts? */
bool path_is_plain(const char *);

bool path_is_link(const char *);

#endif
