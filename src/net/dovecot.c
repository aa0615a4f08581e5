#include "net/dovecot.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/vec.h"

#define ANSWER_MS 60000		/* a refusal is delayed there on purpose */
#define LINE_MOST 16384

struct offer {
	char *name;
	bool plain;		/* shows the password: in TLS only */
};

struct dovecot {
	int fd;
	struct buf in;
	VEC(struct offer) offers;
	unsigned id;		/* of the exchange under way */
};

/* ---- lines ---- */

static int
put(struct dovecot *d, struct buf *line, struct err *e)
{
	struct span s = buf_span(line);

	while (s.n > 0) {
		ssize_t n = send(d->fd, s.p, s.n, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "send");
		s = span_from(s, (size_t)n);
	}
	return 0;
}

static int
hear(struct dovecot *d, int64_t deadline, struct err *e)
{
	struct pollfd p = { d->fd, POLLIN, 0 };
	ssize_t n;

	if (d->in.n > LINE_MOST)
		return err_set(e, FAULT_PROTO, "an endless line");
	if (interrupt_poll(&p, 1, clock_left(deadline)) <= 0)
		return err_set(e, FAULT_TEMP, "no answer");
	n = read(d->fd, buf_room(&d->in, 4096), 4096);
	if (n < 0)
		return err_sys(e, "receive");
	if (n == 0)
		return err_set(e, FAULT_TEMP, "the connection was closed");
	d->in.n += (size_t)n;
	return 0;
}

/* The next line without its end, off `in'. */
static int
get(struct dovecot *d, struct buf *line, struct err *e)
{
	int64_t deadline = clock_in(ANSWER_MS);
	size_t n;

	buf_clear(line);
	while ((n = span_find(buf_span(&d->in), '\n')) == d->in.n)
		if (hear(d, deadline, e) < 0)
			return -1;
	buf_add(line, d->in.p, n);
	buf_drop(&d->in, n + 1);
	return 0;
}

/* ---- the greeting ---- */

static void
add_offer(struct dovecot *d, struct span rest)
{
	struct span name = {0}, word;
	struct offer *o;

	span_cut(&rest, '\t', &name);
	/* the bindings that it would need are not handed on */
	if (name.n == 0 || span_ends(name, "-PLUS") || span_is(name, "EXTERNAL") ||
	    span_is(name, "ANONYMOUS"))
		return;
	o = vec_add(&d->offers);
	o->name = span_dup(name);
	while (span_cut(&rest, '\t', &word))
		o->plain = o->plain || span_is(word, "plaintext");
}

static int
greet(struct dovecot *d, struct err *e)
{
	struct buf line = {0};
	int r;

	buf_addf(&line, "VERSION\t1\t1\nCPID\t%ld\n", (long)getpid());
	r = put(d, &line, e);
	while (r == 0 && (r = get(d, &line, e)) == 0) {
		struct span s = buf_span(&line);

		if (span_is(s, "DONE"))
			break;
		if (span_starts(s, "VERSION\t") && !span_starts(s, "VERSION\t1\t"))
			r = err_set(e, FAULT_PROTO, "it speaks another version");
		else if (span_starts(s, "MECH\t"))
			add_offer(d, span_from(s, strlen("MECH\t")));
	}
	buf_free(&line);
	return r;
}

static int
reach(const char *path, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof a.sun_path)
		return err_set(e, FAULT_CONFIG, "the path is too long");
	memcpy(a.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
		return fd;
	err_sys(e, "connect");
	if (e->fault == FAULT_IO)
		e->fault = FAULT_TEMP;
	if (fd >= 0)
		close(fd);
	return -1;
}

struct dovecot *
dovecot_open(const char *path, struct err *e)
{
	struct dovecot *d = must(calloc(1, sizeof *d));

	if ((d->fd = reach(path, e)) >= 0 && greet(d, e) == 0)
		return d;
	err_in(e, "%s", path);
	dovecot_close(d);
	return NULL;
}

void
dovecot_close(struct dovecot *d)
{
	if (d == NULL)
		return;
	if (d->fd >= 0)
		close(d->fd);
	for (size_t i = 0; i < d->offers.n; i++)
		free(d->offers.p[i].name);
	vec_free(&d->offers);
	buf_wipe(&d->in);
	free(d);
}

/* ---- what it offers ---- */

void
dovecot_list(const struct dovecot *d, bool encrypted, struct buf *b)
{
	size_t start = b->n;

	for (size_t i = 0; i < d->offers.n; i++)
		if (encrypted || !d->offers.p[i].plain)
			buf_addf(b, "%s%s", b->n > start ? " " : "",
			    d->offers.p[i].name);
}

