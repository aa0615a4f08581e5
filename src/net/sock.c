#include "net/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/range.h"

static void
unblock(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void
sock_at_once(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void
address_text(const struct sockaddr *a, socklen_t n, char *to, size_t room)
{
	if (getnameinfo(a, n, to, (socklen_t)room, NULL, 0, NI_NUMERICHOST) != 0)
		*to = '\0';
}

/* Our end as RFC 5321's literal: a HELO name that needs no DNS. */
static void
note_local(struct io *io)
{
	struct sockaddr_storage a;
	socklen_t n = sizeof a;
	char text[NI_MAXHOST];

	if (getsockname(io->in, (struct sockaddr *)&a, &n) < 0 ||
	    (a.ss_family != AF_INET && a.ss_family != AF_INET6))
		return;
	address_text((struct sockaddr *)&a, n, text, sizeof text);
	text[strcspn(text, "%")] = '\0';	/* a zone is no part of a literal */
	snprintf(io->local, sizeof io->local, "[%s%.50s]",
	    a.ss_family == AF_INET6 ? "IPv6:" : "", text);
}

static int
bind_to(int fd, const char *address, int family, struct err *e)
{
	struct addrinfo hints = { .ai_family = family,
	    .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST }, *a;
	int r;

	if (address == NULL)
		return 0;
	if (getaddrinfo(address, NULL, &hints, &a) != 0)
		return err_set(e, FAULT_USAGE,
		    "--bind: `%s' is no address of this family", address);
	r = bind(fd, a->ai_addr, a->ai_addrlen);
	freeaddrinfo(a);
	return r == 0 ? 0 : err_sys(e, "bind to %s", address);
}

static void
set_port(struct sockaddr_storage *a, const char *port)
{
	unsigned short n = htons((unsigned short)atoi(port));

	if (a->ss_family == AF_INET6)
		((struct sockaddr_in6 *)a)->sin6_port = n;
	else
		((struct sockaddr_in *)a)->sin_port = n;
}

int
sock_start(struct io *io, const struct address *to, const char *host,
    const char *port, const struct sock_opts *o, struct err *e)
{
	struct sockaddr_storage a = to->at;
	char text[NI_MAXHOST];
	int fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);

	*io = (struct io){ .in = -1, .out = -1,
	    .near = range_is_loopback(&a) };
	io->child = (struct child){ 0, -1, -1, -1 };
	set_port(&a, port);
	address_text((struct sockaddr *)&a, to->n, text, sizeof text);
	if (strcmp(text, host) != 0)
		buf_adds(&io->name, host);
	buf_addf(&io->name, "[%s]:%s", text, port);
	if (fd < 0)
		return err_sys(e, "socket");
	io->in = io->out = fd;
	sock_at_once(fd);
	if (bind_to(fd, o->bind, a.ss_family, e) < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&a, to->n) == 0 ||
	    errno == EINPROGRESS)
		return 0;
	err_sys(e, "%s: connect", buf_str(&io->name));
	e->fault = FAULT_TEMP;
	return -1;
}

int
sock_finish(struct io *io, struct err *e)
{
	struct pollfd p = { io->out, POLLOUT, 0 };
	int number = 0;
	socklen_t n = sizeof number;

	if (poll(&p, 1, 0) == 0)
		return 0;
	if (getsockopt(io->out, SOL_SOCKET, SO_ERROR, &number, &n) < 0)
		number = errno;
	if (number == 0) {
		note_local(io);
		return 1;
	}
	errno = number;
	err_sys(e, "%s: connect", buf_str(&io->name));
	e->fault = FAULT_TEMP;
	return -1;
}

static int
not_found(const char *host, int why, struct err *e)
{
	bool for_good = why == EAI_NONAME || why == EAI_NODATA;

	return err_set(e, for_good ? FAULT_NOHOST : FAULT_TEMP, "%s: %s", host,
	    why == EAI_SYSTEM ? strerror(errno) : gai_strerror(why));
}

