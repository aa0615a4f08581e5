/* Taking mail out of a copied Postfix queue: claim, settle, done. */
#include "postfix_hand.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#define PAST 1700000000		/* 2023 */

static long
size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? -1 : (long)st.st_size;
}

static long
mtime_of(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? -1 : (long)st.st_mtim.tv_sec;
}

/* The octets that differ between the two, all of them R there and D here. */
static int
marked(const char *was, const char *is_now, long n)
{
	int count = 0;

	for (long i = 0; i < n; i++)
		if (was[i] != is_now[i])
			count += was[i] == 'R' && is_now[i] == 'D' ? 1 : 1000;
	return count;
}

static char *
copy_of(const char *path)
{
	long n = size_of(path);
	char *p = malloc((size_t)n + 1);

	memcpy(p, slurp(path), (size_t)n);
	return p;
}

static void
test_partly(void)
{
	struct to to[] = {
		{ "bob@there.test", 0, "connect: refused", 0 },
		{ "eve@other.test", 4, "greylisted", 0 },
		{ "joe@there.test", 0, "greylisted", 0 },
	};
	struct message m;
	struct claimed *c;
	struct buf want = {0};
	char *was;
	long n;

	clear();
	make("deferred", to, 3, FUTURE);
	was = copy_of(at("deferred"));
	n = size_of(at("deferred"));
	ok(claim("deferred", STATE_DEFERRED, &m, &c) == CLAIM_OURS, "claimed");
	ok(m.env.rcpts.n == 3 && m.env.rcpts.p[1].offset == to[1].offset,
	    "read anew: %zu recipients", m.env.rcpts.n);
	is(m.env.rcpts.p[0].reason, "connect: refused", "with their reasons");
	ok(!is_there("defer"), "the old reasons are put away first");
	ok(settle(c, &m, 0, FATE_DELIVERED, "2.0.0", "mx: 250 ok") == 0,
	    "the first is delivered");
	ok(marked(was, slurp(at("deferred")), n) == 1, "one octet is changed");
	ok(slurp(at("deferred"))[to[0].offset] == 'D', "its own");
	ok(mtime_of(at("deferred")) == FUTURE, "next attempt as before");
	ok(settle(c, &m, 2, FATE_DEFERRED, "4.2.2",
	    "mx.there.test[192.0.2.1]:25: 452 4.2.2 mailbox\tfull") == 0,
	    "the third is deferred");
	ok(finish(c, &m) == 0, "done");
	ok(marked(was, slurp(at("deferred")), n) == 1, "still only one");
	ok(mtime_of(at("deferred")) == FUTURE, "next attempt no earlier");
	block(&want, &to[1]);
	buf_addf(&want, "\n<joe@there.test>: mx.there.test[192.0.2.1]:25: "
	    "452 4.2.2 mailbox?full\nrecipient=joe@there.test\noffset=%ld\n"
	    "status=4.2.2\naction=delayed\ndiag_type=smtp\n"
	    "diag_text=452 4.2.2 mailbox?full\nmta_type=dns\n"
	    "mta_mname=mx.there.test\nreason=mx.there.test[192.0.2.1]:25: "
	    "452 4.2.2 mailbox?full\n\n", to[2].offset);
	is(slurp(at("defer")), buf_str(&want), "reasons of the pending two");
	ok(claim("deferred", STATE_DEFERRED, &m, &c) == CLAIM_OURS,
	    "claimed again");
	ok(m.env.rcpts.p[0].done && !m.env.rcpts.p[1].done, "the first is done");
	is(m.env.rcpts.p[2].status, "4.2.2", "our reason is read");
	finish(c, &m);
	is(slurp(at("defer")), buf_str(&want), "nothing settled: as it was");
	buf_free(&want);
	free(was);
}

static void
test_times(void)
{
	struct to to[] = {
		{ "bob@there.test", 0, "old", 0 },
		{ "eve@other.test", 0, NULL, 0 },
	};
	struct message m;
	struct claimed *c;
	time_t before = time(NULL);

	clear();
	make("deferred", to, 2, PAST);
	claim("deferred", STATE_DEFERRED, &m, &c);
	finish(c, &m);
	ok(mtime_of(at("deferred")) == PAST, "given back untried: time as it was");
	claim("deferred", STATE_DEFERRED, &m, &c);
	settle(c, &m, 1, FATE_FAILED, "5.1.1", "mx: 550 5.1.1 no such user");
	finish(c, &m);
	ok(mtime_of(at("deferred")) >= before, "tried: not in the past");
	ok(slurp(at("deferred"))[to[1].offset] == 'R', "refused for good: kept");
	ok(strstr(slurp(at("defer")), "status=5.1.1\naction=delayed\n") != NULL,
	    "and told");
	clear();
	make("hold", to, 2, PAST);
	ok(claim("hold", STATE_HOLD, &m, &c) == CLAIM_OURS, "held mail claimed");
	settle(c, &m, 0, FATE_DELIVERED, "2.0.0", "250 ok");
	finish(c, &m);
	ok(mtime_of(at("hold")) == PAST, "held: no next attempt, time as it was");
	ok(!is_there("defer"), "nothing known of the other: no log");
}