bool
dovecot_offers(const struct dovecot *d, const char *mech, bool encrypted)
{
	for (size_t i = 0; i < d->offers.n; i++)
		if (span_ieq(span_of(mech), span_of(d->offers.p[i].name)))
			return encrypted || !d->offers.p[i].plain;
	return false;
}

/* ---- an exchange ---- */

/* Nothing else may stand in a field: a TAB would begin another one. */
static bool
is_base64(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '='))
			return false;
	}
	return true;
}

static void
take_user(struct span rest, struct buf *user)
{
	struct span word;

	while (span_cut(&rest, '\t', &word))
		if (span_starts(word, "user=") && span_find(word, '\1') == word.n &&
		    span_find(word, '\0') == word.n) {
			buf_clear(user);
			buf_addspan(user, span_from(word, strlen("user=")));
		}
}

static bool
has_word(struct span rest, const char *what)
{
	struct span word;

	while (span_cut(&rest, '\t', &word))
		if (span_is(word, what))
			return true;
	return false;
}

static enum dovecot_outcome
decide(struct span verb, struct span rest, struct buf *challenge, struct buf *user,
    struct err *e)
{
	if (span_is(verb, "CONT")) {
		buf_addspan(challenge, is_base64(rest) ? rest : SPAN(""));
		return DOVECOT_MORE;
	}
	take_user(rest, user);
	if (span_is(verb, "OK"))
		return user->n > 0 ? DOVECOT_YES : DOVECOT_NO;
	if (has_word(rest, "temp")) {
		err_set(e, FAULT_TEMP, "it cannot tell now");
		return DOVECOT_LATER;
	}
	return DOVECOT_NO;
}

/* Lines about anything else are passed over. */
static enum dovecot_outcome
answer(struct dovecot *d, struct buf *challenge, struct buf *user, struct err *e)
{
	struct buf line = {0};
	enum dovecot_outcome r = DOVECOT_LATER;
	bool ours = false;

	while (!ours && get(d, &line, e) == 0) {
		struct span rest = buf_span(&line), verb = {0}, id = {0};
		long long n;

		span_cut(&rest, '\t', &verb);
		span_cut(&rest, '\t', &id);
		ours = (span_is(verb, "OK") || span_is(verb, "CONT") ||
		    span_is(verb, "FAIL")) && span_number(id, &n) && n == d->id;
		if (ours)
			r = decide(verb, rest, challenge, user, e);
	}
	buf_wipe(&line);
	return r;
}

enum dovecot_outcome
dovecot_start(struct dovecot *d, const char *mech, bool encrypted,
    const char *address, bool said, struct span initial, struct buf *challenge,
    struct buf *user, struct err *e)
{
	struct buf line = {0};
	enum dovecot_outcome r = DOVECOT_LATER;

	d->id++;
	if (span_is(initial, "="))
		initial = SPAN("");
	if (!is_base64(initial) || !dovecot_offers(d, mech, encrypted))
		return DOVECOT_NO;
	buf_room(&line, initial.n + 512);
	buf_addf(&line, "AUTH\t%u\t%s\tservice=smtp\tnologin%s", d->id, mech,
	    encrypted ? "\tsecured" : "");
	if (*address != '\0' && strcspn(address, "\t\n") == strlen(address))
		buf_addf(&line, "\trip=%s", address);
	if (said) {
		buf_adds(&line, "\tresp=");
		buf_addspan(&line, initial);
	}
	buf_addc(&line, '\n');
	if (put(d, &line, e) == 0)
		r = answer(d, challenge, user, e);
	buf_wipe(&line);
	return r;
}

enum dovecot_outcome
dovecot_go_on(struct dovecot *d, struct span said, struct buf *challenge,
    struct buf *user, struct err *e)
{
	struct buf line = {0};
	enum dovecot_outcome r = DOVECOT_LATER;

	if (!is_base64(said)) {
		dovecot_cancel(d);
		return DOVECOT_NO;
	}
	buf_room(&line, said.n + 64);
	buf_addf(&line, "CONT\t%u\t", d->id);
	buf_addspan(&line, said);
	buf_addc(&line, '\n');
	if (put(d, &line, e) == 0)
		r = answer(d, challenge, user, e);
	buf_wipe(&line);
	return r;
}

void
dovecot_cancel(struct dovecot *d)
{
	struct buf line = {0};
	struct err ignored = {0};

	buf_addf(&line, "CANCEL\t%u\n", d->id);
	put(d, &line, &ignored);
	buf_free(&line);
}
