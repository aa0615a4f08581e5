/*
 * Postfix's own programs, and its listing for who may not read the files:
 * `postqueue -j`, an object a line.  It knows no sizes beyond the queue file's,
 * shows recipients of the defer log that are done, and calls the null sender
 * MAILER-DAEMON; the rest is as in the files.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "spool/listing.h"
#include "spool/postfix.h"
#include "spool/program.h"

#define ARGS_MAX 16

/* path [-c conf] args...: 0, or -1: 69, not on this host */
static int
command(const char *argv[ARGS_MAX], struct buf *path, const char *conf,
    const char *name, const char *const args[], struct err *e)
{
	size_t n = 0;

	if (!program_find(name, path))
		return err_set(e, FAULT_UNAVAILABLE,
		    "%s: is not on this host", name);
	argv[n++] = buf_str(path);
	if (conf != NULL) {
		argv[n++] = "-c";
		argv[n++] = conf;
	}
	for (size_t i = 0; args[i] != NULL && n < ARGS_MAX - 1; i++)
		argv[n++] = args[i];
	argv[n] = NULL;
	return 0;
}

int
pf_run(const char *conf, const char *name, const char *const args[],
    struct span input, struct buf *out, struct err *e)
{
	const char *argv[ARGS_MAX];
	size_t n = 0;

	if (conf != NULL) {
		argv[n++] = "-c";
		argv[n++] = conf;
	}
	while (*args != NULL && n < ARGS_MAX - 1)
		argv[n++] = *args++;
	argv[n] = NULL;
	return program_run(name, argv, input, out, e);
}

struct walk {
	struct spool *spool;
	struct listing lines;
};

struct walk *
pf_listing(struct spool *s, struct err *e)
{
	static const char *const args[] = { "-j", NULL };
	const char *argv[ARGS_MAX];
	struct buf path = {0};
	struct walk *w;
	int r;

	if (!s->live) {
		err_set(e, FAULT_PERM, "%s: may not be read, and its MTA, "
		    "which could tell, is not here", s->dir);
		return NULL;
	}
	w = must(calloc(1, sizeof *w));
	w->spool = s;
	r = command(argv, &path, s->conf, "postqueue", args, e);
	if (r == 0)
		r = listing_start(&w->lines, "postqueue", argv, e);
	buf_free(&path);
	if (r == 0)
		return w;
	if (e->fault == FAULT_UNAVAILABLE)
		e->fault = FAULT_IO;
	free(w);
	return NULL;
}

static const char *
string(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

static int64_t
number(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

static void
recipients(struct envelope *v, const json_t *list)
{
	const char *address, *reason;
	struct rcpt *to;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		if ((address = string(one, "address")) == NULL)
			continue;
		reason = string(one, "delay_reason");
		to = envelope_add(v, span_dup(span_of(address)));
		if (reason != NULL)
			to->reason = span_dup(span_of(reason));
	}
}

static bool
fill(struct message *m, const struct spool *s, const json_t *o)
{
	const char *queue = string(o, "queue_name"), *id = string(o, "queue_id");
	const char *sender = string(o, "sender");
	struct buf ref = {0};
	int state = queue != NULL ? state_parse(span_of(queue)) : -1;

	if (state < 0 || id == NULL || !pf_is_id(id) || sender == NULL)
		return false;
	if (strcmp(sender, "MAILER-DAEMON") == 0)
		sender = "";
	buf_addf(&ref, "%s/%s/%s", s->dir, queue, id);
	*m = (struct message){
		.ref = buf_str(&ref), .id = span_dup(span_of(id)),
		.state = (enum state)state, .attempts = -1,
		.arrival = number(o, "arrival_time"),
		.size = number(o, "message_size"),
		.forced_expire = json_is_true(json_object_get(o, "forced_expire")),
	};
	m->env.sender = span_dup(span_of(sender));
	recipients(&m->env, json_object_get(o, "recipients"));
	return true;
}

int
pf_listed(struct walk *w, struct message *m, struct err *e)
{
	struct span line = {0};
	json_t *o;
	bool good;
	int r = listing_line(&w->lines, &line, e);

	if (r <= 0)
		return r;
	o = json_loadb(line.p, line.n, JSON_ALLOW_NUL, NULL);
	good = o != NULL && fill(m, w->spool, o);
	json_decref(o);
	return good ? 1 : err_set(e, FAULT_IO,
	    "postqueue: says what is no message: %.*s",
	    line.n < 80 ? (int)line.n : 80, line.p);
}

void
pf_listing_end(struct walk *w)
{
	listing_end(&w->lines);
	free(w);
}
