#include "session/turn_half.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "session/note.h"
#include "session/pump.h"
#include "session/splice.h"
#include "smtp/receiver.h"

#define AUTH_MOST 3		/* failures in a session, RFC 4954 section 4 */
#define ANSWER_MS 600000	/* the other half looks into a queue */
#define OUT_ENOUGH 65536	/* octets of replies that the peer does not read */
#define GRACE_MS 2000		/* for the last words */

struct half {
	const struct turn_half *o;
	struct line *line;
	struct receiver engine;
	struct receiver_terms terms;
	struct buf heard;
	struct buf clear, tls;	/* mechanisms in the clear, in TLS */
	struct buf offered;	/* those of now */
	struct buf names;	/* of a verified certificate */
	int failures;
	bool refused;		/* by the other half, which knows why */
	bool looked;		/* at its certificate */
	bool eof;
	int64_t silent;		/* when to stop waiting for the peer */
	int64_t known_by;	/* when to stop waiting for its AUTH */
	struct note turn;	/* NOTE_DRAIN or NOTE_SPLICE: the roles are swapped */
};

/* ---- without rights ---- */

static int
failed(struct err *e, const char *what)
{
	err_sys(e, "%s", what);
	e->fault = FAULT_OS;
	return -1;
}

static int
become(const char *user, struct err *e)
{
	const struct passwd *p = getpwnam(user);

	if (p == NULL)
		return err_set(e, FAULT_CONFIG, "--run-as: there is no user %s",
		    user);
	if (p->pw_uid == 0)
		return err_set(e, FAULT_CONFIG, "--run-as: %s has all rights", user);
	if (setgroups(0, NULL) < 0 || setresgid(p->pw_gid, p->pw_gid, p->pw_gid) < 0
	    || setresuid(p->pw_uid, p->pw_uid, p->pw_uid) < 0)
		return failed(e, "give up rights");
	return 0;
}

int
turn_half_drop(const char *user, struct err *e)
{
	const struct rlimit none = { 0, 0 };

	if (geteuid() == 0 && become(user, e) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    setrlimit(RLIMIT_CORE, &none) < 0 ||
	    setrlimit(RLIMIT_NPROC, &none) < 0)
		return failed(e, "give up rights");
	return 0;
}

/* ---- the other half ---- */

static int
ask(struct half *h, struct note *n, struct note *answer, struct err *e)
{
	int r;

	note_init(answer, NOTE_SAY);
	if (note_send(h->o->other, n, e) < 0)
		return -1;
	r = note_hear(h->o->other, answer, clock_sooner(clock_in(ANSWER_MS),
	    h->o->deadline), e);
	return r > 0 ? 0 : r < 0 ? -1 :
	    err_set(e, FAULT_TEMP, "the other half is gone");
}

static void
log_it(struct half *h, const char *text)
{
	struct err ignored = {0};
	struct note n;

	note_init(&n, NOTE_LOG);
	buf_adds(&n.text, text);
	note_send(h->o->other, &n, &ignored);
	note_free(&n);
}

/* The reply that the other half has decided on. */
static void
say(struct half *h, unsigned token, struct note *a)
{
	receiver_say(&h->engine, token, a->code, *a->status ? a->status : NULL,
	    buf_str(&a->text));
}

/* ---- what is offered ---- */

static void
offer(struct half *h)
{
	struct receiver_terms *t = &h->terms;
	bool secure = h->line->tls != NULL;

	buf_clear(&h->offered);
	if (h->names.n > 0)
		buf_adds(&h->offered, "EXTERNAL ");
	buf_addspan(&h->offered, buf_span(secure ? &h->tls : &h->clear));
	*t = (struct receiver_terms){ .name = h->o->name, .turn = true,
	    .offers = EXT_ENHANCEDSTATUSCODES | EXT_PIPELINING | EXT_ETRN |
	    EXT_ATRN };
	t->mechanisms = buf_str(&h->offered);
	if (h->o->tls != NULL && !secure)
		t->offers |= EXT_STARTTLS;
	if (h->offered.n > 0)
		t->offers |= EXT_AUTH;
}

