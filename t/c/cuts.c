/*
 * Every file of a queue cut short at every octet: whatever a crash or a full
 * disk left there is read to the end, without a fault of ours (build with a
 * sanitizer to see reads beyond it), and each answer is one of those that
 * spool.h promises.
 */
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tap.h"
#include "base/child.h"
#include "base/clock.h"
#include "spool/spool.h"

#define CUTS_MOST 2048		/* longer files are cut in their first octets only */

static struct spool *cuts_spool;
static struct entry *cuts_entries;
static size_t cuts_n;
static long long cuts_tried, cuts_wrong;
static bool (*cuts_related)(const char *ref, const char *file);

static void
cuts_read(const struct entry *at, const char *file, off_t length)
{
	struct message m = {0};
	struct body b = {0};
	struct span piece;
	struct err e = {0};
	char *ref = span_dup(buf_span(&at->ref));
	int r = cuts_spool->kind->read(cuts_spool, at, READ_REASONS, &m, &e);
	bool fine = r == 1 ? m.id != NULL && m.ref != NULL && m.env.sender != NULL :
	    r == 0 ? m.id == NULL : r == -1 && e.fault != FAULT_NONE && m.id == NULL;

	message_free(&m);
	e = (struct err){0};
	if ((r = cuts_spool->kind->body(cuts_spool, ref, &b, &e)) == 1)
		while ((r = b.next(&b, &piece, &e)) == 1)
			;
	fine = fine && (r != -1 || e.fault != FAULT_NONE);
	body_close(&b);
	free(ref);
	cuts_tried++;
	if (!fine && cuts_wrong++ < 5)
		printf("# %s cut at %lld\n", file, (long long)length);
}

static int
cuts_file(const char *file, const struct stat *st, int type, struct FTW *ftw)
{
	off_t most = st->st_size < CUTS_MOST ? st->st_size : CUTS_MOST;
	struct timespec times[2] = { st->st_atim, st->st_mtim };
	char *text;
	int fd;

	(void)ftw;
	if (type != FTW_F || st->st_size == 0)
		return 0;
	text = must(malloc((size_t)st->st_size));
	fd = open(file, O_RDWR | O_CLOEXEC);
	if (fd < 0 || pread(fd, text, (size_t)st->st_size, 0) != st->st_size) {
		printf("# cannot cut %s\n", file);
		cuts_wrong++;
	} else {
		for (off_t n = most - 1; n >= 0; n--) {
			if (ftruncate(fd, n) < 0)
				cuts_wrong++;
			for (size_t i = 0; i < cuts_n; i++)
				if (cuts_related(buf_str(&cuts_entries[i].ref), file))
					cuts_read(&cuts_entries[i], file, n);
		}
		if (pwrite(fd, text, (size_t)st->st_size, 0) != st->st_size ||
		    futimens(fd, times) < 0)
			cuts_wrong++;
	}
	if (fd >= 0)
		close(fd);
	free(text);
	return 0;
}

/*
 * Cuts each file of the queue `spec` (KIND:DIR), whose files may be changed.
 * `related`: is this file looked at when that ref is read?
 */
static void
cuts(const char *spec, bool (*related)(const char *ref, const char *file))
{
	struct spool s;
	struct entry at = {0};
	struct err e = {0};
	struct walk *w;
	VEC(struct entry) all = {0};

	if (spool_open(&s, spec, &e) < 0) {
		err_print(&e, "cuts");
		ok(false, "%s opens", spec);
		return;
	}
	w = s.kind->walk(&s, STATES_ALL, &e);
	while (w != NULL && s.kind->next(w, &at, &e) == 1) {
		*vec_add(&all) = at;
		at = (struct entry){0};
	}
	s.kind->walk_end(w);
	buf_free(&at.ref);
	cuts_spool = &s;
	cuts_entries = all.p;
	cuts_n = all.n;
	cuts_related = related;
	cuts_tried = cuts_wrong = 0;
	nftw(s.dir, cuts_file, 16, FTW_PHYS);
	ok(cuts_tried > 0 && cuts_wrong == 0,
	    "%s: %lld files cut short, each read to its end", s.kind->name,
	    cuts_tried);
	for (size_t i = 0; i < all.n; i++)
		buf_free(&all.p[i].ref);
	vec_free(&all);
	spool_close(&s);
}

/* The ID is in the names of all files of a message. */
static bool
same_id(const char *ref, const char *file)
{
	const char *name = ref_name(ref);
	size_t n = strlen(name);
	struct span id = { name, n };

	if (span_ends(id, "-H"))
		id.n -= 2;
	else if (n > 2 && name[1] == 'f')
		id = span_from(id, 2);
	else if (*name == 'Q' || *name == 'C')
		id = span_from(id, 1);
	return memmem(ref_name(file), strlen(ref_name(file)), id.p, id.n) != NULL;
}

/* A message and its text, in a directory of their own. */
static bool
same_directory(const char *ref, const char *file)
{
	size_t n = strlen(ref) - strlen(ref_name(ref));

	return strncmp(ref, file, n) == 0 && (same_id(ref, file) ||
	    strcmp(ref_name(file), "message") == 0);
}

static const struct {
	const char *kind, *layout;
	bool (*related)(const char *ref, const char *file);
} queues[] = {
	{ "postfix", "default", same_id },
	{ "exim", "default", same_id },
	{ "exim", "wireformat", same_id },
	{ "sendmail", "default", same_id },
	{ "opensmtpd", "default", same_directory },
	{ "nullmailer", "default", same_id },
	{ "dma", "default", same_id },
	{ "courier", "default", same_id },
};

int
main(void)
{
	const char *top = getenv("TMPDIR");
	char tmp[4096];
	const char *const unpack[] = { "t/samples/unpack", tmp, NULL };
	const char *const clean[] = { "rm", "-rf", tmp, NULL };
	struct err e = {0};

	snprintf(tmp, sizeof tmp, "%s/tidegate.XXXXXX", top ? top : "/tmp");
	if (mkdtemp(tmp) == NULL || child_run(unpack, (struct span){0}, NULL, NULL,
	    0, clock_in(60000), &e) != 0) {
		err_print(&e, "cuts");
		return 1;
	}
	for (size_t i = 0; i < sizeof queues / sizeof *queues; i++) {
		struct buf spec = {0};

		buf_addf(&spec, "%s:%s/%s/%s/spool", queues[i].kind, tmp,
		    queues[i].kind, queues[i].layout);
		cuts(buf_str(&spec), queues[i].related);
		buf_free(&spec);
	}
	child_run(clean, (struct span){0}, NULL, NULL, 0, clock_in(60000), &e);
	return done_testing();
}
