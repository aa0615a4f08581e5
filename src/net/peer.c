#include "net/peer.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define FD_MAX 65535

/* An IPv6 one may have a zone: fe80::1%eth0. */
bool
peer_is_address(struct span s)
{
	unsigned char raw[16];
	char *text = span_dup((struct span){ s.p, span_find(s, '%') });
	bool yes = (strlen(text) == s.n && inet_pton(AF_INET, text, raw) == 1) ||
	    inet_pton(AF_INET6, text, raw) == 1;

	free(text);
	return yes;
}

static bool
is_port(struct span s)
{
	long long n;

	return span_number(s, &n) && n > 0 && n < 65536;
}

/* Letters, digits and what else names and addresses are made of. */
static bool
is_host(struct span s)
{
	if (s.n == 0 || s.n > 255 || s.p[0] == '-' || s.p[0] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x80 && !((s.p[i] >= 'a' &&
		    s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
		    (s.p[i] >= '0' && s.p[i] <= '9') ||
		    (s.p[i] != '\0' && strchr(".-_:%", s.p[i]) != NULL)))
			return false;
	return true;
}

/* Splits host and port; false when it is neither. */
static bool
split(struct span s, struct span *host, struct span *port)
{
	size_t end;

	*port = (struct span){0};
	if (s.n > 0 && s.p[0] == '[') {
		end = span_find(s, ']');
		if (end == s.n)
			return false;
		*host = (struct span){ s.p + 1, end - 1 };
		if (!peer_is_address(*host))
			return false;
		s = span_from(s, end + 1);
		if (s.n == 0)
			return true;
		*port = span_from(s, 1);
		return s.p[0] == ':' && is_port(*port);
	}
	*host = s;
	end = span_find(s, ':');
	if (end == s.n)
		return true;
	if (span_find(span_from(s, end + 1), ':') + end + 1 < s.n)
		return peer_is_address(s);	/* IPv6 */
	host->n = end;
	*port = span_from(s, end + 1);
	return is_port(*port);
}

static int
parse_host(struct peer *p, const char *what, struct span s, struct err *e)
{
	struct span host, port;

	if (!split(s, &host, &port) || !is_host(host))
		return err_set(e, FAULT_USAGE, "%s: `%.300s' is no peer; write "
		    "host, host:port, [address]:port, unix:/path, fd:N or "
		    "exec:COMMAND", what, p->text);
	p->host = span_dup(host);
	if (port.n > 0)
		p->port = span_dup(port);
	p->literal = peer_is_address(host);
	return 0;
}

int
peer_parse(struct peer *p, const char *what, const char *text, struct err *e)
{
	struct span s = span_of(text);
	long long n;

	*p = (struct peer){ .text = span_dup(s), .fd = -1 };
	if (span_starts(s, "unix:") && s.n > 5) {
		p->kind = PEER_UNIX;
		p->path = span_dup(span_from(s, 5));
		return 0;
	}
	if (span_starts(s, "exec:") && s.n > 5) {
		p->kind = PEER_EXEC;
		p->command = span_dup(span_from(s, 5));
		return 0;
	}
	if (span_starts(s, "fd:") && span_number(span_from(s, 3), &n) &&
	    n <= FD_MAX) {
		p->kind = PEER_FD;
		p->fd = (int)n;
		return 0;
	}
	if (parse_host(p, what, s, e) == 0)
		return 0;
	peer_free(p);
	return -1;
}

void
peer_free(struct peer *p)
{
	free(p->text);
	free(p->host);
	free(p->port);
	free(p->path);
	free(p->command);
	*p = (struct peer){ .fd = -1 };
}
