#include "../tap.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spool/spool.h"

static char dir[4096];

static const char *
path(const char *name)
{
	static char s[4][5000];
	static int i;

	i = (i + 1) % 4;
	snprintf(s[i], sizeof s[i], "%s/%s", dir, name);
	return s[i];
}

static void
write_file(const char *name, const char *text)
{
	FILE *f = fopen(path(name), "w");

	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
		exit(1);
}

static const char *
text_of(const char *name)
{
	static char s[4096];
	FILE *f = fopen(path(name), "r");
	size_t n;

	if (f == NULL)
		return NULL;
	n = fread(s, 1, sizeof s - 1, f);
	s[n] = '\0';
	fclose(f);
	return s;
}

static bool
is_there(const char *name)
{
	struct stat st;

	return lstat(path(name), &st) == 0;
}

#define HEAD "Return-Path: <s@x.test>\n"
#define ANN "Delivered-To: ann@a.test\n"
#define BOB "Delivered-To:\n bob@b.test\n"
#define BODY "Subject: x\n\nhello\n"

static const struct result delivered = { .fate = FATE_DELIVERED };
static const struct result deferred = { .fate = FATE_DEFERRED };
static const struct result failed = { .fate = FATE_FAILED };

/* Claims NAME, wherever it is; the queue is opened anew as by another program. */
struct held {
	struct spool s;
	struct message m;
	struct claimed *c;
	struct entry at;
	struct err e;
};

static int
hold(struct held *h, const char *name)
{
	char spec[5000];
	int r;

	*h = (struct held){0};
	snprintf(spec, sizeof spec, "maildir:%s", dir);
	if (spool_open(&h->s, spec, &h->e) < 0)
		return -2;
	r = h->s.kind->find(&h->s, name, &h->at, &h->e);
	if (r != 1)
		return r == 0 ? CLAIM_GONE : -1;
	return (int)h->s.kind->claim(&h->s, &h->at, &h->m, &h->c, &h->e);
}

static int
let_go(struct held *h)
{
	int r = h->c != NULL ? h->s.kind->done(h->c, &h->m, &h->e) : 0;

	message_free(&h->m);
	buf_free(&h->at.ref);
	spool_close(&h->s);
	return r;
}

static int
settle(struct held *h, size_t i, const struct result *r)
{
	return h->s.kind->settle(h->c, &h->m, i, r, &h->e);
}

static void
test_partly(void)
{
	struct held h, other;

	write_file("new/1", HEAD ANN BOB BODY);
	ok(hold(&h, "1") == CLAIM_OURS, "claimed");
	is(h.m.ref, path("tidegate.claimed/1"), "it lies there now");
	ok(is_there("tidegate.claimed/1") && !is_there("new/1"), "and not where it was");
	ok(h.m.env.rcpts.n == 2, "two recipients");
	ok(hold(&other, "1") == CLAIM_BUSY, "busy for others");
	let_go(&other);
	ok(settle(&h, 0, &delivered) == 0 && h.m.env.rcpts.p[0].done, "one is delivered");
	is(text_of("tidegate.claimed/.1.done"), "ann@a.test\n", "that is recorded");
	ok(settle(&h, 1, &deferred) == 0 && !h.m.env.rcpts.p[1].done, "one is deferred");
	ok(let_go(&h) == 0, "given back");
	is(text_of("new/1"), HEAD BOB BODY, "without the one that is done");
	ok(!is_there("tidegate.claimed"), "nothing is left over");
}

static void
test_all(void)
{
	struct held h;

	ok(hold(&h, "1") == CLAIM_OURS, "claimed again");
	ok(settle(&h, 0, &failed) == 0 && !h.m.env.rcpts.p[0].done, "failed: kept");
	ok(let_go(&h) == 0 && is_there("new/1"), "given back as it was");
	ok(hold(&h, "1") == CLAIM_OURS, "and again");
	ok(settle(&h, 0, &delivered) == 0, "delivered");
	ok(!is_there("tidegate.claimed/1"), "the last one: it is gone");
	ok(let_go(&h) == 0, "ended");
	ok(!is_there("new/1") && !is_there("tidegate.claimed"), "nothing is left");
	ok(hold(&h, "1") == CLAIM_GONE, "gone for everybody");
	let_go(&h);
}

