/*
 * What became of recipients, told while a batch runs: result lines on stdout, failures
 * in words on stderr.  A reader who lets us wait is waited for, but not for ever; when
 * nobody reads any more the batch is stopped (b->deaf).
 */
#ifndef SESSION_TELLING_H
#define SESSION_TELLING_H

#include "session/batch.h"

struct telling {
	const char *tool;
	struct batch *batch;
	bool lines;		/* results on stdout */
	bool json;
	bool strict;		/* nothing is sent that nobody would hear of */
	bool quiet;		/* refusals are not told */
	char end;		/* of a line: LF or NUL */
	struct buf unsaid;
	struct err unheard;	/* why they could not be written */
};

/* For struct batch: told, rests; the argument is the struct telling. */
void telling_told(void *, const struct result *);
void telling_rests(void *);

/* A trouble line from upstream goes on at once. */
void telling_trouble(struct telling *, int exit, const char *text);

/* What is not written yet, now. */
void telling_flush(struct telling *);

/* The end: flushes stdout.  0; an exit class, said on stderr: it could not be written. */
int telling_end(struct telling *);

#endif
