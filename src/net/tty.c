#include "net/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
#define SIGNALS (sizeof signals / sizeof *signals)

static volatile sig_atomic_t came;

static void
note(int number)
{
	came = number;
}

/* What held before the question. */
struct before {
	struct sigaction actions[SIGNALS];
	sigset_t mask;
	struct termios terminal;
};

/* They are blocked but while we wait: none is missed between looking and waiting. */
static void
hold(struct before *b)
{
	struct sigaction a = { .sa_handler = note };
	sigset_t set;

	came = 0;
	sigemptyset(&set);
	for (size_t i = 0; i < SIGNALS; i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, &b->mask);
	for (size_t i = 0; i < SIGNALS; i++) {
		sigaction(signals[i], NULL, &b->actions[i]);
		if (b->actions[i].sa_handler != SIG_IGN)
			sigaction(signals[i], &a, NULL);
	}
}

static void
let_go(const struct before *b)
{
	for (size_t i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &b->actions[i], NULL);
	if (came != 0)
		raise(came);
	sigprocmask(SIG_SETMASK, &b->mask, NULL);
}

static int
wait_for(int fd, const struct before *b)
{
	struct pollfd p = { fd, POLLIN, 0 };
	sigset_t mask = b->mask;

	for (size_t i = 0; i < SIGNALS; i++)
		sigdelset(&mask, signals[i]);
	return ppoll(&p, 1, NULL, &mask);
}

/* 0 a line or the end of file; -1 a signal, or errno. */
static int
read_line(int fd, const struct before *b, struct buf *line, size_t limit)
{
	ssize_t n;

	while (line->n <= limit) {
		if (wait_for(fd, b) < 0) {
			if (errno == EINTR && came == 0)
				continue;
			return -1;
		}
		n = read(fd, line->p + line->n, limit + 1 - line->n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		line->n += (size_t)n;
		if (memchr(line->p, '\n', line->n) != NULL)
			return 0;
	}
	return 0;
}

static int
put(int fd, const char *text)
{
	return write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

static int
ask(int fd, const char *question, struct before *b, struct buf *line,
    size_t limit)
{
	struct termios quiet = b->terminal;
	int r, number;

	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	quiet.c_lflag |= ICANON;
	if (tcsetattr(fd, TCSAFLUSH, &quiet) < 0)
		return -1;
	r = put(fd, question);
	if (r == 0)
		r = read_line(fd, b, line, limit);
	number = errno;
	tcsetattr(fd, TCSAFLUSH, &b->terminal);
	put(fd, "\n");		/* the one typed was not seen */
	errno = number;
	return r;
}

int
tty_open(void)
{
	return open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
}

int
tty_ask(int fd, const char *question, struct buf *answer, size_t limit,
    struct err *e)
{
	struct buf line = {0};
	struct before b;
	int r, number;

	if (tcgetattr(fd, &b.terminal) < 0)
		return err_sys(e, "/dev/tty");
	buf_room(&line, limit + 1);
	do {
		buf_clear(&line);
		hold(&b);
		r = ask(fd, question, &b, &line, limit);
		number = errno;
		let_go(&b);
	} while (r < 0 && came == SIGTSTP);
	errno = number;
	if (r < 0 && came != 0)
		err_set(e, FAULT_TEMP, "password: interrupted");
	else if (r < 0)
		err_sys(e, "/dev/tty");
	else if (line.n > limit)
		r = err_set(e, FAULT_CONFIG, "password: over %zu octets", limit);
	else
		buf_add(answer, line.p, span_find(buf_span(&line), '\n'));
	buf_wipe(&line);
	return r;
}
