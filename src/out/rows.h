/*
 * Waiting messages as rows on stdout, in the forms of tidegate-records(5) and
 * queue-list(1).  No queue is known here: a row says all.
 */
#ifndef OUT_ROWS_H
#define OUT_ROWS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "out/table.h"
#include "wire/envelope.h"

enum rows_form {
	ROWS_REFS,		/* a ref a line */
	ROWS_IDS,
	ROWS_COUNT,		/* one number at the end */
	ROWS_RECORDS,
	ROWS_JSON,
	ROWS_TABLE,
	ROWS_FORMAT
};

/* Borrowed, all of it.  Of env's recipients the selected ones are meant. */
struct row {
	const char *mta, *spool;	/* kind and directory of the queue */
	const char *state;
	const char *ref, *id;
	const char *note;		/* of the message as a whole; NULL */
	int64_t arrival;		/* seconds since the epoch; -1 unknown */
	int64_t next_attempt;		/* likewise; 0 unknown */
	int64_t last_attempt;		/* likewise */
	int64_t attempts;		/* -1 unknown */
	int64_t size;			/* -1 unknown */
	bool forced_expire;
	const struct envelope *env;
};

struct rows {
	FILE *to;
	enum rows_form form;
	char end;		/* '\n' or '\0' */
	bool tty;		/* `to` is a terminal */
	bool narrowed;		/* recipients were selected: nothing of the others */
	const char *format;	/* of ROWS_FORMAT, from rows_format_check() */
	int64_t now;		/* what age is counted from */
	int64_t n, octets;	/* counted here */
	bool unsized;		/* a size was unknown: the sum is, too */
	struct table table;
	struct buf line;
};

/*
 * Is this a format: %i %s %a %f %r %q %R %p %%, \t \n \\, as in queue-list(1)?
 * 0, or -1 with 64 and what is wrong.
 */
int rows_format_check(const char *, struct err *);

/* `width` of the terminal, 0 when nothing shall be cut. */
void rows_begin(struct rows *, size_t width);

/*
 * Writes one row.  0, or -1: something of it cannot stand in this form and was
 * left out (65: a record of what is no address).
 */
int rows_add(struct rows *, const struct row *, struct err *);

/*
 * The same in two steps, in every form but the table.  rows_text: appends what
 * rows_add() would write, with the same returns; several threads may at once.
 * rows_add_text: writes it.
 */
bool rows_are_text(const struct rows *);
int rows_text(const struct rows *, const struct row *, struct buf *, struct err *);
void rows_add_text(struct rows *, struct span);

/* Can a row be written of which only the ref is known?  Then that does it. */
bool rows_needs_ref_only(const struct rows *);
void rows_add_ref(struct rows *, const char *ref);

/* Is the size of a message shown? */
bool rows_need_size(const struct rows *);

/*
 * The end: counts and totals (not when `status` is one and there was no row:
 * that would read as "none"), and a `!` line in records and refs that no terminal
 * reads, when `status` is not 0.  Frees all.  0, or -1 when something was not written (74).
 */
int rows_end(struct rows *, int status, const char *text, struct err *);

#endif
