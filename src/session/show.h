/* The dialogue on stderr, for -v: swaks's marks, each line with its time. */
#ifndef SESSION_SHOW_H
#define SESSION_SHOW_H

#include "session/session.h"

/* The commands that wait in `out` and were not shown yet; secrets are masked. */
void show_out(struct session *);

/* What was added to `out` since is not to be shown. */
void show_hide(struct session *);

void show_heard(struct session *, struct span);

/* A line of ours, with this mark (`=== `, `*** `, ` -> `). */
void show_line(struct session *, const char *mark, const char *, ...)
    __attribute__((format(printf, 3, 4)));

#endif
