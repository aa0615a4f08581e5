/* A question to whoever sits at the terminal before mail is thrown away. */
#ifndef SESSION_CONFIRM_H
#define SESSION_CONFIRM_H

#include "base/seen.h"
#include "session/source.h"

enum extent {
	EXTENT_RECIPIENTS,	/* those selected, of each message */
	EXTENT_UNMIXED,		/* messages that wait for nobody else */
	EXTENT_WHOLE		/* messages, with all who wait for them */
};

/*
 * Counts what is selected and asks on stderr, for an answer on stdin, whether to
 * `verb` that, to this extent.  1 yes, or there is nothing; 0 no.  `met` has the
 * files that were counted: what comes meanwhile was not asked about.  What cannot be
 * looked at is left to the second look.
 */
int confirm(struct source *, const char *verb, enum extent, struct seen *met);

#endif
