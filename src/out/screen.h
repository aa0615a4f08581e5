/* Rows on stdout that a person may be looking at. */
#ifndef OUT_SCREEN_H
#define OUT_SCREEN_H

#include "base/buf.h"

/*
 * Appends whole lines as a terminal may see them: as text_printable(), but TAB, LF and
 * NUL stay, and a CR in front of LF goes.
 */
void screen_lines(struct buf *, struct span);

/*
 * Appends them as stdout may see them: a terminal like that, so that what a peer or
 * a message wrote cannot move its cursor; anything else the octets as they are.
 */
void screen_add(struct buf *, struct span);

/* Writes them to stdout like that. */
void screen_put(struct span);

#endif
