/* What comes in on stdin: a message, or lines as they arrive. */
#ifndef SESSION_STDIN_H
#define SESSION_STDIN_H

#include "spool/body.h"
#include "wire/record.h"

/*
 * The message on stdin: read in place when it can be read twice, otherwise by
 * an unlinked file in $TMPDIR.  0; -1 (74, 77; 75 when the disk
 * is full, `deadline` passed or a signal came).
 */
int stdin_body(struct body *, int64_t deadline, struct err *);

#define LINE_OCTETS_MAX (8 << 20)	/* a longer line ends the reading */

#define LINES_BAD_MAX 20		/* the last bad line that is read */

enum { LINES_EMPTY_HANDED = 2, LINES_BAD = 3 };

struct lines {
	char end;		/* '\n' or '\0' */
	struct buf in;
	size_t used;
	bool eof;
	long long number;	/* of the line that lines_record() gave last */
	int bad;
};

/*
 * The next line: 1 (good until the next call), 0 at the end, LINES_EMPTY_HANDED
 * when lines_fill() has to be called first (it may block), -1.
 *
 * A last line that nothing ended is an error (65): whoever wrote it was cut off
 * in the middle, and a record cut short may mean more recipients than the whole
 * one (a REF alone means all).
 */
int lines_next(struct lines *, struct span *, struct err *);
int lines_fill(struct lines *, struct err *);	/* 1, also when a signal came; -1 */

/*
 * The next line as a record, which the caller frees: 1, 0, LINES_EMPTY_HANDED and
 * -1 as above; LINES_BAD when it is none, with an error (65) that names the line.
 */
int lines_record(struct lines *, struct record *, struct err *);

/*
 * That line means nothing: its number before the error.  With too many of them
 * stdin is something else, which may never end: it is not read on.
 */
void lines_bad(struct lines *, struct err *);

/* Will lines_next() have an answer without lines_fill()? */
bool lines_ready(const struct lines *);

void lines_free(struct lines *);

#endif
