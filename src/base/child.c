#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"

#define GRACE_MS 1000
#define LOOK_MS 100
#define ALL_MS 300		/* for all of them, once a signal came */
#define MOMENT_MS 5000		/* of child_run(), once a signal came */

static void
shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Descriptors 0 to 2 of the child to be, and the pipe that tells exec's errno. */
struct ends {
	int fd[3];
	int told[2];
	bool alone;
};

static int
pair(unsigned pipes, unsigned which, int *ours, int *theirs, int theirs_at)
{
	int p[2];

	if (!(pipes & which))
		return 0;
	if (pipe2(p, O_CLOEXEC) < 0)
		return -1;
	*ours = p[!theirs_at];
	*theirs = p[theirs_at];
	return 0;
}

static int
make_ends(struct child *c, struct ends *x, unsigned pipes)
{
	int p[2];

	if (pipe2(x->told, O_CLOEXEC) < 0)
		return -1;
	if (pipes & CHILD_SOCKET) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p) < 0)
			return -1;
		c->in = p[0];
		x->fd[0] = p[1];
		x->fd[1] = fcntl(p[1], F_DUPFD_CLOEXEC, 3);
		return x->fd[1] < 0 ? -1 : 0;
	}
	if (pair(pipes, CHILD_IN, &c->in, &x->fd[0], 0) < 0 ||
	    pair(pipes, CHILD_OUT, &c->out, &x->fd[1], 1) < 0 ||
	    pair(pipes, CHILD_ERR, &c->err, &x->fd[2], 1) < 0)
		return -1;
	x->alone = (pipes & CHILD_ALONE) != 0;
	for (int i = 0; i < (x->alone ? 3 : 1); i++)
		if (x->fd[i] < 0 && (x->fd[i] = open("/dev/null",
		    (i == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC)) < 0)
			return -1;
	return 0;
}

