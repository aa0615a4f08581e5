/*
 * nullsink: the fastest SMTP server there is, because it keeps nothing.
 *
 * What a client can do at most is measured against it.  It reads much at a time,
 * looks at commands where they lie, skips the octets of BDAT unseen, and answers
 * what came in one read in one write.  But its replies are right, and in order.
 *
 *	--listen=ADDRESS:PORT	127.0.0.1:0; the port goes to stdout
 *	--no-chunking		do not offer CHUNKING, and do not know BDAT
 *	--no-pipelining		do not offer PIPELINING
 *
 * SIGTERM or SIGINT end it.  Then a line on stdout says what came:
 * sessions N messages N recipients N octets N
 * Octets are those of the texts, as BDAT counts them; dots stay doubled.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define IN_MAX (256 * 1024)
#define OUT_MAX (64 * 1024)
#define REPLY_MAX 256		/* of one command */
#define LINE_MAX_IN 4096

struct session {
	int fd;
	enum { COMMAND, CHUNK, TEXT, JUNK, OVER } state;
	bool greeted, mail, chunks, last;
	bool deaf;		/* waits until its replies can be written */
	unsigned long rcpts;
	unsigned long long left;	/* octets of this chunk to come */
	unsigned long long octets;	/* of this message so far */
	const char *verdict;		/* after this chunk */
	size_t in, at;		/* bytes in `from', and how many are done */
	size_t out, told;	/* the same for `to' */
	char from[IN_MAX];
	char to[OUT_MAX];
};

static bool chunking = true, pipelining = true;
static unsigned long long sessions, messages, recipients, octets;
static volatile sig_atomic_t ended;

static void
on_signal(int sig)
{
	(void)sig;
	ended = 1;
}

static void
die(const char *what)
{
	perror(what);
	exit(71);
}

static void
say(struct session *s, const char *text)
{
	size_t n = strlen(text);

	memcpy(s->to + s->out, text, n);
	s->out += n;
}

static void
forget(struct session *s)
{
	s->mail = s->chunks = false;
	s->rcpts = 0;
	s->octets = 0;
}

static void
received(struct session *s)
{
	messages++;
	recipients += s->rcpts;
	octets += s->octets;
	forget(s);
}

static bool
is_verb(const char *p, size_t n, const char *verb)
{
	return n >= 4 && strncasecmp(p, verb, 4) == 0 && (n == 4 || p[4] == ' ');
}

static void
on_ehlo(struct session *s, bool esmtp)
{
	forget(s);
	s->greeted = true;
	if (!esmtp) {
		say(s, "250 null.test\r\n");
		return;
	}
	say(s, "250-null.test\r\n");
	if (pipelining)
		say(s, "250-PIPELINING\r\n");
	if (chunking)
		say(s, "250-CHUNKING\r\n");
	say(s, "250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 0\r\n");
}

/* `VERB KEY:<...>', whatever stands in it and behind it */
static bool
has_path(const char *p, size_t n, const char *key)
{
	size_t k = strlen(key);

	return n > 5 + k && strncasecmp(p + 5, key, k) == 0 &&
	    memchr(p + 5 + k, '>', n - 5 - k) != NULL;
}

static void
on_mail(struct session *s, const char *p, size_t n)
{
	if (!s->greeted || s->mail)
		say(s, "503 5.5.1 not now\r\n");
	else if (!has_path(p, n, "FROM:<"))
		say(s, "501 5.5.4 MAIL FROM:<address>\r\n");
	else {
		s->mail = true;
		say(s, "250 2.1.0 ok\r\n");
	}
}

static void
on_rcpt(struct session *s, const char *p, size_t n)
{
	if (!s->mail || s->chunks)
		say(s, "503 5.5.1 not now\r\n");
	else if (!has_path(p, n, "TO:<"))
		say(s, "501 5.5.4 RCPT TO:<address>\r\n");
	else {
		s->rcpts++;
		say(s, "250 2.1.5 ok\r\n");
	}
}

static void
on_data(struct session *s, size_t n)
{
	if (n != 4)
		say(s, "501 5.5.4 DATA takes nothing\r\n");
	else if (s->rcpts == 0 || s->chunks)
		say(s, "503 5.5.1 not now\r\n");
	else {
		s->state = TEXT;
		say(s, "354 go on\r\n");
	}
}

