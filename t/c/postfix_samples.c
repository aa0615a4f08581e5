/*
 * Real queues (t/samples/README), read as Postfix read them: every member of
 * expected.jsonl is compared, and the text as it went over the wire.
 */
#include "../tap.h"

#include <fcntl.h>
#include <jansson.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "spool/spool.h"
#include "wire/path.h"
#include "wire/xtext.h"

static char tmp[4096];

static int
run(const char *const argv[], struct buf *out)
{
	struct err e = {0};
	int r = child_run(argv, (struct span){0}, out, NULL, 1 << 20,
	    clock_in(60000), &e);

	err_print(&e, "postfix_samples");
	return r;
}

static const char *
text(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

static bool
number_is(const json_t *o, const char *name, int64_t got)
{
	const json_t *want = json_object_get(o, name);

	return got == (json_is_null(want) ? 0 : json_integer_value(want));
}

/* The expected message of this ID; its line is remembered for the body. */
static json_t *
expected(const char *layout, const char *id)
{
	struct buf path = {0};
	char *line = NULL;
	size_t room = 0;
	json_t *o = NULL;
	FILE *f;

	buf_addf(&path, "%s/postfix/%s/expected.jsonl", tmp, layout);
	f = fopen(buf_str(&path), "r");
	while (f != NULL && o == NULL && getline(&line, &room, f) > 0) {
		o = json_loads(line, 0, NULL);
		if (strcmp(text(o, "queue_id"), id) != 0) {
			json_decref(o);
			o = NULL;
		}
	}
	if (f != NULL)
		fclose(f);
	free(line);
	buf_free(&path);
	return o;
}

/* Takes one string out of a list: a multiset. */
static bool
take(json_t *list, const char *s)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (strcmp(json_string_value(json_array_get(list, i)), s) == 0) {
			json_array_remove(list, i);
			return true;
		}
	}
	return false;
}

static bool
rcpts_are(const struct envelope *v, json_t *pending, json_t *done)
{
	struct buf raw = {0};
	bool good = true;

	for (size_t i = 0; i < v->rcpts.n; i++) {
		const struct rcpt *r = &v->rcpts.p[i];

		buf_clear(&raw);
		path_unquote(&raw, span_of(r->address));
		if (!take(r->done ? done : pending,
		    r->done ? buf_str(&raw) : r->address)) {
			printf("# %s is not expected\n", r->address);
			good = false;
		}
	}
	buf_free(&raw);
	return good && json_array_size(pending) == 0 &&
	    json_array_size(done) == 0;
}

static bool
reasons_are(const struct envelope *v, json_t *reasons)
{
	bool good = true;

	for (size_t i = 0; i < v->rcpts.n; i++) {
		const struct rcpt *r = &v->rcpts.p[i];
		const char *want = r->done ? NULL : text(reasons, r->address);

		if ((want == NULL) != (r->reason == NULL) ||
		    (want != NULL && strcmp(want, r->reason) != 0)) {
			printf("# %s: %s\n", r->address,
			    r->reason ? r->reason : "(no reason)");
			good = false;
		}
		if (r->reason != NULL && (r->status == NULL || *r->status != '4'))
			good = false;
	}
	return good;
}

/* The commands Postfix itself sent later, made from what we read. */
static void
mail_from(struct buf *b, const struct message *m)
{
	const struct envelope *v = &m->env;

	buf_addf(b, "MAIL FROM:<%s> SIZE=%lld", v->sender, (long long)m->size);
	if (v->body == BODY_8BITMIME)
		buf_adds(b, " BODY=8BITMIME");
	if (v->smtputf8)
		buf_adds(b, " SMTPUTF8");
	if (v->envid != NULL) {
		buf_adds(b, " ENVID=");
		xtext_add(b, span_of(v->envid));
	}
	if (v->ret != RET_NONE)
		buf_adds(b, v->ret == RET_FULL ? " RET=FULL" : " RET=HDRS");
}

static void
rcpt_to(struct buf *b, const struct rcpt *r)
{
	static const char *const names[] = {
		"NEVER", "SUCCESS", "FAILURE", "DELAY"
	};
	const char *sep = " NOTIFY=";

	buf_addf(b, "RCPT TO:<%s> ORCPT=rfc822;", r->address);
	if (r->orcpt != NULL && strncmp(r->orcpt, "rfc822;", 7) == 0)
		xtext_add(b, span_of(r->orcpt + 7));
	for (int i = 0; i < 4; i++) {
		if (r->notify & 1u << i) {
			buf_addf(b, "%s%s", sep, names[i]);
			sep = ",";
		}
	}
}

