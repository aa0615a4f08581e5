/*
 * The Exims that run on this host as daemons, by their command lines: only these tell
 * with which configuration (-C) a queue other than the usual one is worked on, and
 * whether queue runs begin by themselves.
 *
 * Anybody may call a process whatever he likes, so it counts for a queue only when it is
 * root's or the queue's owner's; and a configuration is used, by root perhaps, only when
 * nobody but root can write it.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spool/exim.h"
#include "spool/program.h"

#define WORDS_MAX 4096
#define DAEMONS_MAX 100

/* ---- one command line ---- */

/* What stands behind -q: `[qiffl][Gname/]20m'.  False: it starts no runs again and again. */
static bool
take_runs(struct span word, struct span next, struct exim_runs *r)
{
	size_t n = 2;

	while (n < word.n && strchr("qifl", word.p[n]) != NULL)
		n++;
	word = span_from(word, n);
	if (word.n > 0 && *word.p == 'G') {
		word = span_from(word, 1);
		if (!span_cut(&word, '/', &r->queue))
			return false;
	} else if (word.n == 0 && next.n > 0) {
		word = next;
	}
	r->every = word;
	return word.n > 0 && isdigit((unsigned char)*word.p);
}

static struct span
peek(struct span rest)
{
	struct span word = {0};

	span_cut(&rest, '\0', &word);
	return word;
}

bool
exim_daemon_read(struct exim_daemon *d)
{
	struct span rest = buf_span(&d->words), word;
	bool listens = false;

	span_cut(&rest, '\0', &word);
	while (span_cut(&rest, '\0', &word)) {
		struct exim_runs r = {0};

		if (span_is(word, "-C"))
			span_cut(&rest, '\0', &d->conf);
		else if (span_starts(word, "-C"))
			d->conf = span_from(word, 2);
		else if (span_starts(word, "-D"))
			d->macros = true;
		else if (span_starts(word, "-bd"))
			listens = true;
		else if (span_starts(word, "-q") && take_runs(word, peek(rest), &r))
			*vec_add(&d->runs) = r;
	}
	return listens || d->runs.n > 0;
}

/* ---- processes ---- */

/* Is its program ours, or at least called so? */
static bool
is_exim(const char *proc, struct span words)
{
	struct span name = peek(words), part;
	struct buf path = {0}, own = {0};
	struct stat a, b;
	bool yes;

	buf_addf(&path, "%s/exe", proc);
	yes = exim_name() != NULL && program_find(exim_name(), &own) &&
	    stat(buf_str(&own), &a) == 0 && stat(buf_str(&path), &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
	while (span_cut(&name, '/', &part))
		if (name.n == 0)
			yes = yes || span_is(part, "exim4") || span_is(part, "exim");
	buf_free(&path);
	buf_free(&own);
	return yes;
}

/* One of a container has other files by the same names. */
static bool
sees_other_files(const char *proc)
{
	struct buf path = {0};
	struct stat here, there;
	bool yes;

	buf_addf(&path, "%s/root", proc);
	yes = stat(buf_str(&path), &there) == 0 && stat("/", &here) == 0 &&
	    (there.st_dev != here.st_dev || there.st_ino != here.st_ino);
	buf_free(&path);
	return yes;
}

/* Who started it; a setuid program's files may be root's.  False: it has gone. */
static bool
read_user(const char *proc, uid_t *uid)
{
	struct buf path = {0}, text = {0};
	struct span rest, l, word;
	struct err none = {0};
	long long n = -1;

	buf_addf(&path, "%s/status", proc);
	file_read(buf_str(&path), WORDS_MAX * 4, &text, &none);
	rest = buf_span(&text);
	while (n < 0 && span_cut(&rest, '\n', &l))
		if (span_starts(l, "Uid:\t")) {
			l = span_from(l, strlen("Uid:\t"));
			span_cut(&l, '\t', &word);
			if (!span_number(word, &n))
				break;
		}
	buf_free(&path);
	buf_free(&text);
	*uid = (uid_t)n;
	return n >= 0;
}

static bool
read_words(const char *proc, struct exim_daemon *d)
{
	struct buf path = {0};
	ssize_t n = -1;
	int fd;

	buf_addf(&path, "%s/cmdline", proc);
	fd = open(buf_str(&path), O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, buf_room(&d->words, WORDS_MAX), WORDS_MAX);
		close(fd);
	}
	buf_free(&path);
	if (n > 0)
		d->words.n += (size_t)n;
	return n > 0;
}

static void
free_one(struct exim_daemon *d)
{
	buf_free(&d->words);
	vec_free(&d->runs);
}

void
exim_daemons(struct exim_daemons *all)
{
	DIR *dir = opendir("/proc");
	struct buf proc = {0};
	struct dirent *e;

	while (dir != NULL && all->n < DAEMONS_MAX && (e = readdir(dir)) != NULL) {
		struct exim_daemon d = {0};

		if (!isdigit((unsigned char)*e->d_name))
			continue;
		buf_clear(&proc);
		buf_addf(&proc, "/proc/%s", e->d_name);
		/* the words first: they rule out nearly all */
		if (read_words(buf_str(&proc), &d) && exim_daemon_read(&d) &&
		    is_exim(buf_str(&proc), buf_span(&d.words)) &&
		    !sees_other_files(buf_str(&proc)) &&
		    read_user(buf_str(&proc), &d.uid))
			*vec_add(all) = d;
		else
			free_one(&d);
	}
	if (dir != NULL)
		closedir(dir);
	buf_free(&proc);
}

void
exim_daemons_free(struct exim_daemons *all)
{
	for (size_t i = 0; i < all->n; i++)
		free_one(&all->p[i]);
	vec_free(all);
}

/* ---- its configuration ---- */

/* Can nobody but root, and ourselves, change what is there? */
static bool
is_safe(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && (st.st_mode & 022) == 0 &&
	    (st.st_uid == 0 || st.st_uid == geteuid());
}

static bool
is_safe_file(char *path)
{
	bool safe = is_safe(path);

	for (char *p = path + strlen(path); safe && p-- > path;)
		if (*p == '/') {
			*p = '\0';
			safe = is_safe(p > path ? path : "/");
			*p = '/';
		}
	return safe;
}

char *
exim_daemon_conf(const struct exim_daemon *d)
{
	char *said, *path;

	if (d->conf.n == 0 || d->macros || *d->conf.p != '/')
		return NULL;
	said = span_dup(d->conf);
	path = realpath(said, NULL);
	free(said);
	if (path != NULL && !is_safe_file(path)) {
		free(path);
		path = NULL;
	}
	return path;
}

bool
exim_daemon_may(const struct exim_daemon *d, const char *dir)
{
	struct stat st;

	return d->uid == 0 || (lstat(dir, &st) == 0 && st.st_uid == d->uid);
}
