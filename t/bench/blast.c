/*
 * blast: what a client could do at best, to be compared with one that is of use.
 *
 * It has all messages in memory before it connects, says them in one stream, and
 * only counts the replies.  It decides nothing: no refusal is looked at before
 * the end, no lost connection is made again.
 *
 *	blast [--data] [--in-flight=N] [--times=N] ADDRESS:PORT <records
 *
 *	--data		groups of text, MAIL, RCPT, DATA instead of BDAT
 *	--in-flight=N	no more messages without a reply; 0, no limit, otherwise
 *	--bytes		only say how many bytes it would send
 *
 * The seconds from before connect() to the last reply go to stdout.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"

/* What may be said at once: where it ends, and the replies that makes in all. */
struct piece {
	size_t end;
	unsigned long replies;
};

static struct buf stream;
static VEC(struct piece) pieces;

static void
die(const char *what)
{
	perror(what);
	exit(75);
}

static void
piece_ends(unsigned long replies)
{
	if (pieces.n > 0)
		replies += pieces.p[pieces.n - 1].replies;
	*vec_add(&pieces) = (struct piece){ stream.n, replies };
}

/* The text of a file, its line ends made CRLF, without its trace headers. */
static void
text_read(struct buf *text, const char *name, bool dots)
{
	FILE *f = fopen(name, "r");
	bool top = true;
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	buf_clear(text);
	if (f == NULL)
		die(name);
	while ((n = getline(&line, &room, f)) > 0) {
		if (top && (strncasecmp(line, "Return-Path:", 12) == 0 ||
		    strncasecmp(line, "Delivered-To:", 13) == 0))
			continue;
		top = false;
		if (dots && line[0] == '.')
			buf_addc(text, '.');
		buf_add(text, line, (size_t)n - (line[n - 1] == '\n'));
		buf_adds(text, "\r\n");
	}
	free(line);
	fclose(f);
}

/* Returns how many replies that makes. */
static unsigned long
envelope_add(char *record)
{
	unsigned long replies = 1;
	char *rcpt, *sender = strsep(&record, "\t");

	buf_addf(&stream, "MAIL FROM:<%s>\r\n",
	    strcmp(sender, "<>") != 0 ? sender : "");
	while ((rcpt = strsep(&record, "\t")) != NULL) {
		buf_addf(&stream, "RCPT TO:<%s>\r\n", rcpt);
		replies++;
	}
	return replies;
}

static void
bdat_add(const char *ref, char *envelope)
{
	static struct buf text;
	unsigned long replies = 1;

	if (pieces.n > 0) {
		buf_adds(&stream, "RSET\r\n");
		replies++;
	}
	replies += envelope_add(envelope);
	text_read(&text, ref, false);
	buf_addf(&stream, "BDAT %zu LAST\r\n", text.n);
	buf_addspan(&stream, buf_span(&text));
	piece_ends(replies);
}

/* The text goes with the next envelope; NULL, NULL: there is none. */
static void
data_add(const char *ref, char *envelope)
{
	static struct buf text;
	unsigned long replies = 0;

	if (pieces.n > 0) {
		buf_addspan(&stream, buf_span(&text));
		buf_adds(&stream, ".\r\n");
		replies++;
	}
	if (ref != NULL) {
		replies += envelope_add(envelope) + 1;
		buf_adds(&stream, "DATA\r\n");
		text_read(&text, ref, true);
	}
	piece_ends(replies);
}

static void
read_records(bool data)
{
	char *line = NULL, *rest, *ref;
	size_t room = 0;
	ssize_t n;

	while ((n = getline(&line, &room, stdin)) > 0) {
		line[n - (line[n - 1] == '\n')] = '\0';
		rest = line;
		ref = strsep(&rest, "\t");
		if (rest != NULL)
			(data ? data_add : bdat_add)(ref, rest);
	}
	free(line);
	if (data && pieces.n > 0)
		data_add(NULL, NULL);
}

