/* Where passwords come from: files, commands, credentials, netrc, a terminal. */
#include "../tap.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "net/secret.h"

static char dir[] = "/tmp/tidegate-secret.XXXXXX";

static void
put(const char *name, const char *text, size_t n, mode_t mode)
{
	int fd;

	unlink(name);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0 || write(fd, text, n) != (ssize_t)n || fchmod(fd, mode) < 0)
		perror(name);
	close(fd);
}

#define PUT(name, text, mode) put(name, text, sizeof(text) - 1, mode)

/* `want' NULL: it fails with `fault', and its words hold `words'. */
static void
get(const char *name, const struct secret_from *f, const char *want, int fault,
    const char *words)
{
	struct buf b = {0};
	struct err e = {0};
	int r = secret_get(&b, f, &e);

	ok(r == (want ? 0 : -1) && (int)e.fault == fault, "%s: %d %s", name,
	    (int)e.fault, e.text);
	is(r == 0 ? buf_str(&b) : NULL, want, "the secret");
	ok(want != NULL || b.n == 0, "or nothing");
	ok(words == NULL || strstr(e.text, words) != NULL, "it says why");
	buf_wipe(&b);
}

static void
get_file(const char *name, const char *file, const char *want, int fault,
    const char *words)
{
	get(name, &(struct secret_from){ .file = file, .user = "u", .host = "h",
	    .deadline = NEVER }, want, fault, words);
}

static void
test_files(void)
{
	static char big[20000];

	PUT("good", "pass word \r\nmore\n", 0600);
	get_file("first line", "good", "pass word ", 0, NULL);
	PUT("good", "p", 0400);
	get_file("no newline", "good", "p", 0, NULL);
	PUT("open", "p\n", 0640);
	get_file("the group reads", "open", NULL, FAULT_CONFIG, "chmod 600 open");
	PUT("open", "p\n", 0604);
	get_file("others read", "open", NULL, FAULT_CONFIG, "chmod 600 open");
	PUT("open", "p\n", 0602);
	get_file("others write", "open", NULL, FAULT_CONFIG, "open");
	PUT("empty", "", 0600);
	get_file("empty", "empty", NULL, FAULT_CONFIG, "empty");
	PUT("empty", "\r\np\n", 0600);
	get_file("an empty line", "empty", NULL, FAULT_CONFIG, "first line");
	PUT("nul", "a\0b\n", 0600);
	get_file("a NUL", "nul", NULL, FAULT_CONFIG, "NUL");
	memset(big, 'x', sizeof big);
	put("big", big, sizeof big, 0600);
	get_file("big", "big", NULL, FAULT_CONFIG, "big");
	big[8191] = '\n';
	put("big", big, sizeof big, 0600);
	big[8191] = '\0';
	get_file("a long first line", "big", big, 0, NULL);
	get_file("not there", "nowhere", NULL, FAULT_IO, "nowhere");
	get_file("a directory", ".", NULL, FAULT_IO, "read .");
	if (geteuid() != 0) {
		PUT("shut", "p\n", 0);
		get_file("not to be read", "shut", NULL, FAULT_PERM, "shut");
	}
}

static void
test_pipe(void)
{
	char name[40];
	int p[2];

	if (pipe(p) < 0)
		return;
	snprintf(name, sizeof name, "/dev/fd/%d", p[0]);
	ok(write(p[1], "from a pipe\n", 12) == 12, "a pipe whose writer stays");
	get_file("pipe", name, "from a pipe", 0, NULL);
	close(p[0]);
	close(p[1]);
}