static void
test_meanwhile(void)
{
	struct held h;
	struct stat before, after;

	write_file("new/2", HEAD ANN BOB BODY);
	rename(path("new/2"), path("cur/2:2,S"));
	ok(chmod(path("cur/2:2,S"), 0640) == 0 &&
	    stat(path("cur/2:2,S"), &before) == 0, "a message in cur");
	ok(hold(&h, "2") == CLAIM_OURS, "claimed by its ID");
	ok(settle(&h, 1, &delivered) == 0 && let_go(&h) == 0, "given back");
	ok(stat(path("cur/2:2,S"), &after) == 0 && after.st_mode == before.st_mode &&
	    after.st_mtim.tv_sec == before.st_mtim.tv_sec &&
	    after.st_mtim.tv_nsec == before.st_mtim.tv_nsec,
	    "to cur, with its flags, mode and time");
	is(text_of("cur/2:2,S"), HEAD ANN BODY, "narrowed");
	ok(hold(&h, "2") == CLAIM_OURS, "claimed");
	unlink(h.m.ref);
	ok(settle(&h, 0, &delivered) == CLAIM_GONE, "somebody removed it: gone");
	ok(let_go(&h) == 0 && !is_there("tidegate.claimed"), "ended");
	write_file("new/3", HEAD ANN BODY);
	ok(hold(&h, "3") == CLAIM_OURS, "claimed");
	write_file("new/3", "another\n");
	ok(let_go(&h) == -1, "its place is taken");
	is(text_of("new/3"), "another\n", "nothing is overwritten");
	is(text_of("tidegate.claimed/3"), HEAD ANN BODY, "nothing is lost");
	unlink(path("new/3"));
	ok(hold(&h, "3") == CLAIM_OURS, "it can be claimed where it lies");
	ok(settle(&h, 0, &delivered) == 0 && let_go(&h) == 0, "and delivered");
}

/* Its own walk does not meet again what this process had in its hands. */
static void
test_walk(void)
{
	struct held h;
	struct entry at = {0};
	struct walk *w;
	int n = 0, again = 0;

	for (int i = 0; i < 300; i++) {
		char name[32];

		snprintf(name, sizeof name, "new/w%d", i);
		write_file(name, HEAD ANN BOB BODY);
	}
	ok(hold(&h, "w0") == CLAIM_OURS, "claimed");
	w = h.s.kind->walk(&h.s, STATES_SHOWN, &h.e);
	while (h.s.kind->next(w, &at, &h.e) == 1) {
		struct message m = {0};
		struct claimed *c;

		n++;
		again += h.s.kind->claim(&h.s, &at, &m, &c, &h.e) != CLAIM_OURS;
		h.s.kind->settle(c, &m, n % 2, n % 3 ? &delivered : &deferred, &h.e);
		h.s.kind->done(c, &m, &h.e);
		message_free(&m);
	}
	h.s.kind->walk_end(w);
	buf_free(&at.ref);
	ok(n == 299 && again == 0, "each once, and not what is held: %d", n);
	let_go(&h);
	for (int i = 0; i < 300; i++) {
		char name[32];

		snprintf(name, sizeof name, "new/w%d", i);
		n -= unlink(path(name)) == 0;
	}
	ok(n == -1, "all are back");
}

/* Other runs that end remove the directory of claims when it is empty: at once. */
static int crowd;

int
unlink(const char *name)
{
	int r = unlinkat(AT_FDCWD, name, 0);

	if (crowd > 0 && rmdir(path("tidegate.claimed")) == 0)
		crowd--;
	return r;
}

int
mkdir(const char *name, mode_t mode)
{
	int r = mkdirat(AT_FDCWD, name, mode);

	if (crowd > 0 && rmdir(path("tidegate.claimed")) == 0)
		crowd--;
	return r;
}

static void
test_crowd(void)
{
	struct held h;

	write_file("new/5", HEAD ANN BODY);
	crowd = 3;
	ok(hold(&h, "5") == CLAIM_OURS && crowd == 0,
	    "claimed, though the directory went three times: %s", h.e.text);
	crowd = 1;
	ok(settle(&h, 0, &delivered) == 0 && crowd == 0,
	    "done, though it went with the last one: %s", h.e.text);
	ok(let_go(&h) == 0 && !is_there("new/5") && !is_there("tidegate.claimed"),
	    "nothing is left");
}

