/* Who has a file open, where an MTA has no lock that would say so. */
#ifndef SPOOL_HOLDERS_H
#define SPOOL_HOLDERS_H

#include <sys/stat.h>

#include "base/err.h"

/*
 * Does a process of that name (15 letters at most), or a child of one, have this file
 * open?  1, 0 none that can be seen from here (also where there is no /proc); -1 (77)
 * one runs that may not be looked at.
 */
int holders_have(const char *name, const struct stat *file, struct err *);

/* The process of that name that works in this directory; 0: none that can be seen. */
long holders_at(const char *name, const char *dir);

#endif