static void
test_commands(void)
{
	static const struct {
		const char *name, *script, *want, *words;
		enum fault fault;
	} rows[] = {
		{ "says it", "echo 'a secret'; echo more", "a secret", NULL, 0 },
		{ "no newline", "printf p", "p", NULL, 0 },
		{ "CRLF", "printf 'p\\r\\n'", "p", NULL, 0 },
		{ "says nothing", ":", NULL, "no password", FAULT_CONFIG },
		{ "fails", "echo no such key >&2; echo p; exit 3", NULL,
		    "status 3: no such key", FAULT_TEMP },
		{ "dies", "kill -9 $$", NULL, "137", FAULT_TEMP },
		{ "says too much", "yes", NULL, "more than", FAULT_TEMP },
		{ "says a NUL", "printf 'a\\000b\\n'", NULL, "NUL", FAULT_CONFIG },
	};
	struct secret_from f = { .deadline = NEVER };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *argv[] = { "sh", "-c", rows[i].script, NULL };

		f.command = argv;
		get(rows[i].name, &f, rows[i].want, (int)rows[i].fault,
		    rows[i].words);
	}
	f.command = (const char *[]){ "echo", "$HOME; *", NULL };
	get("no shell", &f, "$HOME; *", 0, NULL);
	f.command = (const char *[]){ "./nowhere", NULL };
	get("no such program", &f, NULL, FAULT_CONFIG, "nowhere");
	f.command = (const char *[]){ "sh", "-c", "exec sleep 60", NULL };
	f.deadline = clock_in(100);
	get("slow", &f, NULL, FAULT_TEMP, "in time");
	PUT("good", "p\n", 0600);
	f.file = "good";
	get("a file goes first", &f, "p", 0, NULL);
}

static void
test_places(void)
{
	struct secret_from f = { .user = "u", .host = "mx.test", .deadline = NEVER };
	char path[100];

	get("nowhere", &f, NULL, FAULT_CONFIG, "u at mx.test");
	PUT(".netrc", "machine mx.test login u password n\n"
	    "machine mx.test login v password \"\"\n", 0600);
	get("~/.netrc", &f, "n", 0, NULL);
	PUT("other", "default password \"o o\"\n", 0600);
	setenv("NETRC", "other", 1);
	get("$NETRC", &f, "o o", 0, NULL);
	PUT("other", "default\npassword\n", 0600);
	get("a bad one", &f, NULL, FAULT_CONFIG, "other: line 3");
	setenv("NETRC", "nowhere", 1);
	get("$NETRC is not there", &f, NULL, FAULT_CONFIG, "terminal");
	unsetenv("NETRC");
	f.user = "v";
	get("an empty one", &f, NULL, FAULT_CONFIG, ".netrc");
	f.user = "u";
	PUT(".netrc", "machine mx.test login u password n\n", 0644);
	get("others read it", &f, NULL, FAULT_CONFIG, "chmod 600 ");
	f.user = "w";
	get("there is nothing of ours in it", &f, NULL, FAULT_CONFIG, "terminal");
	f.user = "u";
	PUT(".netrc", "machine mx.test login u password n\n", 0600);

	snprintf(path, sizeof path, "%s/credentials", dir);
	mkdir(path, 0700);
	setenv("CREDENTIALS_DIRECTORY", path, 1);
	get("no credential of that name: netrc", &f, "n", 0, NULL);
	PUT("credentials/tidegate.password", "c\n", 0440);
	get("a credential, opened by ACL", &f, "c", 0, NULL);
	PUT("credentials/tidegate.password", "c\n", 0444);
	get("a credential that is open", &f, NULL, FAULT_CONFIG, "chmod");
	unsetenv("CREDENTIALS_DIRECTORY");
	unlink(".netrc");
}

/* A terminal */

struct seat {
	int terminal, line, result;	/* ours, the child's, what it says */
	bool echo;			/* before anybody asked */
	pid_t child;
};

/* The child: whoever asks.  Says `0 SECRET' or `FAULT SIGNAL'. */
static void
be_asked(int to, bool catch)
{
	struct secret_from f = { .user = "me", .host = "mx.test",
	    .deadline = NEVER };
	struct buf b = {0}, said = {0};
	struct err e = {0};

	if (catch)
		interrupt_catch();
	if (secret_get(&b, &f, &e) == 0)
		buf_addf(&said, "0 %s", buf_str(&b));
	else
		buf_addf(&said, "%d %d", (int)e.fault, interrupt_came());
	if (write(to, said.p, said.n) < 0)
		_exit(1);
	_exit(0);
}

static bool
has_echo(const struct seat *s)
{
	struct termios t;

	return tcgetattr(s->line, &t) == 0 && t.c_lflag & ECHO;
}