/* Holds the lock, as Postfix would, until `done` is closed. */
static pid_t
locker(const char *path, int *done)
{
	int ready[2], end[2];
	char c;
	pid_t pid;

	if (pipe(ready) < 0 || pipe(end) < 0 || (pid = fork()) < 0)
		exit(1);
	if (pid == 0) {
		int fd = open(path, O_RDWR);

		close(end[1]);
		if (flock(fd, LOCK_EX) < 0 || write(ready[1], "", 1) < 0)
			_exit(1);
		_exit(read(end[0], &c, 1) != 0);
	}
	close(end[0]);
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		exit(1);
	close(ready[0]);
	*done = end[1];
	return pid;
}

static void
test_busy(void)
{
	struct to to[] = { { "bob@there.test", 0, "old", 0 } };
	struct message m, twin;
	struct claimed *c, *d;
	int done;
	pid_t pid;

	clear();
	make("deferred", to, 1, PAST);
	pid = locker(at("deferred"), &done);
	ok(claim("deferred", STATE_DEFERRED, &m, &c) == CLAIM_BUSY, "locked: busy");
	ok(is_there("defer") && m.env.rcpts.n == 0, "nothing touched or read");
	close(done);
	waitpid(pid, NULL, 0);
	ok(claim("deferred", STATE_DEFERRED, &m, &c) == CLAIM_OURS, "then ours");
	ok(claim("deferred", STATE_DEFERRED, &twin, &d) == CLAIM_BUSY,
	    "not twice: busy");
	ok(finish(c, &m) == 0 && is_there("defer"), "given back");
}

static void
test_not_ours(void)
{
	struct to to[] = { { "bob@there.test", 0, "old", 0 } };
	struct message m;
	struct claimed *c;

	clear();
	ok(claim("deferred", STATE_DEFERRED, &m, &c) == CLAIM_GONE, "not there");
	make("active", to, 1, PAST);
	ok(claim("active", STATE_ACTIVE, &m, &c) == CLAIM_BUSY, "active: never");
	ok(claim("deferred", STATE_DEFERRED, &m, &c) == CLAIM_GONE,
	    "from deferred to active");
	clear();
	make("deferred", to, 1, PAST);
	chmod(at("deferred"), 0600);
	ok(claim("deferred", STATE_DEFERRED, &m, &c) == CLAIM_BUSY,
	    "mode 0600: being written");
	chmod(at("deferred"), 0710);
	ok(claim("deferred", STATE_DEFERRED, &m, &c) == CLAIM_OURS,
	    "mode 0710: expiry is forced, ours all the same");
	finish(c, &m);
	ok(truncate(at("deferred"), size_of(at("deferred")) - 2) == 0 &&
	    claim("deferred", STATE_DEFERRED, &m, &c) == CLAIM_GONE,
	    "without its end record: no message");
	ok(is_there("defer"), "its reasons are left alone");
	unlink(at("deferred"));
	ok(symlink("/etc/passwd", at("deferred")) == 0 &&
	    claim("deferred", STATE_DEFERRED, &m, &c) == CLAIM_GONE,
	    "a symbolic link is no message");
}

