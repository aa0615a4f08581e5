/*
 * Making files and their names safe: once for many, where that can be relied on.
 */
#ifndef SESSION_DELIVER_SYNC_H
#define SESSION_DELIVER_SYNC_H

#include <stdbool.h>

/*
 * Does sync_together() make all safe that lies where this directory does, and say so
 * if it could not?
 */
bool sync_is_shared(int dir);

/* Every file there, and every name; 0, -1. */
int sync_together(int dir);

/* The names in it; 0, -1. */
int sync_names(int dir);

/* A directory, made where there is none, and its own name safe then; -1. */
int sync_opendir(int at, const char *name);

#endif