static bool
sit_down(struct seat *s, bool catch)
{
	int p[2];

	s->terminal = posix_openpt(O_RDWR | O_NOCTTY);
	if (s->terminal < 0 || grantpt(s->terminal) < 0 ||
	    unlockpt(s->terminal) < 0 || pipe(p) < 0)
		return false;
	s->line = open(ptsname(s->terminal), O_RDWR | O_NOCTTY);
	s->result = p[0];
	s->echo = has_echo(s);
	fflush(stdout);
	s->child = fork();
	if (s->child == 0) {
		setsid();
		ioctl(s->line, TIOCSCTTY, 0);
		close(p[0]);
		be_asked(p[1], catch);
	}
	close(p[1]);
	return s->line >= 0 && s->child > 0;
}

/* All that is printed up to `end'. */
static void
read_until(const struct seat *s, const char *end, struct buf *seen)
{
	while (strstr(buf_str(seen), end) == NULL) {
		if (read(s->terminal, buf_room(seen, 1), 1) != 1)
			break;
		seen->n++;
	}
}

static void
stand_up(struct seat *s, const char *want, const char *name)
{
	char said[100] = "";
	int status;

	if (read(s->result, said, sizeof said - 1) < 0)
		perror("read");
	waitpid(s->child, &status, 0);
	is(said, want, name);
	ok(has_echo(s), "echo is on again");
	close(s->terminal);
	close(s->line);
	close(s->result);
}

static void
test_terminal(const char *typed, bool catch, const char *want, const char *name)
{
	struct seat s;
	struct buf seen = {0};

	if (!sit_down(&s, catch)) {
		ok(true, "no pseudo terminals here # SKIP");
		return;
	}
	ok(s.echo, "echo is on before");
	read_until(&s, ": ", &seen);
	is(buf_str(&seen), "Password for me at mx.test: ", "the question");
	ok(!has_echo(&s), "echo is off");
	ok(write(s.terminal, typed, strlen(typed)) > 0, "something is typed");
	buf_clear(&seen);
	read_until(&s, "\n", &seen);
	is(buf_str(&seen), "\r\n", "and not seen");
	stand_up(&s, want, name);
	buf_free(&seen);
}

/*
 * TSTP finds the terminal as it was.  In a process group without a parent's shell
 * nothing stops then, and the question comes again at once.
 */
static void
test_stop(void)
{
	struct seat s;
	struct buf seen = {0};

	if (!sit_down(&s, false))
		return;
	read_until(&s, ": ", &seen);
	ok(write(s.terminal, "ab\032", 3) == 3, "suspended");
	read_until(&s, "\n", &seen);
	buf_clear(&seen);
	read_until(&s, ": ", &seen);
	is(buf_str(&seen), "Password for me at mx.test: ", "it asks again");
	ok(!has_echo(&s), "echo is off again");
	ok(write(s.terminal, "c\n", 2) == 2, "an answer");
	stand_up(&s, "0 c", "nothing is left of the first one");
	buf_free(&seen);
}

static int
test_all(void)
{
	setsid();		/* no terminal, whoever runs this */
	/* what runs behind a shell's & ignores them, and would not hear them here */
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	setenv("HOME", dir, 1);
	unsetenv("NETRC");
	unsetenv("CREDENTIALS_DIRECTORY");
	test_files();
	test_pipe();
	test_commands();
	test_places();
	test_terminal("pass word\n", false, "0 pass word", "a line");
	test_terminal("\n", false, "78 0", "nothing");
	test_terminal("\004", false, "78 0", "the end");
	test_terminal("ab\003", false, "", "INT ends it");
	test_terminal("ab\003", true, "75 2", "INT, caught");
	test_stop();
	return done_testing();
}

int
main(void)
{
	const char *clean[] = { "rm", "-rf", dir, NULL };
	struct err e = {0};
	int status = 1;
	pid_t pid;

	if (mkdtemp(dir) == NULL || chdir(dir) < 0 || (pid = fork()) < 0)
		return 1;
	if (pid == 0)
		return test_all();
	waitpid(pid, &status, 0);
	child_run(clean, SPAN(""), NULL, NULL, 1000, NEVER, &e);
	return status != 0;
}
