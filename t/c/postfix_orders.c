/* What Postfix's own commands are asked for a queue, copied and live. */
#include "postfix_hand.h"

static void
test_release(void)
{
	struct message m = { .state = STATE_DEFERRED };
	struct buf names = {0};

	err_clear(&err);
	ok(pf_release(&spool, &m, &err) == -1 && err.fault == FAULT_UNAVAILABLE,
	    "a copied queue is not released: %s", err.text);
	ok(pf_release_node(&spool, "there.test", &err) == -1 &&
	    err.fault == FAULT_UNAVAILABLE, "nor a domain of it");
	ok(!pf_covers(&spool, "there.test", &m), "nothing is covered");
	ok(pf_domains(&spool, &names, &err) == -1 && names.n == 0,
	    "it has no domains of its own");
}

/* A program of that name which notes its arguments and ends as told. */
static void
program(const char *name, const char *words, int status)
{
	char path[300], text[800];

	snprintf(path, sizeof path, "%s/bin/%s", dir, name);
	snprintf(text, sizeof text, "#!/bin/sh\necho \"%s $*\" >>'%s/ran'\n"
	    "echo '%s' >&2\nexit %d\n", name, dir, words, status);
	put(path, span_of(text), 0700);
}

/* What was run since the last time. */
static const char *
ran(void)
{
	char path[300];
	const char *s;

	snprintf(path, sizeof path, "%s/ran", dir);
	s = slurp(path);
	unlink(path);
	return s;
}

#define DOWN "postqueue: fatal: Cannot flush mail queue - mail system is down"
#define NOT_CONFIGURED "postqueue: fatal: Flush service is not configured " \
	"for destination \"there.test\""

static void
test_commands(void)
{
	struct message m = { .state = STATE_DEFERRED };
	char path[300], conf[] = "/etc/postfix-x";

	snprintf(path, sizeof path, "%s/bin", dir);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/bin:/usr/bin:/bin", dir);
	setenv("PATH", path, 1);
	spool.live = true;
	spool.conf = conf;
	m.id = span_dup(span_of(ID));

	program("postqueue", "", 0);
	program("postsuper", "", 0);
	ok(pf_release(&spool, &m, &err) == 0, "deferred: released");
	is(ran(), "postqueue -c /etc/postfix-x -i " ID "\n", "by postqueue");
	m.state = STATE_HOLD;
	ok(pf_release(&spool, &m, &err) == 0, "held: released");
	is(ran(), "postsuper -c /etc/postfix-x -H " ID "\n"
	    "postqueue -c /etc/postfix-x -i " ID "\n", "let go first");
	m.state = STATE_ACTIVE;
	ok(pf_release(&spool, &m, &err) == 0 && ran() == NULL,
	    "active: on its way");
	ok(pf_release_node(&spool, "there.test", &err) == 1, "a domain");
	is(ran(), "postqueue -c /etc/postfix-x -s there.test\n", "by its log");
	ok(pf_release_node(&spool, "@there.test", &err) == 0 && ran() == NULL,
	    "with subdomains: message by message");
	program("postqueue", NOT_CONFIGURED, 69);
	ok(pf_release_node(&spool, "there.test", &err) == 0 &&
	    err.fault == FAULT_NONE, "no log of it: message by message");
	program("postqueue", DOWN, 69);
	ok(pf_release_node(&spool, "there.test", &err) == -1 &&
	    err.fault == FAULT_TEMP, "down: %s", err.text);
	m.state = STATE_DEFERRED;
	ok(pf_release(&spool, &m, &err) == -1 && err.fault == FAULT_TEMP,
	    "down: try again later");
	ran();
	free(m.id);
	m.id = span_dup(span_of("ALL"));
	program("postsuper", "", 0);
	ok(pf_remove(&spool, &m, &err) == -1 && err.fault == FAULT_DATA &&
	    pf_hold(&spool, &m, &err) == -1 && pf_unhold(&spool, &m, &err) == -1,
	    "a file called ALL: %s", err.text);
	m.state = STATE_HOLD;
	ok(pf_release(&spool, &m, &err) == -1, "nor is it let go");
	is(ran(), NULL, "postsuper would have taken that for everything");
	err_clear(&err);
	free(m.id);
	spool.conf = NULL;
	spool.live = false;
}