/* A process that ends after `steps` of its work, as by kill -9. */
static void
crash(int steps)
{
	struct held h;

	if (fork() == 0) {
		if (hold(&h, "c") == CLAIM_OURS && steps > 0)
			settle(&h, 0, &delivered);
		_exit(0);
	}
	wait(NULL);
}

static void
test_crashes(void)
{
	struct held h;

	for (int steps = 0; steps < 2; steps++) {
		write_file("new/c", HEAD ANN BOB BODY);
		crash(steps);
		ok(is_there("tidegate.claimed/c"), "a crash leaves it there");
		ok(hold(&h, "c") == CLAIM_OURS, "the next one has it");
		ok(h.m.env.rcpts.n == 2 && h.m.env.rcpts.p[0].done == (steps > 0) &&
		    !h.m.env.rcpts.p[1].done, "and knows who is done");
		ok(let_go(&h) == 0, "given back");
		is(text_of("new/c"), steps ? HEAD BOB BODY : HEAD ANN BOB BODY,
		    "with those that wait");
	}
	crash(1);
	ok(hold(&h, "c") == CLAIM_GONE && !is_there("tidegate.claimed/c"),
	    "a crash after the last one is settled leaves nothing");
	let_go(&h);
	write_file("tidegate.claimed/.c.done", "ann@a.test\nbob@b.test\n");
	write_file("tidegate.claimed/c", HEAD ANN BOB BODY);
	ok(hold(&h, "c") == CLAIM_OURS && h.m.state == STATE_DONE, "all done");
	ok(let_go(&h) == 0 && !is_there("new/c") && !is_there("tidegate.claimed"),
	    "then it goes");
	mkdir(path("tidegate.claimed"), 0700);
	write_file("tidegate.claimed/.c.done", "ann@a.test\n");
	write_file("tidegate.claimed/.c.new", "half\n");
	write_file("new/c", HEAD ANN BODY);
	ok(hold(&h, "c") == CLAIM_OURS && !h.m.env.rcpts.p[0].done,
	    "another message of that name is not done");
	ok(let_go(&h) == 0 && !is_there("tidegate.claimed"), "nothing left over");
	unlink(path("new/c"));
}

static void
test_refs(void)
{
	static const struct { const char *ref; int yes; } refs[] = {
		{ "/new/x", 1 }, { "/cur/x:2,S", 1 }, { "/tidegate.claimed/x", 1 },
		{ "/tmp/x", 0 }, { "/new/.x", 0 }, { "/new/", 0 }, { "/new", 0 },
		{ "/new/../new/x", 0 }, { "//new/x", 0 }, { "/./new/x", 0 },
		{ "/new/x/y", 0 }, { "/cur/x:2,ST", 0 },
	};
	struct buf where = {0};
	char ref[5000];

	for (size_t i = 0; i < sizeof refs / sizeof *refs; i++) {
		snprintf(ref, sizeof ref, "%s%s", dir, refs[i].ref);
		buf_clear(&where);
		ok(spool_maildir.owns(ref, &where) == refs[i].yes, "%s", refs[i].ref);
		if (refs[i].yes)
			is(buf_str(&where), dir, "its queue");
	}
	ok(!spool_maildir.owns("new/x", &where), "not absolute");
	buf_free(&where);
}

int
main(void)
{
	const char *tmp = getenv("TMPDIR");
	char real[4096];

	snprintf(real, sizeof real, "%s/tidegate.XXXXXX", tmp ? tmp : "/tmp");
	if (mkdtemp(real) == NULL || realpath(real, dir) == NULL)
		return 1;
	mkdir(path("new"), 0700);
	mkdir(path("cur"), 0700);
	test_partly();
	test_all();
	test_meanwhile();
	test_walk();
	test_crowd();
	test_crashes();
	test_refs();
	rmdir(path("new"));
	rmdir(path("cur"));
	ok(rmdir(dir) == 0, "nothing was left behind");
	return done_testing();
}