int
sock_addresses(struct addresses *v, const struct peer *p, int family,
    struct err *e)
{
	struct addrinfo hints = { .ai_family = family,
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = p->literal ? AI_NUMERICHOST : 0 }, *all, *a;
	int r = getaddrinfo(p->host, NULL, &hints, &all);

	if (r != 0 && p->literal)
		return err_set(e, FAULT_USAGE, "%s: no address of the family "
		    "that -4, -6 or --bind ask for", p->host);
	if (r != 0)
		return not_found(p->host, r, e);
	for (a = all; a != NULL && v->n < ADDRESS_MAX; a = a->ai_next) {
		struct address *one = vec_add(v);

		memcpy(&one->at, a->ai_addr, a->ai_addrlen);
		one->n = a->ai_addrlen;
	}
	freeaddrinfo(all);
	v->secure = p->literal;
	return 0;
}

static int
open_unix(struct io *io, const struct peer *p, const struct sock_opts *o,
    struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int ms = (int)o->connect_ms;
	struct timeval t = { ms / 1000, ms % 1000 * 1000 + 1 };
	int fd;

	if (strlen(p->path) >= sizeof a.sun_path)
		return err_set(e, FAULT_USAGE, "%s: longer than a socket's path "
		    "may be", p->text);
	memcpy(a.sun_path, p->path, strlen(p->path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* one who does not accept makes us wait in connect() */
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0) {
		err_sys(e, "%s: connect", p->text);
		if (e->fault != FAULT_PERM)
			e->fault = FAULT_TEMP;
		if (fd >= 0)
			close(fd);
		return -1;
	}
	unblock(fd);
	io->in = io->out = fd;
	return 0;
}

static int
open_fd(struct io *io, const struct peer *p, struct err *e)
{
	if (fcntl(p->fd, F_GETFD) < 0)
		return err_set(e, FAULT_USAGE, "%s: not an open descriptor",
		    p->text);
	fcntl(p->fd, F_SETFD, FD_CLOEXEC);
	unblock(p->fd);
	sock_at_once(p->fd);
	io->in = io->out = p->fd;
	return 0;
}

static int
open_exec(struct io *io, const struct sock_opts *o, struct err *e)
{
	if (child_start(&io->child, o->command, CHILD_SOCKET, e) < 0)
		return -1;
	unblock(io->child.in);
	io->in = io->out = io->child.in;
	return 0;
}

int
sock_open(struct io *io, const struct peer *p, const struct sock_opts *o,
    struct err *e)
{
	int r;

	*io = (struct io){ .in = -1, .out = -1, .near = true };
	io->child = (struct child){ 0, -1, -1, -1 };
	buf_adds(&io->name, p->text);
	r = p->kind == PEER_UNIX ? open_unix(io, p, o, e) :
	    p->kind == PEER_FD ? open_fd(io, p, e) : open_exec(io, o, e);
	return r;
}

static bool
is_local(const struct sockaddr *a)
{
	struct ifaddrs *all, *i;
	bool yes = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (i = all; i != NULL && !yes; i = i->ifa_next) {
		if (i->ifa_addr == NULL || i->ifa_addr->sa_family != a->sa_family)
			continue;
		if (a->sa_family == AF_INET)
			yes = memcmp(&((const struct sockaddr_in *)a)->sin_addr,
			    &((struct sockaddr_in *)i->ifa_addr)->sin_addr,
			    4) == 0;
		else if (a->sa_family == AF_INET6)
			yes = memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
			    &((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr,
			    16) == 0;
	}
	freeifaddrs(all);
	return yes;
}

bool
sock_is_ours(const char *host)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *all, *a;
	char name[HOST_NAME_MAX + 1];
	bool yes = false;

	if (gethostname(name, sizeof name) == 0 && strcasecmp(name, host) == 0)
		return true;
	if (getaddrinfo(host, NULL, &hints, &all) != 0)
		return false;
	for (a = all; a != NULL && !yes; a = a->ai_next)
		yes = is_local(a->ai_addr);
	freeaddrinfo(all);
	return yes;
}
