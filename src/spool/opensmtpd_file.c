/*
 * The files of an OpenSMTPD queue that no smtpd has in memory: it is not running, or the
 * queue is a copy.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/text.h"
#include "spool/opensmtpd.h"
#include "spool/seize.h"

#define ENVELOPE_MAX (64 << 10)
#define WHY_MAX 900		/* smtpd takes no longer line than 2047 octets */

static bool
is_envelope(const char *name)
{
	return strlen(name) == OSMTPD_ID && strspn(name, "0123456789abcdef") == OSMTPD_ID;
}

/* Has this message an envelope, other than that one (NULL: any)?  -1. */
static int
has_other(const char *message, const char *but, struct err *e)
{
	DIR *dir = NULL;
	struct dirent *d;
	int r = dir_open(message, &dir, e);

	if (r <= 0)
		return r;
	for (r = 0; r == 0 && (d = readdir(dir)) != NULL;)
		r = is_envelope(d->d_name) && (but == NULL || strcmp(d->d_name, but) != 0);
	closedir(dir);
	return r;
}

/* What lies in purge smtpd throws away when it starts: a crash may leave it there. */
static void
purge(const char *where)
{
	struct buf path = {0};
	struct err none = {0};
	struct dirent *d;
	DIR *dir = NULL;

	if (dir_open(where, &dir, &none) != 1)
		return;
	while ((d = readdir(dir)) != NULL) {
		if (*d->d_name == '.')
			continue;
		buf_clear(&path);
		buf_addf(&path, "%s/%s", where, d->d_name);
		unlink(buf_str(&path));
	}
	closedir(dir);
	rmdir(where);
	buf_free(&path);
}

/* The message as a whole, by one rename into purge, as smtpd does. */
static int
remove_message(const char *dir, const char *message, struct err *e)
{
	struct buf to = {0}, text = {0};
	int r = 0;

	buf_addf(&to, "%s/purge/%s", dir, ref_name(message));
	purge(buf_str(&to));
	if (dir_is_there(dir, "purge")) {
		if (rename(message, to.p) < 0 && errno != ENOENT)
			r = err_sys(e, "remove %s", message);
		else
			r = seize_sync_dir(message, e);
		if (r == 0)
			purge(to.p);
	} else {
		/* a copy that has none; nobody is left in it, or one that is done */
		buf_addf(&text, "%s/message", message);
		if (unlink(buf_str(&text)) < 0 && errno != ENOENT)
			r = err_sys(e, "remove %s", text.p);
		rmdir(message);
	}
	buf_free(&to);
	buf_free(&text);
	return r;
}

int
osmtpd_remove(const char *dir, const char *path, struct err *e)
{
	struct span message = { path, strlen(path) - OSMTPD_ID - 1 };
	char *place = span_dup(message);
	int r = has_other(place, ref_name(path), e);
	bool whole = r == 0 && dir_is_there(dir, "purge");

	if (r >= 0 && !whole) {
		r = seize_remove(path, e);
		/* others may have removed the other ones meanwhile */
		if (r == 0)
			r = has_other(place, NULL, e);
		whole = r == 0;
	}
	if (whole)
		r = remove_message(dir, place, e);
	free(place);
	return r < 0 ? -1 : 0;
}

static void
put_why(struct buf *b, const char *why)
{
	struct buf text = {0};

	text_printable(&text, span_of(why));
	if (text.n > WHY_MAX)
		text.n = WHY_MAX;
	buf_addf(b, "errorline: %s\n", buf_str(&text));
	buf_free(&text);
}

/* `retry: 1' becomes 2; errorline stands before sockaddr. */
static void
rewrite(struct buf *b, struct span text, const char *why)
{
	struct span line, value;
	bool told = false;
	long long n;

	while (span_cut(&text, '\n', &line)) {
		if (span_starts(line, "errorline:"))
			continue;
		if (!told && span_starts(line, "sockaddr:")) {
			put_why(b, why);
			told = true;
		}
		value = span_trim(span_from(line, sizeof "retry:" - 1));
		if (span_starts(line, "retry:") && span_number(value, &n) && n < 65535)
			buf_addf(b, "retry: %lld", n + 1);
		else
			buf_addspan(b, line);
		buf_addc(b, '\n');
	}
	if (!told)
		put_why(b, why);
}

int
osmtpd_note(const char *dir, const char *path, int *fd, const char *why, struct err *e)
{
	struct buf new = {0}, text = {0}, now = {0};
	int to = -1, r = file_text(*fd, ENVELOPE_MAX, &text, e);

	buf_addf(&new, "%s/incoming/%s.tidegate", dir, ref_name(path));
	if (r == 0) {
		rewrite(&now, buf_span(&text), why);
		to = open(buf_str(&new), O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW |
		    O_CLOEXEC, 0600);
		if (to < 0 || flock(to, LOCK_EX | LOCK_NB) < 0 ||
		    seize_write(to, buf_span(&now)) < 0 || seize_like(*fd, to) < 0 ||
		    rename(new.p, path) < 0)
			r = err_sys(e, "%s: write it anew", path);
	}
	if (r == 0) {
		close(*fd);
		*fd = to;
		r = seize_sync_dir(path, e);
	} else if (to >= 0) {
		unlink(new.p);
		close(to);
	}
	buf_free(&new);
	buf_free(&text);
	buf_free(&now);
	return r;
}
