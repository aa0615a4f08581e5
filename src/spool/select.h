/*
 * Which messages and recipients are meant.  -d and -r mean
 * recipients, the rest messages; all must hold.
 */
#ifndef SPOOL_SELECT_H
#define SPOOL_SELECT_H

#include <regex.h>

#include "spool/spool.h"

/* A value that began with `!` excludes. */
struct pattern {
	char *text;		/* a node (normalised) or a glob */
	bool not;
};

struct patterns { struct pattern *p; size_t n, room; };		/* a VEC */

struct select {
	struct patterns nodes, rcpts, froms;
	unsigned states;	/* STATE_BIT()s */
	bool states_given;
	unsigned named;		/* states that --state itself names, without ! */
	regex_t reason;
	bool has_reason, reason_not;
	int64_t older, newer;	/* seconds of age; -1 */
	int64_t larger, smaller;	/* octets; -1 */
	int64_t first;		/* at most so many messages; -1 */
	VEC(char *) ids;	/* IDs and refs; empty: any */
	int64_t now;		/* what age is counted from */
};

/* Empty: everything that is shown by default. */
void select_init(struct select *);
void select_free(struct select *);

/*
 * The states to walk over: more than `states` where only the file itself tells
 * (STATE_DONE lies among the others).
 */
unsigned select_walks(const struct select *);

/* The only domain whose recipients are meant, without subdomains; NULL. */
const char *select_node(const struct select *);

/*
 * For programs that change a queue: held mail and corrupt files are touched
 * only when --state names them; `--state=!active` does not.
 */
void select_touch(struct select *);

/* Could the message at this entry be meant, as far as its name tells? */
bool select_entry(const struct select *, const struct entry *);

/*
 * Is it meant for sure, whatever stands in it?  Only for an entry that is sure to be a
 * message (entry.whole).
 */
bool select_by_name(const struct select *, const struct entry *);

/*
 * Is this message meant?  Sets `selected` of each recipient: pending ones that
 * -d and -r mean.  False when it is not, or no recipient is left while -d or -r
 * was given.  --reason looks at the selected recipients' reasons.
 */
bool select_message(const struct select *, struct message *);

/*
 * Narrows the recipients selected so far to those the record names (REF alone:
 * all).  False when sender or recipients are not what the record says: it is
 * another message, nothing of it is selected.
 */
bool select_record(struct message *, const struct record *);

/* Is a recipient selected? */
bool select_any(const struct message *);

/* Were recipients selected (-d, -r)? */
bool select_narrows(const struct select *);

/* The domains, addresses and IDs that were asked for, ended by NULL; the array is good
   until the next call. */
const char *const *select_words(const struct select *);

/* Is anything selected at all (dequeue asks for --all otherwise)? */
bool select_given(const struct select *);

/* Needs reading beyond the queue file (--reason)? */
unsigned select_reads(const struct select *);

#endif
