/* What the kinds of targets share; nobody else includes this. */
#ifndef SESSION_DELIVER_OWN_H
#define SESSION_DELIVER_OWN_H

#include "session/deliver.h"

/* As in deliver.h, each. */
struct deliver_kind {
	void (*take)(struct deliver *, struct question *);
	bool (*full)(const struct deliver *);
	bool (*move)(struct deliver *);
	bool (*settle)(struct deliver *);
	bool (*owes)(const struct deliver *);
	void (*polls)(struct deliver *, struct pollfd p[2], int64_t *deadline);
	void (*close)(struct deliver *);
};

/* The first member of each kind's own. */
struct deliver {
	const struct deliver_kind *kind;
	struct deliver_opts opts;
};

/* Answers, in the target's words; a 5xx may be softened. */
void deliver_say(struct deliver *, unsigned token, int code, const char *status,
    const char *text);

/* The target is not there, or cannot: 4xx, and why is for us alone. */
void deliver_fail(struct deliver *, unsigned token, int code, const char *status,
    const char *why);

struct deliver *deliver_maildir(const struct deliver_opts *, const char *dir,
    struct err *);

/* `server' is taken. */
struct deliver *deliver_smtp(const struct deliver_opts *, struct server *server,
    bool lmtp);

#endif