/* Once the handshake is over. */
static void
look_at_certificate(struct half *h)
{
	struct tls_facts f;
	struct buf b = {0};

	if (h->looked || h->line->tls == NULL || !tls_ready(h->line->tls))
		return;
	h->looked = true;
	tls_facts(h->line->tls, &f);
	buf_addf(&b, "%s %s", f.protocol, f.cipher);
	if (h->o->judge && tls_verified(h->line->tls)) {
		buf_addf(&h->names, "%s", f.names);
		buf_addf(&b, " certificate of %s", f.names);
	}
	log_it(h, buf_str(&b));
	buf_free(&b);
	tls_facts_free(&f);
	offer(h);
	receiver_change(&h->engine, &h->terms);
}

static int
encrypt(struct half *h, struct err *e)
{
	struct tls *t = tls_server(h->o->tls, e);

	return t == NULL ? -1 : line_encrypt(h->line, t, e);
}

/* ---- AUTH ---- */

static int
tell_binding(struct half *h, struct err *e)
{
	struct note n;
	int r;

	note_init(&n, NOTE_BINDING);
	n.encrypted = h->line->tls != NULL;
	if (n.encrypted) {
		tls_exporter(h->line->tls, &n.text);
		tls_unique(h->line->tls, &n.more);
	}
	r = note_send(h->o->other, &n, e);
	note_free(&n);
	return r;
}

static int
on_auth(struct half *h, struct question *q, struct err *e)
{
	struct note n, a;
	int r;

	note_init(&n, q->about == ABOUT_AUTH ? NOTE_AUTH : NOTE_ANSWER);
	n.has_more = q->about == ABOUT_ANSWER || q->has_more;
	if (q->about == ABOUT_AUTH) {
		buf_addspan(&n.text, buf_span(&q->text));
		buf_addspan(&n.more, buf_span(&q->more));
		buf_addspan(&n.extra, buf_span(&h->names));
		if (tell_binding(h, e) < 0) {
			note_free(&n);
			return -1;
		}
	} else {
		buf_addspan(&n.more, buf_span(&q->text));
	}
	r = ask(h, &n, &a, e);
	note_free(&n);
	if (r == 0 && a.what == NOTE_CHALLENGE) {
		receiver_challenge(&h->engine, q->token, buf_span(&a.text));
	} else if (r == 0) {
		say(h, q->token, &a);
		if (a.code == 235)
			h->known_by = NEVER;
		else if (++h->failures >= AUTH_MOST)
			receiver_dismiss(&h->engine, "too many failures");
	}
	note_free(&a);
	return r;
}

static void
gave_up(struct half *h)
{
	struct err ignored = {0};
	struct note n;

	note_init(&n, NOTE_CANCEL);
	note_send(h->o->other, &n, &ignored);
	if (++h->failures >= AUTH_MOST)
		receiver_dismiss(&h->engine, "too many failures");
}

/* RFC 3207 section 4.2: whoever has said it in the clear may have been somebody else. */
static int
forget(struct half *h, struct err *e)
{
	struct note n;

	h->known_by = clock_sooner(h->known_by, clock_in(h->o->login_ms));
	note_init(&n, NOTE_FORGET);
	return note_send(h->o->other, &n, e);
}

/* ---- mail ---- */

/* What was said behind ATRN, and is not heard yet, was said too early. */
static void
hear_more(struct half *h)
{
	struct err ignored = {0};

	if (line_read(h->line, &h->heard, &ignored) > 0)
		receiver_feed(&h->engine, buf_take(&h->heard));
}

static int
on_mail(struct half *h, struct question *q, struct err *e)
{
	enum note_what what = q->about == ABOUT_ETRN ? NOTE_ETRN :
	    q->about == ABOUT_ATRN ? NOTE_ATRN : NOTE_TURN;
	struct note n, a;
	int r;

	if (what == NOTE_TURN && !h->engine.authenticated) {
		receiver_say(&h->engine, q->token, 530, "5.7.0",
		    "authentication required");
		return 0;
	}
	note_init(&n, what);
	buf_addspan(&n.text, buf_span(&q->text));
	r = ask(h, &n, &a, e);
	note_free(&n);
	if (r < 0)
		return -1;
	if (a.what == NOTE_DRAIN || a.what == NOTE_SPLICE)
		hear_more(h);
	say(h, q->token, &a);
	if (a.what == NOTE_DRAIN || a.what == NOTE_SPLICE)
		h->turn = a;	/* used if the engine turns, closed otherwise */
	else
		note_free(&a);
	return 0;
}

