/*
 * The record stream of a Postfix queue file: a type octet, a length in 7 bits
 * an octet (least significant first, the high bit says more), the data.  No
 * padding, no alignment.
 *
 * A `p` record is a pointer: milters' edits leave them in every segment, and
 * what they point at is read as if it stood there.  A chain that is sound never
 * comes to the same octet twice, so more octets than the file has is a loop.
 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/postfix.h"

#define FIRST_READ 4096		/* nearly every queue file but its text */
#define NEXT_READ 32768
#define LENGTH_OCTETS 5
#define RECORD_MAX (4 << 20)	/* Postfix's own are 2 kB: line_length_limit */

enum { POINTER = 'p', PADDING = 'w' };

static int
damaged(const struct pf_reader *r, const char *how, struct err *e)
{
	return err_set(e, FAULT_DATA, "damaged at octet %lld: %s",
	    (long long)r->record, how);
}

/* Has `n` octets stand behind `used`: 1; 0 the file ends before; -1. */
static int
have(struct pf_reader *r, size_t n, struct err *e)
{
	size_t want;
	ssize_t got;

	while (r->in.n - r->used < n) {
		want = r->at == 0 && r->in.n == 0 ? FIRST_READ : NEXT_READ;
		if (want < n)
			want = n;
		r->at += (off_t)r->used;
		buf_drop(&r->in, r->used);
		r->used = 0;
		got = pread(r->fd, buf_room(&r->in, want), want,
		    r->at + (off_t)r->in.n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, "read");
		if (got == 0)
			return 0;
		r->in.n += (size_t)got;
	}
	return 1;
}

/* The length behind the type octet, and how many octets tell it; -1. */
static int
length(struct pf_reader *r, size_t *n, struct err *e)
{
	unsigned char c;
	int got, i = 0;

	*n = 0;
	do {
		if (i == LENGTH_OCTETS)
			return damaged(r, "a length without end", e);
		if ((got = have(r, (size_t)i + 2, e)) < 0)
			return -1;
		if (got == 0)
			return damaged(r, "the file ends within a record", e);
		c = (unsigned char)r->in.p[r->used + (size_t)i + 1];
		*n |= (size_t)(c & 0x7f) << 7 * i++;
	} while (c & 0x80);
	return i;
}

/* One record as it lies in the file. */
static int
one(struct pf_reader *r, struct span *data, struct err *e)
{
	int got, octets, type;
	size_t n, all;

	r->record = pf_tell(r);
	if ((got = have(r, 1, e)) <= 0)
		return got;
	if ((octets = length(r, &n, e)) < 0)
		return -1;
	all = 1 + (size_t)octets + n;
	if (n > RECORD_MAX || r->record + (off_t)all > r->end)
		return damaged(r, "a record longer than the file", e);
	if ((r->seen += (off_t)all) > r->end)
		return damaged(r, "pointers that go in circles", e);
	if ((got = have(r, all, e)) < 0)
		return -1;
	if (got == 0)
		return damaged(r, "the file ends within a record", e);
	type = (unsigned char)r->in.p[r->used];
	if (type == 0)
		return damaged(r, "no record", e);
	*data = (struct span){ r->in.p + r->used + 1 + octets, n };
	r->used += all;
	return type;
}

static void
jump(struct pf_reader *r, off_t to)
{
	if (to >= r->at && to <= r->at + (off_t)r->in.n) {
		r->used = (size_t)(to - r->at);
		return;
	}
	buf_clear(&r->in);
	r->at = to;
	r->used = 0;
}

/* 0 in a pointer: none yet, go on behind it. */
static int
follow(struct pf_reader *r, struct span data, struct err *e)
{
	long long to;

	if (!span_number(span_trim(data), &to) || to >= r->end)
		return damaged(r, "a pointer to nowhere", e);
	if (to == 0)
		return 0;
	r->jumps++;
	jump(r, to);
	return 0;
}

static int
ask_size(struct pf_reader *r, struct err *e)
{
	struct stat st;

	if (r->end > 0)
		return 0;
	if (fstat(r->fd, &st) < 0)
		return err_sys(e, "stat");
	r->end = st.st_size;
	return 0;
}

int
pf_record(struct pf_reader *r, struct span *data, struct err *e)
{
	int type;

	if (ask_size(r, e) < 0)
		return -1;
	while ((type = one(r, data, e)) > 0) {
		if (type == POINTER) {
			if (follow(r, *data, e) < 0)
				return -1;
		} else if (type != PADDING) {
			return type;
		}
	}
	return type;
}

void
pf_seek(struct pf_reader *r, off_t to)
{
	r->seen = 0;
	jump(r, to);
}

off_t
pf_tell(const struct pf_reader *r)
{
	return r->at + (off_t)r->used;
}

void
pf_reader_free(struct pf_reader *r)
{
	buf_free(&r->in);
}