/* The octets come whatever the reply is (RFC 3030 section 4.2). */
static void
on_bdat(struct session *s, const char *p, size_t n)
{
	unsigned long long size = 0;
	size_t i = 5;

	for (; i < n && p[i] >= '0' && p[i] <= '9' && i < 5 + 18; i++)
		size = size * 10 + (unsigned)(p[i] - '0');
	s->last = n - i == 5 && strncasecmp(p + i, " LAST", 5) == 0;
	if (i == 5 || (i < n && !s->last)) {
		say(s, "501 5.5.4 BDAT size [LAST]\r\n");
		s->state = OVER;	/* nobody knows where they end */
		return;
	}
	s->state = CHUNK;
	s->left = size;
	s->verdict = NULL;
	if (s->rcpts == 0)
		s->verdict = "503 5.5.1 not now\r\n";
	else
		s->chunks = true;
}

static void
chunk_ended(struct session *s)
{
	s->state = COMMAND;
	if (s->verdict != NULL)
		say(s, s->verdict);
	else if (s->last) {
		received(s);
		say(s, "250 2.0.0 gone\r\n");
	} else
		say(s, "250 2.0.0 more\r\n");
}

static void
obey(struct session *s, const char *p, size_t n)
{
	if (is_verb(p, n, "MAIL"))
		on_mail(s, p, n);
	else if (is_verb(p, n, "RCPT"))
		on_rcpt(s, p, n);
	else if (is_verb(p, n, "BDAT") && chunking)
		on_bdat(s, p, n);
	else if (is_verb(p, n, "RSET")) {
		forget(s);
		say(s, "250 2.0.0 ok\r\n");
	} else if (is_verb(p, n, "DATA"))
		on_data(s, n);
	else if (is_verb(p, n, "EHLO") || is_verb(p, n, "HELO"))
		on_ehlo(s, (p[0] | 0x20) == 'e');
	else if (is_verb(p, n, "NOOP"))
		say(s, "250 2.0.0 ok\r\n");
	else if (is_verb(p, n, "VRFY"))
		say(s, "252 2.5.0 who knows\r\n");
	else if (is_verb(p, n, "QUIT")) {
		say(s, "221 2.0.0 bye\r\n");
		s->state = OVER;
	} else
		say(s, "502 5.5.1 not here\r\n");
}

/* Each of these returns whether there was anything to do. */

static bool
eat_line(struct session *s)
{
	char *p = s->from + s->at;
	size_t n = s->in - s->at;
	char *end = memchr(p, '\n', n);

	if (end == NULL) {
		if (n <= LINE_MAX_IN)
			return false;
		s->state = JUNK;
		return true;
	}
	n = (size_t)(end - p);
	s->at += n + 1;
	if (n == 0 || p[n - 1] != '\r' || n > LINE_MAX_IN)
		say(s, "500 5.5.2 no line, or too long\r\n");
	else
		obey(s, p, n - 1);
	if (s->state == TEXT)
		s->at -= 2;	/* its CRLF may stand before the dot, too */
	return true;
}

static bool
eat_junk(struct session *s)
{
	char *end = memchr(s->from + s->at, '\n', s->in - s->at);

	if (end == NULL) {
		s->at = s->in;
		return false;
	}
	s->at = (size_t)(end - s->from) + 1;
	s->state = COMMAND;
	say(s, "500 5.5.2 too long\r\n");
	return true;
}

static bool
eat_chunk(struct session *s)
{
	size_t n = s->in - s->at;

	if (n > s->left)
		n = (size_t)s->left;
	s->at += n;
	s->left -= n;
	if (s->verdict == NULL)
		s->octets += n;
	if (s->left > 0)
		return false;
	chunk_ended(s);
	return true;
}

/* From `at' on, where a CRLF stands that is not the text's but for the dot. */
static bool
eat_text(struct session *s)
{
	const char *p = s->from + s->at, *end = s->from + s->in, *dot = p;

	while ((dot = memchr(dot, '.', (size_t)(end - dot))) != NULL) {
		if (end - dot < 3)
			break;
		if (dot - p >= 2 && memcmp(dot - 2, "\r\n.\r\n", 5) == 0) {
			s->octets += (size_t)(dot - 2 - p);
			s->at = (size_t)(dot + 3 - s->from);
			s->state = COMMAND;
			received(s);
			say(s, "250 2.0.0 gone\r\n");
			return true;
		}
		dot++;
	}
	if (end - p > 4) {	/* CRLF dot CR may be there already */
		s->octets += (size_t)(end - p) - 4;
		s->at = s->in - 4;
	}
	return false;
}

