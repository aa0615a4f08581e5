/*
 * What turn-server's half with the rights does for one without them that lies: whoever
 * has broken into that one says these notes.
 */
#include "../tap.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/base64.h"
#include "session/turn_parent.h"

static char run_dir[] = "/tmp/tidegate.parent.XXXXXX";
static char log_path[64];
static struct passwords users;
static struct customers customers;

static void
log_it(const char *text)
{
	FILE *f = fopen(log_path, "a");

	fprintf(f, "%s\n", text);
	fclose(f);
}

/* The longest line; how many there are, and how many of them are said to be his. */
static size_t
longest_line(size_t *lines, size_t *his)
{
	FILE *f = fopen(log_path, "r");
	static char line[100000];
	size_t longest = 0;

	*lines = *his = 0;
	while (f != NULL && fgets(line, sizeof line, f) != NULL) {
		longest = strlen(line) > longest ? strlen(line) : longest;
		++*lines;
		*his += strncmp(line, "network: ", 9) == 0;
	}
	if (f != NULL)
		fclose(f);
	return longest;
}

static void
read_files(void)
{
	char path[64];
	struct err e = {0};
	FILE *f;

	snprintf(path, sizeof path, "%s/file", run_dir);
	f = fopen(path, "w");
	fputs("alice: one.test\nbob: @two.test\n", f);
	fclose(f);
	chmod(path, 0600);
	ok(customers_read(&customers, path, &e) == 0, "customers: %s", e.text);
	f = fopen(path, "w");
	fputs("alice:{PLAIN}secret\nbob:{PLAIN}other\n", f);
	fclose(f);
	ok(passwords_read(&users, path, &e) == 0, "passwords: %s", e.text);
	unlink(path);
}

/* ---- the liar's end ---- */

struct liar {
	int fd;
	pid_t pid;
};

static void
begin(struct liar *l, bool certificates, int64_t deadline_ms)
{
	struct turn_parent t = { .name = "isp.test", .customers = &customers,
	    .passwords = &users, .programs = "", .peer = "192.0.2.7",
	    .source = "192.0.2.7", .tries = { "tries", 1000, 600 },
	    .certificates = certificates, .turns = { "turns", 1000, 60 },
	    .flushes = { "flushes", 1000, 60 }, .deadline = clock_in(deadline_ms),
	    .log = log_it };
	struct err e = {0};
	struct note n;
	int p[2];

	unlink(log_path);
	socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p);
	fflush(stdout);
	if ((l->pid = fork()) == 0) {
		close(p[0]);
		t.other = p[1];
		t.run = rates_open(&e);
		_exit(turn_parent_run(&t));
	}
	close(p[1]);
	l->fd = p[0];
	if (note_hear(l->fd, &n, NEVER, &e) == 1)
		note_free(&n);
}

static bool
tell(struct liar *l, enum note_what what, const char *text, const char *more,
    const char *extra)
{
	struct err e = {0};
	struct note n;
	int r;

	note_init(&n, what);
	n.encrypted = true;
	n.has_more = more != NULL;
	buf_adds(&n.text, text);
	buf_adds(&n.more, more != NULL ? more : "");
	buf_adds(&n.extra, extra);
	r = note_send(l->fd, &n, &e);
	note_free(&n);
	return r == 0;
}

/* The code of the reply; 0: it speaks no more. */
static int
ask(struct liar *l, enum note_what what, const char *text, const char *more,
    const char *extra)
{
	struct err e = {0};
	struct note n;
	int code = 0;

	if (tell(l, what, text, more, extra) && note_hear(l->fd, &n, NEVER, &e) == 1) {
		code = n.what == NOTE_SAY ? n.code : (int)n.what;
		note_free(&n);
	}
	return code;
}

static int
plain(struct liar *l, const char *who, size_t n)
{
	struct buf b = {0};
	int code;

	base64_add(&b, who, n);
	tell(l, NOTE_BINDING, "", NULL, "");
	code = ask(l, NOTE_AUTH, "PLAIN", buf_str(&b), "");
	buf_free(&b);
	return code;
}

