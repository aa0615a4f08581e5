/* One connection of a batch, and the messages that are on their way over it. */
#ifndef SESSION_LANE_H
#define SESSION_LANE_H

#include "session/batch.h"

struct lane {
	struct batch *batch;
	struct dest *dest;
	struct session session;
	VEC(struct job *) jobs;	/* under way, in order, from `head` */
	size_t head;
	struct window window;
	bool used_up;		/* the server takes no more on this one */
	bool fruitful;		/* some message had an answer */
	bool leaving;		/* QUIT was said */
	bool gone;		/* to be freed */
};

/* A new one, connecting; gone at once when no server can be had. */
struct lane *lane_new(struct batch *, struct dest *);

/* Gives it what it can take, of the pending jobs for its destination. */
void lane_fill(struct lane *);

/* Reads, writes, tells what was answered; after a loss it is `gone`. */
void lane_move(struct lane *);

bool lane_idle(const struct lane *);

/* Would it take a job now, or soon? */
bool lane_takes(const struct lane *);

void lane_quit(struct lane *);

/* Is it open, with nothing under way?  Then its session can be given away. */
bool lane_rests(const struct lane *);
void lane_give(struct lane *, struct session *to);

/* Ends it: what is under way is deferred for this reason. */
void lane_abandon(struct lane *, const char *why);

void lane_free(struct lane *);

/* The next pending job for this destination, taken out; NULL. */
struct job *batch_take(struct batch *, struct dest *);

/* The job goes back to the front. */
void batch_again(struct batch *, struct job *);

#endif
