/*
 * Records and results, the lines programs talk in: tidegate-records(5).
 *
 *	REF TAB SENDER TAB RECIPIENT ...		record
 *	REF TAB RECIPIENT TAB FATE TAB STATUS TAB TEXT	result
 *	! TAB EXIT TAB TEXT				trouble upstream
 *
 * Inside a field a byte below 0x20, 0x7f or a backslash is \xHH.
 */
#ifndef WIRE_RECORD_H
#define WIRE_RECORD_H

#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"

enum fate { FATE_NONE, FATE_DELIVERED, FATE_RELAYED, FATE_DEFERRED, FATE_FAILED };

const char *fate_name(enum fate);

/* Owned strings, decoded; record_free() leaves it empty. */
struct record {
	char *ref;		/* "!" : trouble upstream */
	char *sender;		/* "" null sender; NULL: REF alone */
	VEC(char *) rcpts;	/* empty: whoever is still pending */
	int exit;		/* of trouble */
	char *text;		/* of trouble */
};

struct result {
	char *ref;		/* "!" : trouble upstream, as above */
	char *recipient;	/* "*" : all without one yet */
	enum fate fate;
	char *status;		/* x.y.z */
	char *text;
	int exit;
};

/*
 * Reads one line, without its LF or NUL.  Returns 0, or -1 with 65 and what is
 * wrong with it; the struct is filled only when 0 is returned.
 */
int record_parse(struct record *, struct span line, struct err *);
int result_parse(struct result *, struct span line, struct err *);

/* x.y.z: 2, 4 or 5, and two numbers of up to three digits (RFC 3463 section 2). */
bool result_is_status(struct span);

/*
 * Does a result's text begin with the name of a host, as a Remote-MTA is one, and not
 * with the fd:, unix: or exec: of a peer that has none?
 */
bool result_names_host(struct span text);

void record_free(struct record *);
void result_free(struct result *);

/* Append one line, ending in `end` ('\n' or '\0'). */
void record_add(struct buf *, const struct record *, char end);
void result_add(struct buf *, const struct result *, char end);
void trouble_add(struct buf *, int exit, const char *text, char end);

/* Appends one field, escaped. */
void field_add(struct buf *, struct span);

#endif