static bool
commands_are(const struct message *m, const json_t *o)
{
	json_t *rcpts = json_object_get(o, "rcpt_to_phase2");
	struct buf b = {0};
	bool good;

	mail_from(&b, m);
	good = strcmp(buf_str(&b), text(o, "mail_from")) == 0;
	if (!good)
		printf("# %s\n", b.p);
	for (size_t i = 0; i < m->env.rcpts.n; i++) {
		if (m->env.rcpts.p[i].done)
			continue;
		buf_clear(&b);
		rcpt_to(&b, &m->env.rcpts.p[i]);
		if (!take(rcpts, buf_str(&b))) {
			printf("# not sent by Postfix: %s\n", b.p);
			good = false;
		}
	}
	buf_free(&b);
	return good && json_array_size(rcpts) == 0;
}

/* The text into $tmp/ID, twice, so that rewind is tried too. */
static bool
write_body(struct spool *s, const struct message *m)
{
	struct buf path = {0};
	struct err e = {0};
	struct body b;
	struct span piece;
	int r, n = 0;
	FILE *f;

	buf_addf(&path, "%s/%s", tmp, m->id);
	f = fopen(buf_str(&path), "w");
	r = s->kind->body(s, m->ref, &b, &e);
	if (r == 1 && b.next(&b, &piece, &e) >= 0 && b.rewind(&b, &e) == 0)
		while ((r = b.next(&b, &piece, &e)) > 0)
			n += fwrite(piece.p, 1, piece.n, f) == piece.n;
	err_print(&e, m->ref);
	body_close(&b);
	fclose(f);
	buf_free(&path);
	return r == 0 && n > 0;
}

static bool
sum_is(const char *id, const char *want)
{
	struct buf path = {0}, out = {0};
	bool good;

	buf_addf(&path, "%s/%s", tmp, id);
	const char *const argv[] = { "sha256sum", buf_str(&path), NULL };

	good = run(argv, &out) == 0 && span_starts(buf_span(&out), want);
	buf_free(&path);
	buf_free(&out);
	return good;
}

/* Postfix puts each recipient into the sender of this one; we do not. */
static bool
is_verp(const json_t *o)
{
	const char *name = text(o, "case");

	return name != NULL && strcmp(name, "verp-style") == 0;
}

static void
compare(struct spool *s, const struct message *m, const json_t *o)
{
	const char *sender = *m->env.sender ? m->env.sender : "MAILER-DAEMON";
	bool maildrop = m->state == STATE_MAILDROP;

	is(state_name(m->state), text(o, "state"), m->id);
	is(sender, text(o, "sender"), "sender");
	ok(number_is(o, "arrival_time", m->arrival), "arrival");
	ok(number_is(o, "tool_size", m->size), "size");
	ok(number_is(o, "next_attempt", m->next_attempt), "next attempt");
	ok(m->forced_expire == json_is_true(json_object_get(o, "forced_expire")),
	    "forced expiry");
	ok(rcpts_are(&m->env, json_object_get(o, "recipients_pending"),
	    json_object_get(o, "recipients_done_raw")), "recipients");
	ok(reasons_are(&m->env, json_object_get(o, "reasons")), "reasons");
	/* these get header fields and an ORCPT when Postfix picks them up */
	if (!maildrop && !is_verp(o))
		ok(commands_are(m, o), "MAIL and RCPT");
	ok(write_body(s, m), "text");
	if (!maildrop)
		ok(sum_is(m->id, text(o, "wire_sha256")), "on the wire");
}

static void
layout(const char *name, size_t want)
{
	struct buf spec = {0};
	struct entry at = {0}, again = {0};
	struct err e = {0};
	struct message m;
	struct spool s;
	struct walk *w;
	size_t n = 0;
	json_t *o;
	int r;

	buf_addf(&spec, "postfix:%s/postfix/%s/spool", tmp, name);
	ok(spool_open(&s, buf_str(&spec), &e) == 0 && !s.live, "%s", name);
	w = s.kind->walk(&s, STATES_SHOWN, &e);
	while ((r = s.kind->next(w, &at, &e)) > 0) {
		n++;
		if (!ok(s.kind->read(&s, &at, READ_REASONS, &m, &e) == 1, "read"))
			continue;
		ok(spool_at(&s, m.ref, &again, &e) == 1 &&
		    strcmp(buf_str(&again.ref), m.ref) == 0, "found by ID");
		if (ok((o = expected(name, m.id)) != NULL, "expected"))
			compare(&s, &m, o);
		json_decref(o);
		message_free(&m);
	}
	ok(r == 0 && n == want, "%zu messages", n);
	err_print(&e, name);
	s.kind->walk_end(w);
	spool_close(&s);
	buf_free(&spec);
	buf_free(&at.ref);
	buf_free(&again.ref);
}

int
main(void)
{
	const char *top = getenv("TMPDIR");
	const char *const unpack[] = { "t/samples/unpack", tmp, "postfix", NULL };
	const char *const clean[] = { "rm", "-rf", tmp, NULL };

	snprintf(tmp, sizeof tmp, "%s/tidegate.XXXXXX", top ? top : "/tmp");
	if (mkdtemp(tmp) == NULL || run(unpack, NULL) != 0)
		return 1;
	layout("default", 40);
	layout("hashed", 20);
	run(clean, NULL);
	return done_testing();
}
