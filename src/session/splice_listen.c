#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/range.h"
#include "session/splice.h"

#define WAITING 128		/* connections of the MTA whose turn has not come */

/* NULL: it is none where only this host can call. */
static struct addrinfo *
place_of(const struct peer *p, struct err *e)
{
	struct addrinfo want = { .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV }, *a;

	if (p->port == NULL || getaddrinfo(p->host, p->port, &want, &a) != 0) {
		err_set(e, FAULT_CONFIG, "%s: it is address:port", p->text);
		return NULL;
	}
	if (range_is_loopback(a->ai_addr))
		return a;
	freeaddrinfo(a);
	err_set(e, FAULT_CONFIG, "%s: others could reach that; it is an address of "
	    "loopback, like 127.0.0.2:625", p->text);
	return NULL;
}

static int
bind_address(int fd, const struct addrinfo *a, const struct peer *p, struct err *e)
{
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, a->ai_addr, a->ai_addrlen) == 0)
		return 0;
	err_sys(e, "listen at %s", p->text);
	if (errno == EADDRINUSE)
		e->fault = FAULT_TEMP;
	return -1;
}

static int
listen_at(const struct peer *p, struct err *e)
{
	struct addrinfo *a = place_of(p, e);
	int fd, r;

	if (a == NULL)
		return -1;
	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	r = fd < 0 ? err_sys(e, "socket") : bind_address(fd, a, p, e);
	freeaddrinfo(a);
	if (r == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Is it a socket that somebody left? */
static bool
is_left(const struct sockaddr_un *a)
{
	struct stat st;
	bool one = lstat(a->sun_path, &st) == 0 && S_ISSOCK(st.st_mode);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool left = one && fd >= 0 && connect(fd, (const struct sockaddr *)a, sizeof *a) < 0 &&
	    errno == ECONNREFUSED;

	if (fd >= 0)
		close(fd);
	return left;
}

static int
bind_file(int fd, const struct peer *p, int group, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	mode_t mask;
	int r;

	if (strlen(p->path) >= sizeof a.sun_path)
		return err_set(e, FAULT_CONFIG, "%s: too long for a socket", p->text);
	memcpy(a.sun_path, p->path, strlen(p->path));
	if (is_left(&a))
		unlink(p->path);
	mask = umask(0177);
	r = bind(fd, (const struct sockaddr *)&a, sizeof a);
	umask(mask);
	if (r < 0) {
		err_sys(e, "listen at %s", p->text);
		if (errno == EADDRINUSE)
			e->fault = FAULT_TEMP;
		return -1;
	}
	if ((group >= 0 && lchown(p->path, (uid_t)-1, (gid_t)group) < 0) ||
	    chmod(p->path, 0660) < 0)
		return err_sys(e, "%s", p->path);
	return 0;
}

static int
listen_in(const struct peer *p, int group, struct err *e)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_sys(e, "socket");
	if (bind_file(fd, p, group, e) == 0)
		return fd;
	close(fd);
	return -1;
}

int
splice_check(const struct peer *p, struct err *e)
{
	struct addrinfo *a = place_of(p, e);

	if (a == NULL)
		return -1;
	freeaddrinfo(a);
	return 0;
}

int
splice_listen(const struct peer *p, int group, struct err *e)
{
	int fd;

	if (p->kind != PEER_HOST && p->kind != PEER_UNIX)
		return err_set(e, FAULT_CONFIG, "%s: nobody can listen there", p->text);
	fd = p->kind == PEER_HOST ? listen_at(p, e) : listen_in(p, group, e);
	if (fd >= 0 && listen(fd, WAITING) < 0) {
		err_sys(e, "listen at %s", p->text);
		close(fd);
		return -1;
	}
	return fd;
}
