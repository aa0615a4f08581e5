/*
 * turn-server's half with the rights: who somebody is, what is his, and the programs that
 * release or send it.  It believes nothing of what the other half says but the octets
 * that came in AUTH, the channel they came over, and, where certificates count, their
 * names: whoever has broken into the other half gets the mail of those whose passwords he
 * knows or overhears, and with certificates that of all customers; he can guess as often
 * as others from where he comes.
 */
#ifndef SESSION_TURN_PARENT_H
#define SESSION_TURN_PARENT_H

#include "base/child.h"
#include "net/dovecot.h"
#include "net/sasl_server.h"
#include "session/customers.h"
#include "session/note.h"
#include "session/rates.h"

struct turn_parent {
	/* set by the caller; borrowed */
	const char *name;	/* ours */
	const struct customers *customers;
	const struct passwords *passwords;	/* NULL: none */
	struct dovecot *dovecot;		/* NULL: none; asked before passwords */
	const char *const *spools;		/* --spool; NULL */
	const char *const *drain_command;	/* words; NULL: dequeue and smtp-send */
	const char *programs;	/* directory with a / behind, where ours are; "" PATH */
	bool splice;
	bool certificates;	/* the other half judges them, and is believed */
	const char *peer;	/* its address, for words */
	const char *source;	/* and for counting */
	struct in6_addr at;
	bool at_known;
	int run;		/* from rates_open() */
	struct rate tries;	/* failed AUTHs of an address */
	struct rate turns;	/* ATRNs of a customer */
	struct rate flushes;	/* ETRNs of a node */
	int64_t deadline;
	int other;
	void (*log)(const char *);

	/* its own */
	const struct customer *customer;	/* who it is; NULL: not known */
	struct sasl_case with;
	struct buf exporter, unique, names;
	struct sasl_server *sasl;
	int attempts, logged;		/* AUTHs; lines for the log */
	bool dovecots;			/* the exchange is his */
	int lock;			/* the customer's; -1 */
	int status;			/* the worst that happened */
};

/* Serves the other half until it goes.  The exit status. */
int turn_parent_run(struct turn_parent *);

/* Tells the other half that it cannot be: the peer gets a 421. */
void turn_parent_refuse(int other);

/* turn_run.c: other programs */

/* Appends `-d NODE' for each and --spool as given; argv is a VEC of strings. */
struct words { char **p; size_t n, room; };

/*
 * How many messages wait for these domains; `takeable': without those that the MTA
 * has in hand.  -1: that could not be seen.
 */
long long turn_count(const struct turn_parent *, const struct domains *, bool takeable,
    struct err *);

/* Has the MTA deliver them now: dequeue's exit status; -1. */
int turn_release(const struct turn_parent *, const struct domains *, struct err *);

/* A drain under way. */
struct drain {
	struct child child;
	int fd;			/* the customer's end; -1 */
	size_t delivered, deferred, failed;
};

/* 0 with fd; -1 71, 69 ... */
int turn_drain(struct drain *, const struct turn_parent *, const struct domains *,
    struct err *);

/* Listens where the MTA delivers this customer's mail.  -1 (75, 78). */
int turn_listen(const struct customer *, struct err *);

/* To its end: the exit status. */
int turn_drained(struct drain *, int64_t deadline);

#endif
