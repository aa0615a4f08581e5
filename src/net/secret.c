#include "net/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/text.h"
#include "net/tty.h"

#define SECRET_MAX 8192		/* in base64 it still fits in an AUTH line */
#define NETRC_MAX 262144
#define COMMAND_MAX 65536
#define CHILD_PIECE 16384	/* child_run() makes so much room at a time */

static int
keep(struct buf *secret, struct span text, const char *name, struct err *e)
{
	if (text.n == 0)
		return err_set(e, FAULT_CONFIG, "%s: there is no password in it, "
		    "or not on its first line", name);
	if (text.n > SECRET_MAX)
		return err_set(e, FAULT_CONFIG, "%s: a password of over %d octets; "
		    "is it the right file?", name, SECRET_MAX);
	if (memchr(text.p, '\0', text.n) != NULL)
		return err_set(e, FAULT_CONFIG, "%s: a NUL in the password", name);
	buf_addspan(secret, text);
	return 0;
}

/*
 * The first line of `text`, which comes from `name`.  The buffers that it was
 * read into had their room before: one that grows leaves its old octets behind.
 */
static int
keep_line(struct buf *secret, struct span text, const char *name, struct err *e)
{
	struct span line = { text.p, span_find(text, '\n') };

	while (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return keep(secret, line, name, e);
}

/* Files */

/*
 * systemd.exec(5), "Credentials": the directory is ours alone, and where an ACL
 * opens a file to us its mode shows that as the group's.
 */
static mode_t
forbidden(const char *path)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	size_t n = dir != NULL ? strlen(dir) : 0;

	return n > 0 && strncmp(path, dir, n) == 0 && path[n] == '/' ?
	    S_IRWXO : S_IRWXG | S_IRWXO;
}

static int
check_mode(const char *path, const struct stat *st, struct err *e)
{
	if (!S_ISREG(st->st_mode) || !(st->st_mode & forbidden(path)))
		return 0;
	return err_set(e, FAULT_CONFIG, "%s: others can read or change it: "
	    "chmod 600 %s", path, path);
}

/* Up to `limit` octets, or to the first line's end; `b` has room for them. */
static int
read_some(int fd, struct buf *b, size_t limit, bool line)
{
	ssize_t n;

	while (b->n < limit) {
		n = read(fd, b->p + b->n, limit - b->n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		b->n += (size_t)n;
		if (line && memchr(b->p, '\n', b->n) != NULL)
			break;
	}
	return 0;
}

/* 1 read, 0 there is no such file (and `may_lack`), -1. */
static int
read_file(const char *path, struct buf *b, struct stat *st, size_t limit,
    bool line, bool may_lack, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), r;

	if (fd < 0 && may_lack && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return err_sys(e, "%s", path);
	buf_room(b, limit);
	r = fstat(fd, st) < 0 ? -1 : read_some(fd, b, limit, line);
	if (r < 0)
		err_sys(e, "read %s", path);
	close(fd);
	return r < 0 ? -1 : 1;
}

static int
from_file(struct buf *secret, const char *path, bool may_lack, struct err *e)
{
	struct buf b = {0};
	struct stat st;
	int r = read_file(path, &b, &st, SECRET_MAX + 2, true, may_lack, e);

	if (r > 0 && (check_mode(path, &st, e) < 0 ||
	    keep_line(secret, buf_span(&b), path, e) < 0))
		r = -1;
	buf_wipe(&b);
	return r;
}

static int
from_credentials(struct buf *secret, struct err *e)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	struct buf path = {0};
	int r;

	if (dir == NULL || *dir != '/')
		return 0;
	buf_addf(&path, "%s/tidegate.password", dir);
	r = from_file(secret, buf_str(&path), true, e);
	buf_free(&path);
	return r;
}

/* netrc */