static bool (*const eat[])(struct session *) = {
	[COMMAND] = eat_line, [CHUNK] = eat_chunk, [TEXT] = eat_text,
	[JUNK] = eat_junk,
};

static bool
flush(struct session *s)
{
	while (s->told < s->out) {
		ssize_t n = send(s->fd, s->to + s->told, s->out - s->told,
		    MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		s->told += (size_t)n;
	}
	s->out = s->told = 0;
	return true;
}

/* Does what can be done with what is there; false when the session is over. */
static bool
work(struct session *s)
{
	bool more = true;

	while (more && s->state != OVER) {
		while (s->state != OVER && s->out <= OUT_MAX - REPLY_MAX &&
		    (more = eat[s->state](s)))
			;
		if (!flush(s))
			return false;
		if (s->out > 0)
			break;
	}
	if (s->at > 0) {
		memmove(s->from, s->from + s->at, s->in - s->at);
		s->in -= s->at;
		s->at = 0;
	}
	return flush(s) && (s->state != OVER || s->out > 0);
}

static bool
hear(struct session *s)
{
	ssize_t n = recv(s->fd, s->from + s->in, IN_MAX - s->in, 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	s->in += (size_t)n;
	return n > 0 && work(s);
}

static void
watch(int poll, struct session *s, int op)
{
	struct epoll_event e = { .data.ptr = s };

	s->deaf = s->out > 0;
	e.events = s->deaf ? EPOLLOUT : EPOLLIN;
	if (epoll_ctl(poll, op, s->fd, &e) < 0)
		die("epoll_ctl");
}

static void
welcome(int poll, int listener)
{
	struct session *s;
	int one = 1, fd = accept4(listener, NULL, NULL,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if ((s = malloc(sizeof *s)) == NULL)
		die("malloc");
	memset(s, 0, offsetof(struct session, from));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	s->fd = fd;
	sessions++;
	say(s, "220 null.test ESMTP\r\n");
	flush(s);
	watch(poll, s, EPOLL_CTL_ADD);
}

static void
serve(int poll, struct session *s)
{
	if (s->deaf ? work(s) : hear(s)) {
		if (s->deaf != (s->out > 0))
			watch(poll, s, EPOLL_CTL_MOD);
		return;
	}
	close(s->fd);
	free(s);
}

static int
listen_at(const char *where)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof a;
	const char *colon = strchr(where, ':');
	char host[16] = "";
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);

	if (colon != NULL && colon - where < (int)sizeof host)
		memcpy(host, where, (size_t)(colon - where));
	if (inet_pton(AF_INET, host, &a.sin_addr) != 1) {
		fprintf(stderr, "nullsink: no ADDRESS:PORT: %s\n", where);
		exit(64);
	}
	a.sin_port = htons((unsigned short)atoi(colon + 1));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 ||
	    listen(fd, 128) < 0 || getsockname(fd, (struct sockaddr *)&a, &n) < 0)
		die(where);
	printf("%d\n", ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

int
main(int argc, char *argv[])
{
	struct sigaction act = { .sa_handler = on_signal };
	struct epoll_event e[64] = {{ .events = EPOLLIN }};
	const char *where = "127.0.0.1:0";
	sigset_t held, before;
	int listener, poll = epoll_create1(EPOLL_CLOEXEC);

	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], "--listen=", 9) == 0)
			where = argv[i] + 9;
		else if (strcmp(argv[i], "--no-chunking") == 0)
			chunking = false;
		else if (strcmp(argv[i], "--no-pipelining") == 0)
			pipelining = false;
		else {
			fprintf(stderr, "nullsink: what is %s?\n", argv[i]);
			return 64;
		}
	sigemptyset(&held);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGINT);
	sigprocmask(SIG_BLOCK, &held, &before);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	listener = listen_at(where);
	if (epoll_ctl(poll, EPOLL_CTL_ADD, listener, e) < 0)
		die("epoll_ctl");
	while (!ended) {
		int n = epoll_pwait(poll, e, 64, -1, &before);

		for (int i = 0; i < n; i++)
			if (e[i].data.ptr == NULL)
				welcome(poll, listener);
			else
				serve(poll, e[i].data.ptr);
	}
	printf("sessions %llu messages %llu recipients %llu octets %llu\n",
	    sessions, messages, recipients, octets);
	return 0;
}
