/* Listens, and keeps order among the processes. */
#ifndef T_SINK_SERVER_H
#define T_SINK_SERVER_H

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/vec.h"
#include "log.h"

struct pids { pid_t *p; size_t n, room; };

static volatile sig_atomic_t enough;

static void
on_signal(int number)
{
	if (number != SIGCHLD)
		enough = 1;
}

static int
bind_to(const char *address)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_PASSIVE,
	    .ai_socktype = SOCK_STREAM }, *a;
	const char *colon = strrchr(address, ':');
	int fd, on = 1;
	char *host;

	if (colon == NULL) {
		errno = EINVAL;
		die(address);
	}
	host = span_dup((struct span){ address, (size_t)(colon - address) });
	if (getaddrinfo(host, colon + 1, &hints, &a) != 0) {
		errno = EADDRNOTAVAIL;
		die(address);
	}
	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (fd < 0 || bind(fd, a->ai_addr, a->ai_addrlen) < 0 ||
	    listen(fd, 64) < 0)
		die(address);
	freeaddrinfo(a);
	free(host);
	return fd;
}

static void
tell_port(int fd, const char *name)
{
	struct sockaddr_storage a;
	socklen_t n = sizeof a;
	char port[32];
	struct buf tmp = {0};
	FILE *f = stdout;

	if (getsockname(fd, (struct sockaddr *)&a, &n) < 0 ||
	    getnameinfo((struct sockaddr *)&a, n, NULL, 0, port, sizeof port,
	    NI_NUMERICSERV) != 0)
		die("port");
	buf_addf(&tmp, "%s.tmp", name ? name : "");
	if (name != NULL && (f = fopen(buf_str(&tmp), "w")) == NULL)
		die(name);
	fprintf(f, "%s\n", port);
	if (fflush(f) != 0 || (name != NULL && (fclose(f) != 0 ||
	    rename(buf_str(&tmp), name) < 0)))
		die(name ? name : "stdout");
	buf_free(&tmp);
}

/* A connection is a process group: what ETRN started goes with it. */
static void
accept_one(int fd, void (*session)(int in, int out), struct pids *children,
    const sigset_t *mask)
{
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	pid_t pid;

	if (peer < 0)
		return;
	if ((pid = fork()) < 0)
		die("fork");
	if (pid == 0) {
		setpgid(0, 0);
		signal(SIGTERM, SIG_DFL);
		signal(SIGINT, SIG_DFL);
		signal(SIGCHLD, SIG_DFL);	/* what ETRN started ends no read() */
		sigprocmask(SIG_SETMASK, mask, NULL);
		close(fd);
		session(peer, peer);
		close(peer);
		while (wait(NULL) > 0)
			;
		_exit(0);
	}
	setpgid(pid, pid);
	close(peer);
	*vec_add(children) = pid;
}

static void
reap(struct pids *children, int how)
{
	for (size_t i = 0; i < children->n;) {
		if (waitpid(children->p[i], NULL, how) != 0)
			children->p[i] = children->p[--children->n];
		else
			i++;
	}
}

/* Until TERM or INT.  A process a connection. */
static void
serve(int fd, const char *name, void (*session)(int in, int out))
{
	struct sigaction act = { .sa_handler = on_signal };
	struct pids children = {0};
	struct pollfd p = { fd, POLLIN, 0 };
	sigset_t held, mask;

	sigemptyset(&held);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGCHLD);
	sigprocmask(SIG_BLOCK, &held, &mask);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGCHLD, &act, NULL);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	tell_port(fd, name);
	while (!enough) {
		if (ppoll(&p, 1, NULL, &mask) > 0)
			accept_one(fd, session, &children, &mask);
		reap(&children, WNOHANG);
	}
	close(fd);
	for (size_t i = 0; i < children.n; i++)
		kill(-children.p[i], SIGTERM);
	reap(&children, 0);
	vec_free(&children);
}

#endif
