/* What the files of session/order share; nobody else includes this. */
#ifndef SESSION_ORDER_JOB_H
#define SESSION_ORDER_JOB_H

#include "base/seen.h"
#include "session/order.h"
#include "session/order_wait.h"
#include "session/undone.h"

struct job {
	struct source *source;
	const struct order_how *how;
	struct released *list;		/* for --wait */
	long long done, chosen;
	struct undone undone;
	int status;
	bool quiet;			/* what is wrong is told another time */
	/* the pass for domains */
	size_t from_node;		/* messages of nodes before it are done */
	long long mixed;		/* so many had other recipients */
	bool *stuck;			/* by spool: its MTA takes no orders */
};

/* Of order.c: tells, and remembers for the exit status. */
void order_trouble(struct job *, struct err *);

/* 1 and a message that is meant in `m`; 0 no more. */
int order_next(struct job *, struct wanted *, struct message *m);

/* Of order_node.c: is the selection nothing but domains? */
bool order_only_nodes(const struct source *);

/* Which of them is the first that the message has a recipient in. */
size_t order_first_node(const struct select *, const struct message *);

/* What the MTA's commands for domains can do in this queue. */
void order_by_node(struct job *, struct spool *);

#endif