static bool
end(struct liar *l)
{
	int status;

	close(l->fd);
	return waitpid(l->pid, &status, 0) == l->pid && WIFEXITED(status);
}

#define ALICE "\0alice\0secret"
#define BOB "\0bob\0other"
#define WRONG "\0alice\0guess"

static void
is_code(int got, int want, const char *name)
{
	if (!ok(got == want, "%s", name))
		printf("# got %d, wanted %d\n", got, want);
}

int
main(void)
{
	struct liar l;
	size_t lines, his;
	bool told = true;
	int code = 535, times = 0;

	signal(SIGPIPE, SIG_IGN);
	alarm(120);		/* what waits for ever has failed */
	if (mkdtemp(run_dir) == NULL)
		return 1;
	setenv("TIDEGATE_RUN", run_dir, 1);
	snprintf(log_path, sizeof log_path, "%s/log", run_dir);
	read_files();

	begin(&l, false, 60000);
	is_code(ask(&l, NOTE_ATRN, "one.test", NULL, ""), 530, "nobody has no mail");
	is_code(ask(&l, NOTE_ETRN, "one.test", NULL, ""), 530, "nor an ETRN");
	is_code(ask(&l, NOTE_AUTH, "EXTERNAL", "=", "alice"), 504,
	    "certificates do not count: nobody has shown one");
	is_code(plain(&l, ALICE, sizeof ALICE - 1), 235, "who knows a password");
	is_code(ask(&l, NOTE_ATRN, "x.two.test", NULL, ""), 450, "has not another's");
	is_code(ask(&l, NOTE_ATRN, "one.test,two.test", NULL, ""), 450, "nor with it");
	is_code(ask(&l, NOTE_ETRN, "two.test", NULL, ""), 459, "nor by ETRN");
	is_code(plain(&l, BOB, sizeof BOB - 1), 503, "and is nobody else besides");
	ok(end(&l), "it ends");

	/* RFC 3207 section 4.2: what was said in the clear counts no more */
	begin(&l, false, 60000);
	is_code(plain(&l, ALICE, sizeof ALICE - 1), 235, "somebody, in the clear");
	tell(&l, NOTE_FORGET, "", NULL, "");
	is_code(ask(&l, NOTE_ATRN, "one.test", NULL, ""), 530, "is nobody in TLS");
	is_code(plain(&l, BOB, sizeof BOB - 1), 235, "and may be somebody else");
	ok(end(&l), "it ends");

	begin(&l, true, 60000);
	is_code(ask(&l, NOTE_AUTH, "EXTERNAL", "=", "alice"), 235,
	    "certificates count: it is believed what it says of them");
	ok(end(&l), "it ends");

	begin(&l, false, 60000);
	while (code == 535 && times < 50) {
		code = plain(&l, WRONG, sizeof WRONG - 1);
		times += code == 535;
	}
	ok(code == 0 && times < 20, "it may not guess without end: %d times", times);
	ok(end(&l), "it ends");

	begin(&l, false, 60000);
	char *much = must(malloc(40001));
	memset(much, 'x', 40000);
	much[40000] = '\0';
	for (times = 0; told && times < 1000; times++)
		told = tell(&l, NOTE_LOG, much, NULL, "") &&
		    tell(&l, NOTE_LOG, "a\nAUTH of bob\033[2J", NULL, "");
	ok(end(&l), "it ends");
	times = (int)longest_line(&lines, &his);
	ok(times < 700 && lines < 100, "it may not fill the log: %zu lines, the "
	    "longest of %d octets", lines, times);
	ok(lines == his, "nor say there what we say: %zu of %zu lines are his", his, lines);
	free(much);

	/* answers that nobody reads */
	begin(&l, false, 500);
	for (told = true; told;)
		told = tell(&l, NOTE_TURN, "", NULL, "");
	ok(end(&l), "who reads nothing does not keep it");

	customers_free(&customers);
	passwords_free(&users);
	char *const rm[] = { (char[]){ "rm" }, (char[]){ "-r" }, run_dir, NULL };
	struct err e = {0};

	child_run((const char *const *)rm, SPAN(""), NULL, NULL, 1000, NEVER, &e);
	return done_testing();
}