static int
on_question(struct half *h, struct question *q, struct err *e)
{
	switch (q->about) {
	case ABOUT_AUTH:
	case ABOUT_ANSWER:
		return on_auth(h, q, e);
	case ABOUT_CANCEL:
		gave_up(h);
		return 0;
	case ABOUT_ETRN:
	case ABOUT_ATRN:
	case ABOUT_TURN:
		return on_mail(h, q, e);
	default:
		return 0;	/* no mail is taken here */
	}
}

/* ---- the line ---- */

static int
write_some(struct half *h, struct err *e)
{
	struct buf *out = &h->engine.out;
	size_t taken = 0, wire = h->line->wire.n;

	if (out->n == 0 && !line_busy(h->line))
		return 0;
	if (line_write(h->line, buf_span(out), (struct span){0}, &taken, e) < 0)
		return -1;
	buf_drop(out, taken);
	return taken > 0 || h->line->wire.n < wire;
}

static bool
may_read(const struct half *h)
{
	return !h->eof && h->engine.want == RECEIVER_BYTES &&
	    !receiver_full(&h->engine) && h->engine.out.n < OUT_ENOUGH;
}

static int
read_some(struct half *h, struct err *e)
{
	int got;

	if (!may_read(h))
		return 0;
	if ((got = line_read(h->line, &h->heard, e)) < 0)
		return -1;
	look_at_certificate(h);
	h->eof = got & IO_EOF;
	receiver_feed(&h->engine, buf_take(&h->heard));
	return got != 0;
}

static bool
all_sent(const struct half *h)
{
	return h->engine.out.n == 0 && !line_busy(h->line);
}

static const char *
late(const struct half *h)
{
	if (interrupt_came())
		return "interrupted";
	if (clock_left(h->o->deadline) == 0 || clock_left(h->known_by) == 0)
		return "it takes too long";
	return clock_left(h->silent) == 0 ? "nothing was said for too long" : NULL;
}

static void
await(const struct half *h)
{
	struct pollfd p[] = {
		{ may_read(h) ? h->line->io.in : -1, POLLIN, 0 },
		{ all_sent(h) ? -1 : h->line->io.out, POLLOUT, 0 },
	};
	int64_t until = clock_sooner(h->silent, h->known_by);

	interrupt_poll(p, 2, clock_left(clock_sooner(until, h->o->deadline)));
}

static void
last_words(struct half *h, const char *why)
{
	struct err ignored = {0};
	int64_t until = clock_in(GRACE_MS);
	struct pollfd p = { h->line->io.out, POLLOUT, 0 };

	receiver_dismiss(&h->engine, why);
	while (!all_sent(h) && clock_left(until) > 0 &&
	    write_some(h, &ignored) >= 0)
		if (!all_sent(h))
			poll(&p, 1, clock_left(until));
}

static int
over(const struct half *h, struct err *e)
{
	if (h->engine.quit || h->refused)
		return 0;
	if (h->failures >= AUTH_MOST)
		return err_set(e, FAULT_PERM, "too many failures to log in");
	return err_set(e, FAULT_PROTO, "what was said broke the protocol");
}

/* What the engine wants once all is sent: 1 go on, 0 the end, -1. */
static int
next(struct half *h, struct err *e)
{
	switch (h->engine.want) {
	case RECEIVER_TLS:
		if (encrypt(h, e) < 0 || forget(h, e) < 0)
			return -1;
		offer(h);
		receiver_encrypted(&h->engine, &h->terms);
		return 1;
	case RECEIVER_OVER:
		return over(h, e);
	case RECEIVER_TURN:
		return 0;
	default:
		return 1;
	}
}

static int
ask_all(struct half *h, struct err *e)
{
	struct question *q;
	int any = 0;

	while ((q = receiver_ask(&h->engine)) != NULL) {
		any = 1;
		if (on_question(h, q, e) < 0)
			return -1;
		h->silent = clock_in(h->o->idle_ms);
	}
	return any;
}

