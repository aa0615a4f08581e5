/*
 * A table for people: columns as wide as their cells, within bounds.
 *
 * The first rows are held back to learn the widths from them; the rest is
 * written as it comes, so memory stays the same for any number of rows.
 */
#ifndef OUT_TABLE_H
#define OUT_TABLE_H

#include <stdio.h>

#include "base/buf.h"
#include "base/vec.h"

#define TABLE_COLUMNS 8

struct column {
	const char *title;
	size_t most;		/* no wider than this */
	bool right;		/* numbers */
	bool whole;		/* never cut, it is needed to the letter */
};

struct table {
	const struct column *columns;
	size_t n;		/* of columns */
	size_t shown;		/* likewise: without the last if it says nothing */
	size_t width;		/* of the terminal: cells are cut; 0: none is */
	size_t wide[TABLE_COLUMNS];
	VEC(char *) held;	/* cells of the rows held back */
	bool flowing;		/* widths are known, the title is written */
};

/* One row of `n` cells, made printable here. */
void table_row(struct table *, const struct span *cells, FILE *);

/*
 * Writes what is still held back, and frees all.  When these are all the rows
 * and their last cells are all `-`, that column is left out.
 */
void table_end(struct table *, FILE *);

/* `812`, `4.1k`, `12M`; `45s`, `12m`, `3h`, `2d`. */
void table_size(struct buf *, long long octets);
void table_age(struct buf *, long long seconds);

#endif
