#include "net/sighting.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/*
 *	sl local_address rem_address st tx_queue:rx_queue tr:when retrnsmt uid timeout inode
 *
 * with more behind it; an address is `0100007F:0019`, its 32-bit words as this
 * machine has them in memory, the port as a number.
 */
enum { LOCAL = 1, REMOTE = 2, STATE = 3, INODE = 9, FIELDS = 10 };

static bool
read_hex(struct span s, uint32_t *n)
{
	*n = 0;
	for (size_t i = 0; i < s.n; i++) {
		int c = s.p[i] | 0x20;
		int digit = c >= '0' && c <= '9' ? c - '0' :
		    c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

		if (digit < 0 || i == 8)
			return false;
		*n = *n << 4 | (uint32_t)digit;
	}
	return s.n > 0;
}

static bool
read_end(struct span s, struct in6_addr *a, uint16_t *port)
{
	size_t n = span_find(s, ':');
	uint32_t word[4], number;

	if ((n != 8 && n != 32) || !read_hex(span_from(s, n + 1), &number) ||
	    number > 65535)
		return false;
	*port = (uint16_t)number;
	for (size_t i = 0; i < n / 8; i++)
		if (!read_hex((struct span){ s.p + i * 8, 8 }, &word[i]))
			return false;
	*a = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
	if (n == 8)
		memcpy(&a->s6_addr[12], word, 4);
	else
		memcpy(a, word, 16);
	return true;
}

static size_t
fields(struct span line, struct span f[FIELDS])
{
	size_t n = 0;

	while (n < FIELDS && span_cut(&line, ' ', &f[n]))
		if (f[n].n > 0)
			n++;
	return n;
}

static void
parse_line(struct sightings *v, uint16_t port, struct span line)
{
	struct sighting s = { .octets = -1 };
	struct span f[FIELDS];
	uint16_t local;
	uint32_t state;
	long long inode;

	if (fields(line, f) < FIELDS || !read_end(f[LOCAL], &s.to, &local) ||
	    local != port || !read_end(f[REMOTE], &s.from, &s.port) ||
	    !read_hex(f[STATE], &state) || !span_number(f[INODE], &inode) ||
	    state > 255)
		return;
	s.id = (uint64_t)inode;
	sightings_add(v, &s, (int)state);
}

void
sightings_parse(struct sightings *v, uint16_t port, struct span text)
{
	struct span line;

	while (span_cut(&text, '\n', &line))
		parse_line(v, port, line);
}

/* A file that need not be there is empty then. */
static int
slurp(struct buf *b, const char *path, bool needed, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;

	if (fd < 0 && errno == ENOENT && !needed)
		return 0;
	while (fd >= 0 && n > 0) {
		n = read(fd, buf_room(b, 65536), 65536);
		if (n > 0)
			b->n += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	if (fd < 0 || n < 0) {
		err_sys(e, "%s", path);
		e->fault = FAULT_OS;
	}
	if (fd >= 0)
		close(fd);
	return fd < 0 || n < 0 ? -1 : 0;
}

static int
look_at(struct sightings *v, uint16_t port, const char *dir, const char *name,
    bool needed, struct err *e)
{
	struct buf path = {0}, text = {0};
	int r;

	buf_addf(&path, "%s/net/%s", dir, name);
	r = slurp(&text, buf_str(&path), needed, e);
	if (r == 0)
		sightings_parse(v, port, buf_span(&text));
	buf_free(&text);
	buf_free(&path);
	return r;
}

/* A host without IPv6 has no tcp6. */
int
sightings_proc(struct sightings *v, uint16_t port, const char *dir,
    struct err *e)
{
	return look_at(v, port, dir, "tcp", true, e) < 0 ||
	    look_at(v, port, dir, "tcp6", false, e) < 0 ? -1 : 0;
}