static void
test_covers(void)
{
	struct message m = { .state = STATE_DEFERRED };
	char path[300];

	snprintf(path, sizeof path, "%s/flush", dir);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/flush/my_there_test", dir);
	put(path, SPAN("ZZZ\n" ID "\nAAA\n" ID "\n"), 0600);
	spool.live = true;
	m.id = span_dup(span_of(ID));
	ok(pf_covers(&spool, "My-there.test", &m), "in the log of the domain");
	ok(!pf_covers(&spool, "@my-there.test", &m), "subdomains have their own");
	ok(!pf_covers(&spool, "there.test", &m), "another domain");
	m.state = STATE_HOLD;
	ok(!pf_covers(&spool, "my-there.test", &m), "held: not reached");
	m.state = STATE_DEFERRED;
	put(path, SPAN("AAA\n"), 0600);
	ok(!pf_covers(&spool, "my-there.test", &m), "read again when it changed");
	free(m.id);
	spool.live = false;
}

/* All done, with a report owed or not, in `queue`. */
static int
finished(const char *queue, enum state state, bool owed)
{
	struct to to[] = { { "bob@there.test", 0, "old", 0 } };
	struct message m;
	struct claimed *c;
	char path[300];

	clear();
	make(queue, to, 1, FUTURE);
	if (owed) {
		snprintf(path, sizeof path, "%s/trace/" ID, dir);
		put(path, SPAN("\nrecipient=bob@there.test\n"), 0600);
	}
	claim(queue, state, &m, &c);
	settle(c, &m, 0, FATE_DELIVERED, "2.0.0", "250 ok");
	return finish(c, &m);
}

/* A postsuper that lets go of the one message on hold. */
static void
let_go(void)
{
	char path[300], from[300], text[1200];

	snprintf(path, sizeof path, "%s/bin/postsuper", dir);
	snprintf(from, sizeof from, "%s", at("hold"));
	snprintf(text, sizeof text, "#!/bin/sh\necho \"postsuper $*\" >>'%s/ran'\n"
	    "mv '%s' '%s'\n", dir, from, at("deferred"));
	put(path, span_of(text), 0700);
}

/* The queue is a running Postfix's: it sends the reports that are owed. */
static void
test_live(void)
{
	spool.live = true;
	program("postqueue", "", 0);
	let_go();
	ok(finished("hold", STATE_HOLD, true) == 0 && is_there("deferred"),
	    "a report is owed: left for Postfix");
	is(ran(), "postsuper -H " ID "\npostqueue -i " ID "\n", "which is told");
	ok(finished("deferred", STATE_DEFERRED, false) == 0 &&
	    !is_there("deferred"), "none is owed: removed");
	is(ran(), NULL, "without a command");
	program("postqueue", DOWN, 69);
	ok(finished("deferred", STATE_DEFERRED, true) == 0 &&
	    is_there("deferred"), "Postfix is down and a report is owed: kept");
	ran();
	spool.live = false;
}

static void
put_on_hold(void)
{
	char from[300];

	snprintf(from, sizeof from, "%s", at("deferred"));
	rename(from, at("hold"));
}

/* `postsuper -h' while it is in hand: who was promised a report gets one. */
static void
test_held_meanwhile(void)
{
	struct to to[] = { { "bob@there.test", 0, "old", 0 },
	    { "eve@there.test", 0, "old", 0 } };
	struct result failed = { .fate = FATE_FAILED,
	    .status = (char *)(uintptr_t)"5.1.1", .text = (char *)(uintptr_t)"no" };
	struct message m;
	struct claimed *c;

	spool.live = true;
	clear();
	make("deferred", to, 2, FUTURE);
	claim("deferred", STATE_DEFERRED, &m, &c);
	put_on_hold();
	ok(!pf_reports(c, &m), "held meanwhile: Postfix would not look at its log");
	finish(c, &m);

	clear();
	make("deferred", to, 2, FUTURE);
	claim("deferred", STATE_DEFERRED, &m, &c);
	ok(pf_reports(c, &m), "waiting: Postfix tells the sender");
	put_on_hold();
	ok(pf_fail(c, &m, 0, &failed, &err) == 0, "held after that: marked");
	ok(is_there("bounce"), "... and noted for him, as was said");
	finish(c, &m);
	spool.live = false;
}

int
main(void)
{
	make_queue();
	test_release();
	test_commands();
	test_covers();
	test_live();
	test_held_meanwhile();
	remove_queue();
	return done_testing();
}
