#include "net/sighting.h"

#ifdef __linux__
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "net/range.h"

#define PIECE 65536		/* a dump's datagrams are 32 KiB at most */
#define PATIENCE_S 5		/* the kernel answers at once */
#define ALL_STATES 0xfff
#define CLOSING 11	/* TCP_CLOSING of <netinet/tcp.h>, with which <linux/tcp.h> is at odds */

struct question {
	struct nlmsghdr head;
	struct inet_diag_req_v2 body;
};

static int
ask(int fd, int family, uint16_t port, struct err *e)
{
	struct question q = {
		.head = { .nlmsg_len = sizeof q,
		    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .sdiag_family = (uint8_t)family,
		    .sdiag_protocol = IPPROTO_TCP,
		    .idiag_ext = 1 << (INET_DIAG_INFO - 1),
		    .idiag_states = ALL_STATES,
		    .id.idiag_sport = htons(port) },
	};
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	if (sendto(fd, &q, sizeof q, 0, (struct sockaddr *)&kernel,
	    sizeof kernel) == sizeof q)
		return 0;
	return err_sys(e, "netlink");
}

static int64_t
octets(const struct inet_diag_msg *m, size_t n)
{
	size_t at = NLMSG_ALIGN(sizeof *m);
	struct rtattr a;
	uint64_t count;

	for (; at + sizeof a <= n; at += RTA_ALIGN(a.rta_len)) {
		memcpy(&a, (const char *)m + at, sizeof a);
		if (a.rta_len < sizeof a || a.rta_len > n - at)
			break;
		/* kernels before 4.1 do not count them */
		if (a.rta_type != INET_DIAG_INFO || a.rta_len < RTA_LENGTH(0) +
		    offsetof(struct tcp_info, tcpi_bytes_received) +
		    sizeof count)
			continue;
		memcpy(&count, (const char *)m + at + RTA_LENGTH(0) +
		    offsetof(struct tcp_info, tcpi_bytes_received),
		    sizeof count);
		return count < INT64_MAX ? (int64_t)count : INT64_MAX;
	}
	return -1;
}

static struct in6_addr
address(int family, const void *at)
{
	struct in_addr four;
	struct in6_addr six;

	memcpy(&four, at, sizeof four);
	memcpy(&six, at, sizeof six);
	return family == AF_INET ? range_of_ipv4(&four) : six;
}

static void
take(struct sightings *v, uint16_t port, const struct inet_diag_msg *m,
    size_t n, bool ended)
{
	struct sighting s = { .port = ntohs(m->id.idiag_dport) };

	if (n < sizeof *m || ntohs(m->id.idiag_sport) != port ||
	    (ended && s.port == 0))	/* somebody listened */
		return;
	s.to = address(m->idiag_family, m->id.idiag_src);
	s.from = address(m->idiag_family, m->id.idiag_dst);
	s.id = (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0];
	s.octets = octets(m, n);
	/* both sides have closed it: their FIN has been counted */
	sightings_add(v, &s, ended ? CLOSING : m->idiag_state);
}

/* The number behind NLMSG_DONE and NLMSG_ERROR is 0 or an errno below 0. */
static int
is_last(const struct nlmsghdr *h, struct err *e)
{
	int number = 0;

	if (h->nlmsg_len >= NLMSG_LENGTH(sizeof number))
		memcpy(&number, NLMSG_DATA(h), sizeof number);
	if (number >= 0 && h->nlmsg_type == NLMSG_DONE)
		return 1;
	errno = number < 0 ? -number : EPROTO;
	return err_sys(e, "netlink");
}

/* 1 that was all, 0 more will come, -1. */
static int
parse(struct sightings *v, uint16_t port, const char *p, size_t n,
    bool ended, struct err *e)
{
	const struct nlmsghdr *h = (const void *)p;

	for (int left = (int)n; NLMSG_OK(h, (unsigned)left);
	    h = NLMSG_NEXT(h, left)) {
		if (h->nlmsg_type == NLMSG_DONE ||
		    h->nlmsg_type == NLMSG_ERROR)
			return is_last(h, e);
		if (h->nlmsg_type == SOCK_DIAG_BY_FAMILY)
			take(v, port, NLMSG_DATA(h),
			    h->nlmsg_len - NLMSG_LENGTH(0), ended);
	}
	return 0;
}

static int
hear(struct sightings *v, int fd, uint16_t port, struct buf *room,
    struct err *e)
{
	struct sockaddr_nl from;
	socklen_t size;
	ssize_t n;
	int r = 0;

	while (r == 0) {
		size = sizeof from;
		n = recvfrom(fd, buf_room(room, PIECE), PIECE, MSG_TRUNC,
		    (struct sockaddr *)&from, &size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "netlink");
		if (n > PIECE)
			return err_set(e, FAULT_OS, "netlink: a piece of %zd "
			    "octets", n);
		if (from.nl_pid == 0)	/* the kernel's */
			r = parse(v, port, room->p, (size_t)n, false, e);
	}
	return r < 0 ? -1 : 0;
}

int
sightings_diag(struct sightings *v, uint16_t port, struct err *e)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct timeval patience = { PATIENCE_S, 0 };
	struct buf room = {0};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	int r = fd < 0 ? err_sys(e, "netlink") : 0;

	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		    sizeof patience);
	for (size_t i = 0; r == 0 && i < 2; i++)
		if (ask(fd, families[i], port, e) < 0 ||
		    hear(v, fd, port, &room, e) < 0)
			r = -1;
	buf_free(&room);
	if (fd >= 0)
		close(fd);
	if (r < 0)
		e->fault = FAULT_OS;
	return r;
}

int
sightings_listen(void)
{
	struct sockaddr_nl us = { .nl_family = AF_NETLINK,
	    .nl_groups = 1 << (SKNLGRP_INET_TCP_DESTROY - 1) |
	    1 << (SKNLGRP_INET6_TCP_DESTROY - 1) };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    NETLINK_SOCK_DIAG);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&us, sizeof us) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Where more has ended than there was room for, it is at least so much. */
void
sightings_ended(struct sightings *v, uint16_t port, int fd)
{
	struct err ignored = {0};
	struct sockaddr_nl from;
	struct buf room = {0};
	socklen_t size;
	ssize_t n;

	for (;;) {
		size = sizeof from;
		n = recvfrom(fd, buf_room(&room, PIECE), PIECE, 0,
		    (struct sockaddr *)&from, &size);
		if (n < 0 && errno != EINTR && errno != ENOBUFS)
			break;
		if (n > 0 && from.nl_pid == 0)
			parse(v, port, room.p, (size_t)n, true, &ignored);
	}
	buf_free(&room);
}

#else

int
sightings_listen(void)
{
	return -1;
}

void
sightings_ended(struct sightings *v, uint16_t port, int fd)
{
	(void)v, (void)port, (void)fd;
}

int
sightings_diag(struct sightings *v, uint16_t port, struct err *e)
{
	(void)v, (void)port;
	return err_set(e, FAULT_OS, "netlink: only Linux has it");
}

#endif