/* As a server: 0 when that is over. */
static int
serve(struct half *h, struct err *e)
{
	const char *why;
	int moved, said, heard, on = 1;

	while (on > 0) {
		if ((moved = ask_all(h, e)) < 0 || (said = write_some(h, e)) < 0 ||
		    (heard = read_some(h, e)) < 0)
			return -1;
		if (said > 0)
			h->silent = clock_in(h->o->idle_ms);
		if (h->engine.want != RECEIVER_BYTES && all_sent(h)) {
			on = next(h, e);
			continue;
		}
		if (moved > 0 || said > 0 || heard > 0)
			continue;
		if (h->eof && all_sent(h))
			return err_set(e, FAULT_TEMP, "closed without QUIT");
		if ((why = late(h)) != NULL) {
			last_words(h, why);
			return err_set(e, FAULT_TEMP, "%s", why);
		}
		await(h);
	}
	return on;
}

/* ---- as a client ---- */

#define FIRST_MS 60000		/* for the MTA's first session */

static int
carry_sessions(struct half *h, struct err *e)
{
	struct splice s = { .name = h->o->name, .domains = buf_span(&h->turn.more),
	    .listener = h->turn.fd, .stop = h->o->other, .first_ms = FIRST_MS,
	    .quiet_ms = h->o->quiet_ms, .near_ms = h->o->idle_ms,
	    .deadline = h->o->deadline };
	struct buf said = {0};
	int r = splice_run(&s, h->line, (struct span){0}, e);

	buf_addf(&said, "%zu messages carried in %zu sessions, %zu refused",
	    s.messages, s.sessions, s.refused);
	log_it(h, buf_str(&said));
	buf_free(&said);
	return r;
}

static int
turn(struct half *h, struct err *e)
{
	struct line near = { .io = { .in = h->turn.fd, .out = h->turn.fd,
	    .child = { 0, -1, -1, -1 } } };
	struct buf said = {0};
	int64_t octets = 0;
	int r;

	if (h->turn.what == NOTE_SPLICE)
		return carry_sessions(h, e);
	h->turn.fd = -1;
	fcntl(near.io.in, F_SETFL, O_NONBLOCK);
	r = pump_run(h->line, &near, 2 * h->o->idle_ms, h->o->deadline, &octets, e);
	line_close(&near);
	buf_addf(&said, "%lld octets sent", (long long)octets);
	log_it(h, buf_str(&said));
	buf_free(&said);
	return r;
}

/* ---- all of it ---- */

static int
hello(struct half *h, struct err *e)
{
	struct note n;
	int r = note_hear(h->o->other, &n, h->o->deadline, e);

	if (r > 0) {
		buf_addspan(&h->clear, buf_span(&n.text));
		buf_addspan(&h->tls, buf_span(&n.more));
	}
	offer(h);
	receiver_start(&h->engine, &h->terms);
	if (r > 0 && n.what != NOTE_HELLO) {
		buf_clear(&h->engine.out);
		receiver_dismiss(&h->engine, "not now");
		h->refused = true;
	}
	note_free(&n);
	return r > 0 ? 0 : r < 0 ? -1 :
	    err_set(e, FAULT_TEMP, "the other half is gone");
}

static int
run(struct half *h, struct err *e)
{
	if (hello(h, e) < 0 || (h->o->wrap && encrypt(h, e) < 0))
		return -1;
	if (serve(h, e) < 0)
		return -1;
	return h->engine.want == RECEIVER_TURN ? turn(h, e) : 0;
}

int
turn_half_run(struct turn_half *o, struct line *line, struct err *e)
{
	struct half h = { .o = o, .line = line };
	int r;

	h.turn.fd = -1;
	h.silent = clock_in(o->idle_ms);
	h.known_by = clock_in(o->login_ms);
	r = run(&h, e);
	receiver_free(&h.engine);
	note_free(&h.turn);
	buf_free(&h.heard);
	buf_free(&h.clear);
	buf_free(&h.tls);
	buf_free(&h.offered);
	buf_free(&h.names);
	line_close(line);
	return r;
}