static void
test_moved(void)
{
	struct to to[] = {
		{ "bob@there.test", 0, "old", 0 },
		{ "eve@other.test", 0, "older", 0 },
	};
	struct message m;
	struct claimed *c;

	clear();
	make("deferred", to, 2, FUTURE);
	claim("deferred", STATE_DEFERRED, &m, &c);
	ok(rename(at("deferred"), at("incoming")) == 0 &&
	    settle(c, &m, 0, FATE_DELIVERED, "2.0.0", "250 ok") == 0,
	    "moved to incoming: settled there");
	ok(slurp(at("incoming"))[to[0].offset] == 'D', "marked");
	ok(finish(c, &m) == 0 && is_there("defer") &&
	    mtime_of(at("incoming")) == FUTURE, "reasons and time put right");
	clear();
	make("deferred", to, 2, FUTURE);
	claim("deferred", STATE_DEFERRED, &m, &c);
	ok(rename(at("deferred"), at("maildrop")) == 0 &&
	    settle(c, &m, 0, FATE_DELIVERED, "2.0.0", "250 ok") == CLAIM_GONE,
	    "queued again by postsuper -r: gone");
	ok(slurp(at("maildrop"))[to[0].offset] == 'R', "nothing marked");
	ok(finish(c, &m) == 0 && !is_there("defer"), "nothing noted");
	clear();
	make("deferred", to, 2, FUTURE);
	claim("deferred", STATE_DEFERRED, &m, &c);
	unlink(at("deferred"));
	make("hold", to, 2, FUTURE);
	ok(settle(c, &m, 0, FATE_DELIVERED, "2.0.0", "250 ok") == CLAIM_GONE,
	    "removed: gone, although its ID is there again");
	ok(slurp(at("hold"))[to[0].offset] == 'R', "that one is not touched");
	ok(finish(c, &m) == 0 && is_there("defer"), "nor its reasons");
	clear();
	make("deferred", to, 2, FUTURE);
	claim("deferred", STATE_DEFERRED, &m, &c);
	rename(at("deferred"), at("saved"));
	make("deferred", to, 2, FUTURE);
	ok(settle(c, &m, 0, FATE_DELIVERED, "2.0.0", "250 ok") == CLAIM_GONE &&
	    slurp(at("deferred"))[to[0].offset] == 'R' &&
	    slurp(at("saved"))[to[0].offset] == 'R',
	    "another message in its place: gone, neither is touched");
	finish(c, &m);
	unlink(at("saved"));
}

static void
test_meddled(void)
{
	struct to to[] = {
		{ "bob@there.test", 0, "old", 0 },
		{ "eve@other.test", 0, "older", 0 },
	};
	struct message m;
	struct claimed *c;
	int fd;

	clear();
	make("deferred", to, 2, FUTURE);
	claim("deferred", STATE_DEFERRED, &m, &c);
	fd = open(at("deferred"), O_WRONLY);
	ok(pwrite(fd, "x", 1, to[0].offset) == 1 &&
	    settle(c, &m, 0, FATE_DELIVERED, "2.0.0", "250 ok") == -1,
	    "no recipient where one was: told");
	ok(slurp(at("deferred"))[to[0].offset] == 'x', "and not overwritten");
	ok(pwrite(fd, "R", 1, to[0].offset) == 1 &&
	    settle(c, &m, 0, FATE_DELIVERED, "2.0.0", "250 ok") == 0 &&
	    settle(c, &m, 0, FATE_DEFERRED, "4.0.0", "451 no") == 0,
	    "settled twice");
	put(at("defer"), SPAN("\nsomebody else's\n\n"), 0600);
	finish(c, &m);
	ok(strstr(slurp(at("defer")), "somebody") == NULL &&
	    strstr(slurp(at("defer")), "bob@") == NULL &&
	    strstr(slurp(at("defer")), "<eve@other.test>: older\n") != NULL,
	    "the first result counts; a log that appeared is replaced");
	close(fd);
}

static void
test_all(const char *queue, enum state state)
{
	struct to to[] = {
		{ "bob@there.test", 0, "old", 0 },
		{ "bob@there.test", 0, "older", 0 },
	};
	struct message m;
	struct claimed *c;

	clear();
	make(queue, to, 2, FUTURE);
	claim(queue, state, &m, &c);
	settle(c, &m, 1, FATE_RELAYED, "2.0.0", "250 ok");
	ok(slurp(at(queue))[to[0].offset] == 'R' &&
	    slurp(at(queue))[to[1].offset] == 'D',
	    "%s: one address twice, the second settled", queue);
	settle(c, &m, 0, FATE_DELIVERED, "2.0.0", "250 ok");
	ok(finish(c, &m) == 0 && !is_there(queue), "%s: all done: removed", queue);
	ok(!is_there("defer") && !is_there("trace"), "%s: no logs left", queue);
}

static void
test_trace(void)
{
	struct to to[] = { { "bob@there.test", 2, "old", 0 } };
	struct message m;
	struct claimed *c;
	struct buf want = {0};

	clear();
	make("deferred", to, 1, FUTURE);
	claim("deferred", STATE_DEFERRED, &m, &c);
	ok(settle(c, &m, 0, FATE_RELAYED, "2.1.5", "mx[::1]:25: 250 2.1.5 ok") == 0,
	    "relayed, success to be reported");
	buf_addf(&want, "\n<bob@there.test>: mx[::1]:25: 250 2.1.5 ok\n"
	    "recipient=bob@there.test\noffset=%ld\nnotify_flags=2\n"
	    "status=2.1.5\naction=relayed\ndiag_type=smtp\n"
	    "diag_text=250 2.1.5 ok\nmta_type=dns\nmta_mname=mx\n"
	    "reason=mx[::1]:25: 250 2.1.5 ok\n\n", to[0].offset);
	is(slurp(at("trace")), buf_str(&want), "Postfix is to report it");
	ok(finish(c, &m) == 0 && is_there("deferred"),
	    "a report is owed: left for Postfix");
	ok(mtime_of(at("deferred")) < FUTURE, "at once");
	buf_free(&want);
}

