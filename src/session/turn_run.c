/* The programs that turn-server's privileged half runs. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "session/splice.h"
#include "session/turn_parent.h"
#include "wire/record.h"

#define COUNT_MS 120000
#define RELEASE_MS 240000
#define LINE_ENOUGH 65536	/* octets of a result */
#define STATES "--state=incoming,active,deferred"	/* not what is held */

/* ---- a command line ---- */

static void
add(struct words *w, const char *text)
{
	*vec_add(w) = span_dup(span_of(text));
}

static void
add_program(struct words *w, const struct turn_parent *t, const char *name)
{
	struct buf b = {0};

	buf_addf(&b, "%s%s", t->programs, name);
	add(w, buf_str(&b));
	buf_free(&b);
}

static void
add_selection(struct words *w, const struct turn_parent *t,
    const struct domains *d)
{
	for (size_t i = 0; i < d->n; i++) {
		struct buf b = {0};

		buf_addf(&b, "--domain=%s", d->p[i]);
		add(w, buf_str(&b));
		buf_free(&b);
	}
	for (size_t i = 0; t->spools != NULL && t->spools[i] != NULL; i++) {
		struct buf b = {0};

		buf_addf(&b, "--spool=%s", t->spools[i]);
		add(w, buf_str(&b));
		buf_free(&b);
	}
}

/* As exec() wants it; good until the words are freed. */
static const char *const *
argv_of(struct words *w)
{
	*vec_add(w) = NULL;
	w->n--;
	return (const char *const *)w->p;
}

static void
words_free(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->p[i]);
	vec_free(w);
}

/* ---- looking, releasing ---- */

long long
turn_count(const struct turn_parent *t, const struct domains *d, bool takeable,
    struct err *e)
{
	struct words w = {0};
	struct buf out = {0};
	long long n = -1;
	int r;

	add_program(&w, t, "queue-list");
	add(&w, "--count");
	add(&w, takeable ? "--state=incoming,deferred" : STATES);
	add_selection(&w, t, d);
	r = child_ask(argv_of(&w), &out, NULL, LINE_ENOUGH, clock_in(COUNT_MS), e);
	if (r > 0 || (r == 0 && !span_number(span_trim(buf_span(&out)), &n)))
		err_set(e, FAULT_TEMP, "queue-list ended with status %d", r);
	words_free(&w);
	buf_free(&out);
	return r == 0 ? n : -1;
}

int
turn_release(const struct turn_parent *t, const struct domains *d, struct err *e)
{
	struct words w = {0};
	int r;

	add_program(&w, t, "dequeue");
	add_selection(&w, t, d);
	add(&w, "--whole");	/* other recipients go their own way */
	r = child_ask(argv_of(&w), NULL, NULL, LINE_ENOUGH, clock_in(RELEASE_MS), e);
	words_free(&w);
	return r;
}

int
turn_listen(const struct customer *c, struct err *e)
{
	if (!c->spliced)
		return err_set(e, FAULT_CONFIG, "%s has no splice=ADDRESS:PORT",
		    c->user);
	return splice_listen(&c->splice, -1, e);
}

/* ---- draining ---- */

/*
 * dequeue and smtp-send with the end of a socketpair as a further descriptor, which
 * only they inherit.
 */
static int
start_own(struct drain *x, const struct turn_parent *t, const struct domains *d,
    struct err *e)
{
	struct words w = {0};
	struct buf server = {0};
	int p[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p) < 0)
		return err_sys(e, "socketpair");
	buf_addf(&server, "--server=fd:%d", p[1]);
	add_program(&w, t, "dequeue");
	add_selection(&w, t, d);
	add(&w, STATES);
	add(&w, "--always");
	/* what the customer refuses for good goes back, as if the MTA had sent it */
	add(&w, "--bounce-failed");
	add(&w, "--results");
	add(&w, "--");
	add_program(&w, t, "smtp-send");
	add(&w, "--records");
	add(&w, "--tls=none");
	add(&w, buf_str(&server));
	buf_clear(&server);
	buf_addf(&server, "--helo=%s", t->name);
	add(&w, buf_str(&server));
	fcntl(p[1], F_SETFD, 0);
	r = child_start(&x->child, argv_of(&w), CHILD_OUT, e);
	close(p[1]);
	if (r < 0)
		close(p[0]);
	else
		x->fd = p[0];
	words_free(&w);
	buf_free(&server);
	return r;
}

static int
start_other(struct drain *x, const struct turn_parent *t, const struct domains *d,
    struct err *e)
{
	struct words w = {0};
	int r;

	for (size_t i = 0; t->drain_command[i] != NULL; i++)
		add(&w, t->drain_command[i]);
	for (size_t i = 0; i < d->n; i++)
		add(&w, d->p[i]);
	r = child_start(&x->child, argv_of(&w), CHILD_SOCKET, e);
	if (r == 0) {
		x->fd = x->child.in;
		x->child.in = -1;
	}
	words_free(&w);
	return r;
}

int
turn_drain(struct drain *x, const struct turn_parent *t, const struct domains *d,
    struct err *e)
{
	*x = (struct drain){ .fd = -1 };
	return t->drain_command != NULL ? start_other(x, t, d, e) :
	    start_own(x, t, d, e);
}

/* A result's third field. */
static void
count(struct drain *x, struct span line)
{
	struct span field = {0};

	for (int i = 0; i < 3; i++)
		span_cut(&line, '\t', &field);
	x->delivered += span_is(field, "delivered") || span_is(field, "relayed");
	x->deferred += span_is(field, "deferred");
	x->failed += span_is(field, "failed");
}

static void
count_lines(struct drain *x, struct buf *held)
{
	size_t n;

	while ((n = span_find(buf_span(held), '\n')) < held->n) {
		count(x, (struct span){ held->p, n });
		buf_drop(held, n + 1);
	}
	if (held->n > LINE_ENOUGH)
		buf_clear(held);
}

static void
read_results(struct drain *x, int64_t deadline)
{
	struct buf held = {0};
	struct pollfd p = { x->child.out, POLLIN, 0 };
	ssize_t n = 1;

	while (p.fd >= 0 && n > 0 && !interrupt_came() &&
	    clock_left(deadline) != 0) {
		if (interrupt_poll(&p, 1, clock_left(deadline)) <= 0)
			continue;
		n = read(p.fd, buf_room(&held, 4096), 4096);
		if (n > 0)
			held.n += (size_t)n;
		count_lines(x, &held);
	}
	buf_free(&held);
}

int
turn_drained(struct drain *x, int64_t deadline)
{
	int status = 0;

	read_results(x, deadline);
	if (!interrupt_came() && child_wait(&x->child, deadline, &status) == 0) {
		child_end(&x->child);
		return child_status(status);
	}
	child_end_soon(&x->child);
	return FAULT_TEMP;
}