static bool
netrc_path(struct buf *path)
{
	const char *named = getenv("NETRC"), *home = getenv("HOME");

	if (named != NULL && *named != '\0')
		buf_adds(path, named);
	else if (home != NULL && *home != '\0')
		buf_addf(path, "%s/.netrc", home);
	return path->n > 0;
}

/* Its mode matters only if there is something in it that we want. */
static int
look_up(struct buf *secret, const char *path, const struct secret_from *f,
    struct err *e)
{
	struct buf text = {0}, found = {0};
	struct stat st;
	int r = read_file(path, &text, &st, NETRC_MAX, false, true, e);

	buf_room(&found, NETRC_MAX);
	if (r > 0 && text.n == NETRC_MAX)
		r = err_set(e, FAULT_CONFIG, "%s: over %d octets", path, NETRC_MAX);
	if (r > 0 && (r = netrc_find(buf_span(&text), f->host, f->user, &found,
	    e)) < 0)
		err_in(e, "%s", path);
	if (r > 0 && (check_mode(path, &st, e) < 0 ||
	    keep(secret, buf_span(&found), path, e) < 0))
		r = -1;
	buf_wipe(&text);
	buf_wipe(&found);
	return r;
}

static int
from_netrc(struct buf *secret, const struct secret_from *f, struct err *e)
{
	struct buf path = {0};
	int r = netrc_path(&path) ? look_up(secret, buf_str(&path), f, e) : 0;

	buf_free(&path);
	return r;
}

/* A program, or a person */

static int
from_command(struct buf *secret, const struct secret_from *f, struct err *e)
{
	const char *name = f->command[0];
	struct buf out = {0}, err = {0};
	struct span why;
	int r;

	buf_room(&out, COMMAND_MAX + 2 * CHILD_PIECE);
	r = child_ask(f->command, &out, &err, COMMAND_MAX, f->deadline, e);
	why = buf_span(&err);
	why.n = span_find(why, '\n');
	if (r > 0)
		r = err_set(e, FAULT_TEMP, "%s: ended with status %d%s%.*s", name,
		    r, why.n > 0 ? ": " : "", (int)why.n, why.n > 0 ? why.p : "");
	else if (r == 0)
		r = keep_line(secret, buf_span(&out), name, e);
	else if (e->fault == FAULT_UNAVAILABLE)
		e->fault = FAULT_CONFIG;	/* no such program */
	if (r < 0)
		err_in(e, "--password-command");
	buf_wipe(&out);
	buf_wipe(&err);
	return r;
}

static int
from_person(struct buf *secret, const struct secret_from *f, struct err *e)
{
	struct buf question = {0}, answer = {0};
	int fd = tty_open(), r;

	if (fd < 0)
		return err_set(e, FAULT_CONFIG, "password for %s at %s: neither a "
		    "file nor a command is named, netrc has none, and there is no "
		    "terminal to ask at", f->user ? f->user : "anyone",
		    f->host ? f->host : "the server");
	buf_adds(&question, "Password for ");
	text_printable(&question, span_of(f->user ? f->user : "you"));
	buf_adds(&question, f->host ? " at " : "");
	text_printable(&question, span_of(f->host ? f->host : ""));
	buf_adds(&question, ": ");
	buf_room(&answer, SECRET_MAX);
	r = tty_ask(fd, buf_str(&question), &answer, SECRET_MAX, e);
	if (r == 0)
		r = keep(secret, buf_span(&answer), "/dev/tty", e);
	close(fd);
	buf_free(&question);
	buf_wipe(&answer);
	return r;
}

int
secret_get(struct buf *secret, const struct secret_from *f, struct err *e)
{
	int r;

	if (f->file != NULL)
		return from_file(secret, f->file, false, e) < 0 ? -1 : 0;
	if (f->command != NULL)
		return from_command(secret, f, e);
	if ((r = from_credentials(secret, e)) == 0 &&
	    (r = from_netrc(secret, f, e)) == 0)
		r = from_person(secret, f, e);
	return r < 0 ? -1 : 0;
}