/* Each step in a process that dies after it: the message is good, the fates
 * that were settled stand, and it can be claimed again. */
static void
step(int last)
{
	struct message m;
	struct claimed *c;

	if (claim("deferred", STATE_DEFERRED, &m, &c) != CLAIM_OURS)
		_exit(1);
	if (last > 0 && settle(c, &m, 0, FATE_DELIVERED, "2.0.0", "250") != 0)
		_exit(1);
	if (last > 1 && settle(c, &m, 1, FATE_DEFERRED, "4.0.0", "451") != 0)
		_exit(1);
	if (last > 2 && settle(c, &m, 2, FATE_RELAYED, "2.0.0", "250") != 0)
		_exit(1);
	if (last > 3 && pf_done(c, &m, &err) != 0)
		_exit(1);
	kill(getpid(), SIGKILL);
}

static void
test_killed(void)
{
	struct to to[] = {
		{ "bob@there.test", 0, "old", 0 },
		{ "eve@other.test", 0, "older", 0 },
		{ "joe@there.test", 2, NULL, 0 },
	};
	static const int done[] = { 0, 1, 1, 2, 2 };

	for (int last = 0; last < 5; last++) {
		struct message m;
		struct claimed *c;
		int status = 0, n = 0;
		pid_t pid;

		clear();
		make("deferred", to, 3, FUTURE);
		fflush(stdout);
		if ((pid = fork()) == 0)
			step(last);
		waitpid(pid, &status, 0);
		ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL &&
		    claim("deferred", STATE_DEFERRED, &m, &c) == CLAIM_OURS,
		    "killed after step %d: good, and free", last);
		for (size_t i = 0; i < m.env.rcpts.n; i++)
			n += m.env.rcpts.p[i].done;
		ok(m.env.rcpts.n == 3 && n == done[last], "%d done", n);
		ok(m.mtime == FUTURE, "next attempt as it was");
		finish(c, &m);
	}
}

/* Hashed two deep, with the directories that git and cp lose. */
static void
test_hashed(void)
{
	struct to to[] = {
		{ "bob@there.test", 0, NULL, 0 },
		{ "eve@other.test", 0, NULL, 0 },
	};
	char deep[300], log[300];
	struct entry entry = { .state = STATE_DEFERRED };
	struct message m = {0};
	struct claimed *c;

	clear();
	snprintf(deep, sizeof deep, "%s/deferred/A", dir);
	mkdir(deep, 0700);
	snprintf(log, sizeof log, "%s/defer/A", dir);
	mkdir(log, 0700);
	snprintf(deep, sizeof deep, "%s/deferred/A/" ID, dir);
	snprintf(log, sizeof log, "%s/defer/A/" ID, dir);
	make("deferred", to, 2, FUTURE);
	rename(at("deferred"), deep);
	buf_adds(&entry.ref, deep);
	ok(pf_claim(&spool, &entry, &m, &c, &err) == CLAIM_OURS, "hashed: claimed");
	settle(c, &m, 0, FATE_DELIVERED, "2.0.0", "250");
	settle(c, &m, 1, FATE_DEFERRED, "4.0.0", "mx: 451 later");
	ok(finish(c, &m) == 0 && size_of(log) > 0, "its log is hashed too");
	m = (struct message){0};
	ok(pf_claim(&spool, &entry, &m, &c, &err) == CLAIM_OURS, "again");
	settle(c, &m, 1, FATE_DELIVERED, "2.0.0", "250");
	ok(finish(c, &m) == 0 && access(deep, F_OK) < 0 && access(log, F_OK) < 0,
	    "all done: both removed");
	buf_free(&entry.ref);
}

int
main(void)
{
	make_queue();
	test_partly();
	test_times();
	test_busy();
	test_not_ours();
	test_moved();
	test_meddled();
	test_all("deferred", STATE_DEFERRED);
	test_all("hold", STATE_HOLD);
	test_trace();
	test_killed();
	test_hashed();
	remove_queue();
	return done_testing();
}
