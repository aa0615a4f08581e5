/*
 * Who is done, while an mbox is drained: FILE.tidegate beside it,
 *
 *	mbox 1 DEVICE INODE SIZE SECONDS.NANOSECONDS
 *	OFFSET<tab>ADDRESS, as in a record (wire/record.h)
 *	...
 *
 * The first line is the file's identity, with the time when its inode was last changed,
 * which nobody can set: whoever writes to it, or brings another one to its place, makes
 * the journal say nothing.  Then mail may go twice; nobody is taken for done who is not.
 * A line that a crash or a full disk cut off ends nowhere, and names nobody.
 */
#include "spool/mbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spool/file.h"
#include "spool/seize.h"

#define JOURNAL_MAX (256 << 20)

static void
put_identity(struct buf *b, const struct stat *st)
{
	buf_addf(b, "mbox 1 %llx %llu %lld %lld.%09ld\n", (unsigned long long)st->st_dev,
	    (unsigned long long)st->st_ino, (long long)st->st_size,
	    (long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

bool
mbox_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	    a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Nearly always behind the last one. */
static void
add(struct mbox *x, off_t at, char *field)
{
	size_t i;

	vec_add(&x->marks);
	for (i = x->marks.n - 1; i > 0 && x->marks.p[i - 1].at > at; i--)
		x->marks.p[i] = x->marks.p[i - 1];
	x->marks.p[i] = (struct mbox_mark){ at, field };
}

static void
parse(struct mbox *x, struct span text)
{
	struct span line, at;
	long long n;

	while (span_find(text, '\n') < text.n && span_cut(&text, '\n', &line))
		if (span_cut(&line, '\t', &at) && span_number(at, &n))
			add(x, (off_t)n, span_dup(line));
}

/*
 * 1, 0 there is none, or it is of somebody who may only put files beside this one (in
 * /tmp): he must not say who is done; -1.
 */
static int
read_journal(const struct mbox *x, const char *name, struct buf *text, struct err *e)
{
	struct stat st;
	int fd, r = file_open(name, &st, &fd, e);

	if (r <= 0)
		return r;
	r = st.st_uid == x->of.st_uid || st.st_uid == geteuid() || st.st_uid == 0;
	if (r && file_text(fd, JOURNAL_MAX, text, e) < 0)
		r = err_in(e, "%s", name);
	close(fd);
	return r;
}

int
mbox_marks_read(struct mbox *x, const char *path, struct err *e)
{
	struct buf name = {0}, text = {0}, ours = {0};
	struct span rest;
	int r;

	mbox_marks_free(x);
	buf_addf(&name, "%s" MBOX_JOURNAL, path);
	r = read_journal(x, buf_str(&name), &text, e);
	put_identity(&ours, &x->of);
	rest = buf_span(&text);
	if (r == 1 && rest.n >= ours.n && memcmp(rest.p, ours.p, ours.n) == 0)
		parse(x, span_from(rest, ours.n));
	buf_free(&name);
	buf_free(&text);
	buf_free(&ours);
	return r < 0 ? -1 : 0;
}

int
mbox_journal_begin(struct mbox *x, const char *path, struct err *e)
{
	struct buf name = {0}, text = {0};
	int r = 0;

	buf_addf(&name, "%s" MBOX_JOURNAL, ref_name(path));
	put_identity(&text, &x->of);
	for (size_t i = 0; i < x->marks.n; i++)
		buf_addf(&text, "%lld\t%s\n", (long long)x->marks.p[i].at,
		    x->marks.p[i].field);
	x->torn = false;
	/* another one's is not written to */
	unlinkat(x->dir, buf_str(&name), 0);
	x->journal = openat(x->dir, name.p, O_WRONLY | O_CREAT | O_EXCL | O_APPEND |
	    O_NOFOLLOW | O_CLOEXEC, 0600);
	if (x->journal < 0 || (geteuid() == 0 &&
	    fchown(x->journal, x->of.st_uid, x->of.st_gid) < 0) ||
	    seize_write(x->journal, buf_span(&text)) < 0 || fsync(x->journal) < 0 ||
	    fsync(x->dir) < 0)
		r = err_sys(e, "%s" MBOX_JOURNAL ": make it", path);
	buf_free(&name);
	buf_free(&text);
	return r;
}

int
mbox_journal_add(struct mbox *x, off_t at, const char *address, struct err *e)
{
	struct buf field = {0}, line = {0};
	off_t end = lseek(x->journal, 0, SEEK_END);
	int r = 0;

	field_add(&field, span_of(address));
	buf_addf(&line, "%lld\t%s\n", (long long)at, buf_str(&field));
	if (x->torn) {
		r = err_set(e, FAULT_IO, "the journal of an mbox ends in half a line");
	} else if (end < 0 || seize_write(x->journal, buf_span(&line)) < 0) {
		r = err_sys(e, "the journal of an mbox");
		/* half a line must not go on with the next one */
		x->torn = end < 0 || ftruncate(x->journal, end) < 0;
	}
	buf_free(&line);
	/* to us he is done all the same */
	add(x, at, span_dup(buf_span(&field)));
	buf_free(&field);
	x->marked = true;
	return r;
}

size_t
mbox_marks_before(const struct mbox *x, off_t at)
{
	size_t low = 0, high = x->marks.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (x->marks.p[mid].at < at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
mbox_marks_apply(const struct mbox *x, const struct stat *st, off_t at,
    struct envelope *v)
{
	size_t first = mbox_marks_before(x, at), n = mbox_marks_before(x, at + 1) - first;
	struct buf field = {0};
	const char **done, *one;

	if (n == 0 || !mbox_same(st, &x->of))
		return;
	done = must(calloc(n, sizeof *done));
	for (size_t i = 0; i < n; i++)
		done[i] = x->marks.p[first + i].field;
	qsort(done, n, sizeof *done, by_text);
	for (size_t i = 0; i < v->rcpts.n; i++) {
		buf_clear(&field);
		field_add(&field, span_of(v->rcpts.p[i].address));
		one = buf_str(&field);
		if (bsearch(&one, done, n, sizeof *done, by_text) != NULL)
			v->rcpts.p[i].done = true;
	}
	buf_free(&field);
	free(done);
}

void
mbox_marks_free(struct mbox *x)
{
	for (size_t i = 0; i < x->marks.n; i++)
		free(x->marks.p[i].field);
	vec_free(&x->marks);
}
