/*
 * A walk through the MIME entities of a text, line by line.  Made twice: first to
 * see what each needs, then with that plan to change it.
 */
#ifndef SPOOL_MEND_WALK_H
#define SPOOL_MEND_WALK_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/vec.h"
#include "wire/chunks.h"
#include "wire/mime.h"

/* What lies deeper or further on is left as it is. */
#define WALK_DEPTH_MAX 100
#define WALK_ENTITIES_MAX 10000

enum plan {
	PLAN_KEEP,
	PLAN_QP,		/* to be encoded */
	PLAN_BASE64,
	PLAN_QP_AGAIN,		/* is so encoded, but not within the limits */
	PLAN_BASE64_AGAIN,
	PLAN_7BIT,		/* what is in it was encoded: it says too much */
	PLAN_8BIT,
};

enum sight {
	SIGHT_FIELD,		/* of a header */
	SIGHT_EMPTY,		/* the line that ends one */
	SIGHT_TEXT,		/* of an entity without entities */
	SIGHT_BETWEEN,		/* of no entity */
	SIGHT_BOUNDARY,
};

enum field { FIELD_OTHER, FIELD_VERSION, FIELD_TYPE, FIELD_ENCODING };

struct entity {
	size_t number;
	bool message;		/* a message's, not a part's */
	bool has[FIELD_ENCODING + 1];
	struct mime_content content;
	enum mime_encoding encoding;
	bool eight, longer;	/* its text: octets over 127, lines over 998 */
};

/* A multipart or message that is not over yet. */
struct composite {
	size_t number;
	enum mime_encoding encoding;
	enum mime_type type;
	char boundary[MIME_BOUNDARY_MAX + 1];
	bool closed;		/* its last boundary was met */
	bool changed;		/* something in it is encoded */
	bool eight;		/* something in it stays over 127 */
};

struct walk {
	bool seven_bit;
	bool planned;		/* the second walk: the plan stands */
	bool change;		/* something is to be changed */
	struct buf plan;	/* an octet for each entity */

	enum { IN_HEADER, IN_TEXT, IN_BETWEEN } where;
	struct entity now;
	VEC(struct composite) open;
	size_t entities;
	enum field field;	/* the one under way */
	struct buf value;
	size_t level;		/* whose boundary it is */
	bool close;
};

/* Before the first line; the second time the plan stands. */
void walk_begin(struct walk *, bool planned);

/* What comes next; then walk_on() behind it. */
enum sight walk_look(struct walk *, const struct chunk *);
void walk_on(struct walk *, const struct chunk *, enum sight);

void walk_end(struct walk *);	/* the text is over */

/* What is to become of the entity under way; does it have octets over 127? */
enum plan walk_plan(const struct walk *, bool *eight);

void walk_free(struct walk *);

#endif