/* In the child: only what is safe between fork and exec. */
static void
become(const char *const argv[], const struct ends *x)
{
	sigset_t none;
	int number;

	if (x->alone)
		setsid();
	else
		setpgid(0, 0);
	for (int i = 0; i < 3; i++)
		if (x->fd[i] >= 0 && dup2(x->fd[i], i) < 0)
			goto failed;
	for (int s = 1; s < 32; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
failed:
	number = errno;
	if (write(x->told[1], &number, sizeof number) < 0)
		_exit(126);
	_exit(127);
}

static int
started(struct child *c, const char *name, int told, struct err *e)
{
	int number = 0;
	ssize_t n;

	do
		n = read(told, &number, sizeof number);
	while (n < 0 && errno == EINTR);
	if (n != sizeof number)
		return 0;
	waitpid(c->pid, NULL, 0);
	c->pid = 0;
	errno = number;
	err_sys(e, "run %s", name);
	if (number == ENOENT || number == ENOTDIR)
		e->fault = FAULT_UNAVAILABLE;
	return -1;
}

int
child_start(struct child *c, const char *const argv[], unsigned pipes,
    struct err *e)
{
	struct ends x = { { -1, -1, -1 }, { -1, -1 }, false };
	int r = -1;

	*c = (struct child){ 0, -1, -1, -1 };
	if (make_ends(c, &x, pipes) < 0 || (c->pid = fork()) < 0) {
		err_sys(e, "run %s", argv[0]);
		e->fault = FAULT_OS;
		c->pid = 0;
	} else {
		if (c->pid == 0)
			become(argv, &x);
		if (!x.alone)	/* a leader of a group cannot have a session */
			setpgid(c->pid, c->pid);
		shut(&x.told[1]);
		r = started(c, argv[0], x.told[0], e);
	}
	for (int i = 0; i < 3; i++)
		shut(&x.fd[i]);
	shut(&x.told[0]);
	shut(&x.told[1]);
	if (r < 0) {
		shut(&c->in);
		shut(&c->out);
		shut(&c->err);
	}
	return r;
}

/* waitpid() has no deadline: look, at first often. */
int
child_wait(struct child *c, int64_t deadline, int *status)
{
	int nap = 1;
	pid_t r;

	while (c->pid > 0) {
		r = waitpid(c->pid, status, deadline == NEVER ? 0 : WNOHANG);
		if (r == c->pid) {
			c->pid = 0;
			return 0;
		}
		if (r < 0 && errno != EINTR)
			return -1;
		if (clock_left(deadline) == 0)
			return -1;
		if (r == 0)
			poll(NULL, 0, nap);
		nap = nap < 50 ? nap * 2 : 50;
	}
	return 0;
}

static void
end_by(struct child *c, int64_t until)
{
	int status;

	/* first: the end of what it reads must not look like the end of a letter */
	if (c->pid > 0)
		kill(-c->pid, SIGTERM);
	shut(&c->in);
	shut(&c->out);
	shut(&c->err);
	if (c->pid <= 0)
		return;
	if (child_wait(c, until, &status) < 0) {
		kill(-c->pid, SIGKILL);
		child_wait(c, NEVER, &status);
	}
}

void
child_end(struct child *c)
{
	end_by(c, clock_in(GRACE_MS));
}

void
child_end_soon(struct child *c)
{
	static int64_t until;

	if (interrupt_came() && until == 0)
		until = clock_in(ALL_MS);
	end_by(c, until != 0 ? until : clock_in(GRACE_MS));
}

/* One read into `b`: 1 go on, 0 it ended, -1 more than `limit`. */
static int
drain(int *fd, struct buf *b, size_t limit)
{
	ssize_t n = read(*fd, buf_room(b, 16384), 16384);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 1;
	if (n <= 0) {
		shut(fd);
		return 0;
	}
	b->n += (size_t)n;
	return b->n > limit ? -1 : 1;
}

static void
fill(int *fd, struct span *input)
{
	ssize_t n = 0;

	if (input->n > 0)
		n = write(*fd, input->p, input->n);
	if (n > 0)
		*input = span_from(*input, (size_t)n);
	if (input->n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
		shut(fd);
}

/* How long a program may go on. */
struct patience {
	int64_t deadline;
	int64_t moment_ms;	/* so much of it when a signal has come */
	bool shortened;
};

/* When it is over, as things are now. */
static int64_t
patience(struct patience *p)
{
	if (!p->shortened && interrupt_came()) {
		p->shortened = true;
		p->deadline = clock_sooner(p->deadline, clock_in(p->moment_ms));
	}
	return p->deadline;
}

static int
converse(struct child *c, struct span input, struct buf *out, struct buf *err,
    size_t limit, struct patience *until)
{
	while (c->in >= 0 || c->out >= 0 || c->err >= 0) {
		struct pollfd p[3] = {
			{ c->in, POLLOUT, 0 }, { c->out, POLLIN, 0 },
			{ c->err, POLLIN, 0 },
		};

		if (clock_left(patience(until)) == 0)
			return -1;
		if (interrupt_poll(p, 3, clock_left(until->deadline)) < 0)
			continue;
		if (p[0].revents)
			fill(&c->in, &input);
		if ((p[1].revents && drain(&c->out, out, limit) < 0) ||
		    (p[2].revents && drain(&c->err, err, limit) < 0))
			return -2;
	}
	return 0;
}

int
child_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* waitpid(), looked at now and then: a signal shortens this too. */
static int
wait_or_break(struct child *c, struct patience *until, int *status)
{
	int r;

	do
		r = child_wait(c, clock_sooner(patience(until), clock_in(LOOK_MS)),
		    status);
	while (r < 0 && clock_left(patience(until)) != 0);
	return r;
}

static int
run(const char *const argv[], struct span input, struct buf *out,
    struct buf *err, size_t limit, struct patience until, struct err *e)
{
	static bool given_up;	/* one had its moment after a signal, and went on */
	struct buf out_spare = {0}, err_spare = {0};
	struct child c;
	int r, status = 0;

	if (given_up)
		return err_set(e, FAULT_TEMP, "%s: interrupted", argv[0]);
	if (child_start(&c, argv, CHILD_OUT | CHILD_ERR | CHILD_IN, e) < 0)
		return -1;
	fcntl(c.in, F_SETFL, O_NONBLOCK);
	r = converse(&c, input, out ? out : &out_spare, err ? err : &err_spare,
	    limit, &until);
	if (r == 0)
		r = wait_or_break(&c, &until, &status);
	buf_free(&out_spare);
	buf_free(&err_spare);
	(r < 0 ? child_end_soon : child_end)(&c);
	if (r == -1 && until.shortened) {
		given_up = until.moment_ms > 0;
		return err_set(e, FAULT_TEMP, "%s: interrupted", argv[0]);
	}
	if (r == -2)
		return err_set(e, FAULT_TEMP, "%s: printed more than %zu octets",
		    argv[0], limit);
	if (r < 0)
		return err_set(e, FAULT_TEMP, "%s: did not end in time", argv[0]);
	return child_status(status);
}

int
child_run(const char *const argv[], struct span input, struct buf *out,
    struct buf *err, size_t limit, int64_t deadline, struct err *e)
{
	return run(argv, input, out, err, limit,
	    (struct patience){ deadline, MOMENT_MS, false }, e);
}

int
child_tell(const char *const argv[], struct span input, struct buf *out,
    struct buf *err, size_t limit, int64_t deadline, struct err *e)
{
	return run(argv, input, out, err, limit,
	    (struct patience){ deadline, 0, false }, e);
}

int
child_ask(const char *const argv[], struct buf *out, struct buf *err,
    size_t limit, int64_t deadline, struct err *e)
{
	return child_tell(argv, SPAN(""), out, err, limit, deadline, e);
}
