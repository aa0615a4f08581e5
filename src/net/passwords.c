#include "net/passwords.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/base64.h"

#define FILE_MAX (4 << 20)
#define ITERATIONS_MAX 10000000
#define WORD_MAX 500		/* of a salt, as text: sasl_server.c has room for it */
#define KEY_OCTETS 32		/* of SHA-256 */

/* Its room is had first: a buffer that grows leaves what it held behind. */
static int
slurp(int fd, off_t size, struct buf *b, struct err *e)
{
	ssize_t n;

	buf_room(b, (size_t)size + 2);
	while ((n = read(fd, b->p + b->n, (size_t)size + 1 - b->n)) > 0)
		b->n += (size_t)n;
	if (n < 0)
		return err_sys(e, "read");
	return b->n <= (size_t)size ? 0 :
	    err_set(e, FAULT_TEMP, "it grows while it is read");
}

static int
read_open(int fd, struct buf *b, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat");
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
		return err_set(e, FAULT_CONFIG, "no file of passwords");
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return err_set(e, FAULT_CONFIG, "others can read or change it: "
		    "chmod 600");
	return slurp(fd, st.st_size, b, e);
}

/* A word of base64 that stands for `octets', or for some if that is 0. */
static bool
cut_word(struct span *rest, size_t octets, char **word)
{
	struct span s;
	size_t n = 0;
	char *plain;

	if (!span_cut(rest, ',', &s))
		return false;
	plain = base64_read(s, WORD_MAX, &n);
	base64_wipe(plain, n);
	if (plain == NULL || n == 0 || (octets > 0 && n != octets))
		return false;
	*word = span_dup(s);
	return true;
}

static bool
read_keys(struct password *p, struct span rest)
{
	struct span number;
	long long n;

	if (!span_cut(&rest, ',', &number) || !span_number(number, &n) || n < 1 ||
	    n > ITERATIONS_MAX)
		return false;
	p->iterations = (int)n;
	return cut_word(&rest, 0, &p->salt) &&
	    cut_word(&rest, KEY_OCTETS, &p->stored) &&
	    cut_word(&rest, KEY_OCTETS, &p->server);
}

/* The last octets may be any but NUL and the line's end. */
static bool
read_line(struct password *p, struct span line)
{
	size_t colon = span_find(line, ':');
	struct span what = span_from(line, colon + 1);

	if (colon == 0 || colon >= line.n || memchr(line.p, '\0', line.n) != NULL)
		return false;
	p->user = span_dup((struct span){ line.p, colon });
	if (span_starts(what, "{SCRAM-SHA-256}"))
		return read_keys(p, span_from(what, strlen("{SCRAM-SHA-256}")));
	if (!span_starts(what, "{PLAIN}") || what.n == strlen("{PLAIN}"))
		return false;
	what = span_from(what, strlen("{PLAIN}"));
	buf_room(&p->secret, what.n + 1);
	buf_addspan(&p->secret, what);
	return true;
}

static int
read_lines(struct passwords *v, struct span rest, struct err *e)
{
	struct password p;
	struct span line;

	for (int n = 1; span_cut(&rest, '\n', &line); n++) {
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n == 0 || line.p[0] == '#')
			continue;
		p = (struct password){0};
		bool good = read_line(&p, line);
		bool twice = good && passwords_find(v, p.user) != NULL;

		*vec_add(&v->all) = p;
		if (!good)
			return err_set(e, FAULT_CONFIG, "line %d: it is "
			    "user:{SCRAM-SHA-256}ITERATIONS,SALT,STOREDKEY,SERVERKEY "
			    "or user:{PLAIN}SECRET", n);
		if (twice)
			return err_set(e, FAULT_CONFIG, "line %d: a user that was "
			    "there before", n);
	}
	return 0;
}

int
passwords_read(struct passwords *v, const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), r;

	*v = (struct passwords){0};
	if (fd < 0)
		return err_sys(e, "open %s", path);
	r = read_open(fd, &v->text, e);
	close(fd);
	if (r == 0)
		r = read_lines(v, buf_span(&v->text), e);
	return r < 0 ? err_in(e, "%s", path) : 0;
}

const struct password *
passwords_find(const struct passwords *v, const char *user)
{
	for (size_t i = 0; i < v->all.n; i++)
		if (strcmp(v->all.p[i].user, user) == 0)
			return &v->all.p[i];
	return NULL;
}

bool
passwords_plain(const struct passwords *v)
{
	for (size_t i = 0; i < v->all.n; i++)
		if (v->all.p[i].secret.n > 0)
			return true;
	return false;
}

static void
wipe_word(char *s)
{
	if (s != NULL)
		explicit_bzero(s, strlen(s));
	free(s);
}

void
passwords_free(struct passwords *v)
{
	for (size_t i = 0; i < v->all.n; i++) {
		struct password *p = &v->all.p[i];

		free(p->user);
		buf_wipe(&p->secret);
		wipe_word(p->salt);
		wipe_word(p->stored);
		wipe_word(p->server);
	}
	vec_free(&v->all);
	buf_wipe(&v->text);
}