static int
dial(const char *where)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	const char *colon = strchr(where, ':');
	char host[16] = "";
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (colon != NULL && colon - where < (int)sizeof host)
		memcpy(host, where, (size_t)(colon - where));
	if (inet_pton(AF_INET, host, &a.sin_addr) != 1) {
		fprintf(stderr, "blast: no ADDRESS:PORT: %s\n", where);
		exit(64);
	}
	a.sin_port = htons((unsigned short)atoi(colon + 1));
	if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
		die(where);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

/* Counts replies: lines whose fourth octet is no hyphen. */
static struct {
	unsigned long n, bad;
	size_t column;
	char first;
} replies;

static void
count(const char *p, size_t n)
{
	for (; n > 0; p++, n--) {
		if (replies.column == 0)
			replies.first = *p;
		if (replies.column == 3 && *p != '-') {
			replies.n++;
			replies.bad += replies.first > '3';
		}
		replies.column = *p == '\n' ? 0 : replies.column + 1;
	}
}

static void
hear(int fd, int flags)
{
	static char in[64 * 1024];
	ssize_t n = recv(fd, in, sizeof in, flags);

	if (n == 0) {
		fputs("blast: they hung up\n", stderr);
		exit(75);
	}
	if (n < 0 && errno != EAGAIN)
		die("recv");
	if (n > 0)
		count(in, (size_t)n);
}

static void
wait_for(int fd, unsigned long n)
{
	while (replies.n < n)
		hear(fd, 0);
}

/* How far one may speak now. */
static size_t
limit(size_t window)
{
	static size_t done;

	while (done < pieces.n && pieces.p[done].replies <= replies.n)
		done++;
	if (window == 0 || done + window >= pieces.n)
		return stream.n;
	return pieces.p[done + window - 1].end;
}

static void
converse(int fd, size_t window)
{
	size_t sent = 0, may;
	unsigned long all = pieces.p[pieces.n - 1].replies;

	while (replies.n < all) {
		struct pollfd p = { fd, POLLIN, 0 };

		if ((may = limit(window)) > sent)
			p.events |= POLLOUT;
		if (poll(&p, 1, -1) < 0)
			die("poll");
		if (p.revents & (POLLIN | POLLHUP | POLLERR))
			hear(fd, MSG_DONTWAIT);
		if (p.revents & POLLOUT) {
			ssize_t n = send(fd, stream.p + sent, may - sent,
			    MSG_DONTWAIT | MSG_NOSIGNAL);

			if (n < 0 && errno != EAGAIN)
				die("send");
			sent += n > 0 ? (size_t)n : 0;
		}
	}
}

int
main(int argc, char *argv[])
{
	static const char hello[] = "EHLO blast.test\r\n";
	struct timespec a, b;
	bool data = false, bytes = false;
	size_t window = 0;
	const char *where = NULL;
	int fd;

	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--data") == 0)
			data = true;
		else if (strcmp(argv[i], "--bytes") == 0)
			bytes = true;
		else if (strncmp(argv[i], "--in-flight=", 12) == 0)
			window = (size_t)atol(argv[i] + 12);
		else
			where = argv[i];
	read_records(data);
	if ((where == NULL && !bytes) || pieces.n == 0) {
		fputs("usage: blast [--data] [--in-flight=N] [--bytes] "
		    "ADDRESS:PORT <records\n", stderr);
		return 64;
	}
	buf_adds(&stream, "QUIT\r\n");
	if (bytes) {
		printf("%zu\n", sizeof hello - 1 + stream.n);
		return 0;
	}
	clock_gettime(CLOCK_MONOTONIC, &a);
	fd = dial(where);
	wait_for(fd, 1);
	if (send(fd, hello, sizeof hello - 1, 0) < 0)
		die("send");
	wait_for(fd, 2);
	replies.n = replies.bad = 0;
	converse(fd, data ? 1 : window);
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%.6f\n", (double)(b.tv_sec - a.tv_sec) +
	    (double)(b.tv_nsec - a.tv_nsec) / 1e9);
	if (replies.bad > 0)
		fprintf(stderr, "blast: %lu refusals\n", replies.bad);
	return replies.bad > 0 ? 69 : 0;
}
