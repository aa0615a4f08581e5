/*
 * dma, the DragonFly mail agent.  Tried with the files of 0.13.
 *
 * A recipient is a pair of files: Q and the ID has `ID:`, `Sender:` and
 * `Recipient:`, M and the ID the message; the M files of one message are one file
 * with several names.  When it came is the time of the Q file, and nothing else is
 * written down.
 *
 * Locks: flock(2) on the Q file.  A process that was put off keeps it, and sleeps,
 * from five minutes to three hours at a time, for days.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "spool/dma.h"
#include "spool/shelf.h"

#define CONF "/etc/dma/dma.conf"
#define USUAL "/var/spool/dma"
#define Q_MAX 8192
#define EXPIRES (5 * 86400)

static const struct shelf places[] = { { "", STATE_DEFERRED, false }, { NULL, 0, false } };

/* Hexadecimal digits, a point, the same: the inode, and where it was in memory. */
bool
dma_is_id(const char *s)
{
	size_t n = strspn(s, "0123456789abcdef"), m;

	if (n == 0 || n > 16 || s[n] != '.')
		return false;
	m = strspn(s + n + 1, "0123456789abcdef");
	return m > 0 && m <= 16 && s[n + 1 + m] == '\0';
}

static bool
is_name(const char *s)
{
	return *s == 'Q' && dma_is_id(s + 1);
}

static shelf_level *const levels[] = { is_name, NULL };

static struct walk *
dma_walk(struct spool *s, unsigned states, struct err *e)
{
	(void)e;
	return shelf_walk(s, places, levels, states);
}

static int
dma_find(struct spool *s, const char *id, struct entry *at, struct err *e)
{
	struct buf name = {0};
	int r;

	if (is_name(id))
		id++;
	if (!dma_is_id(id))
		return 0;
	buf_addf(&name, "Q%s", id);
	r = shelf_find(s, places, buf_str(&name), at, e);
	buf_free(&name);
	return r;
}

static int
dma_owns(const char *ref, struct buf *dir)
{
	return shelf_owns(places, levels, NULL, ref, dir);
}

/*
 * Its own reports have none; to what it was given with `-f <>' or `-f ""' it has added
 * its host's name.
 */
void
dma_sender(char *sender)
{
	const char *rest = strncmp(sender, "<>", 2) == 0 ? sender + 2 : sender;

	if (*rest == '\0' || (*rest == '@' && strchr(rest + 1, '@') == NULL))
		*sender = '\0';
}

/* The value behind `name` at the front of a line; false: another line. */
static bool
value_of(struct span line, const char *name, char **value)
{
	if (!span_starts(line, name))
		return false;
	free(*value);
	*value = span_dup(span_trim(span_from(line, strlen(name))));
	return true;
}

static int
parse(struct span text, struct message *m, struct err *e)
{
	char *id = NULL, *rcpt = NULL;
	struct span line;

	while (span_find(text, '\n') < text.n && span_cut(&text, '\n', &line))
		if (!value_of(line, "ID:", &id) &&
		    !value_of(line, "Sender:", &m->env.sender))
			value_of(line, "Recipient:", &rcpt);
	if (id == NULL || *id == '\0' || m->env.sender == NULL || rcpt == NULL ||
	    *rcpt == '\0') {
		free(id);
		free(rcpt);
		return err_set(e, FAULT_DATA, "damaged: no ID, Sender or Recipient");
	}
	dma_sender(m->env.sender);
	m->id = span_dup(span_of(ref_name(m->ref) + 1));
	envelope_add(&m->env, rcpt);
	free(id);
	return 0;
}

void
dma_data_path(struct buf *path, const char *ref)
{
	buf_add(path, ref, strlen(ref) - strlen(ref_name(ref)));
	buf_addf(path, "M%s", ref_name(ref) + 1);
}

/* dma takes a Q without its M for none, and so do we. */
static int
data_size(struct message *m)
{
	struct buf path = {0};
	struct stat st;
	int r;

	dma_data_path(&path, m->ref);
	r = lstat(buf_str(&path), &st) == 0 && S_ISREG(st.st_mode);
	if (r == 1)
		m->size = st.st_size;
	buf_free(&path);
	return r;
}

int
dma_read(struct spool *s, const struct entry *at, unsigned what,
    struct message *m, struct err *e)
{
	char *ref = span_dup(buf_span(&at->ref));
	struct buf text = {0};
	struct stat st;
	int fd, r = file_open_single(ref, &st, &fd, e);

	(void)s;
	(void)what;
	free(ref);
	if (r <= 0)
		return r;
	shelf_start(m, at, &st);
	m->arrival = st.st_mtime;
	if (st.st_size == 0)
		r = 0;		/* being written */
	else if (file_text(fd, Q_MAX, &text, e) < 0 ||
	    parse(buf_span(&text), m, e) < 0)
		r = err_in(e, "%s", m->ref);
	else
		r = data_size(m);
	close(fd);
	buf_free(&text);
	if (r != 1)
		message_free(m);
	return r;
}

static int
dma_body(struct spool *s, const char *ref, struct body *b, struct err *e)
{
	struct buf path = {0};
	struct stat st;
	int fd, r;

	(void)s;
	dma_data_path(&path, ref);
	r = file_open(buf_str(&path), &st, &fd, e);
	if (r == 1) {
		body_file(b, fd, 0, st.st_size);
		b->lf = true;
	}
	buf_free(&path);
	return r;
}

/* ---- the host ---- */

/* A word of its configuration; 1, 0 it is not there. */
static int
conf(const char *name, struct buf *value)
{
	struct buf text = {0};
	struct err none = {0};
	struct span rest, line, word;
	int r = 0;

	file_conf(CONF, 1 << 20, &text, &none);
	rest = buf_span(&text);
	while (r == 0 && span_cut(&rest, '\n', &line)) {
		line = span_trim(line);
		if (!span_cut(&line, ' ', &word) || !span_is(word, name))
			continue;
		buf_addspan(value, span_trim(line));
		r = 1;
	}
	buf_free(&text);
	return r;
}

static void
usual(struct buf *dir)
{
	if (conf("SPOOLDIR", dir) == 0)
		buf_adds(dir, USUAL);
}

/* An empty one, or one with something of dma's in it. */
static bool
shape(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *f;
	bool some = false, its = d == NULL;

	while (!its && (f = readdir(d)) != NULL) {
		some = some || *f->d_name != '.';
		its = is_name(f->d_name) || strcmp(f->d_name, "flush") == 0 ||
		    span_starts(span_of(f->d_name), "tmp_") ||
		    (*f->d_name == 'M' && dma_is_id(f->d_name + 1));
	}
	if (d != NULL)
		closedir(d);
	return its || !some;
}

static int
dma_open(struct spool *s, struct err *e)
{
	struct buf own = {0};
	bool asked = s->dir != NULL;

	usual(&own);
	if (!asked)
		s->dir = span_dup(buf_span(&own));
	if (dir_absolute(s, e) < 0) {
		buf_free(&own);
		return asked ? -1 : err_set(e, FAULT_IO, "no dma queue was found on "
		    "this host; name one: --spool=dma:DIR");
	}
	if (asked && !shape(s->dir)) {
		buf_free(&own);
		return err_set(e, FAULT_IO, "%s: is no dma queue: there is nothing "
		    "of dma's in it", s->dir);
	}
	s->live = dir_same(s->dir, buf_str(&own)) && access(CONF, F_OK) == 0;
	buf_free(&own);
	return 0;
}

static int
dma_discover(struct spools *found, struct err *e)
{
	struct buf own = {0};
	char *dir = NULL;

	(void)e;
	if (access(CONF, F_OK) == 0) {
		usual(&own);
		dir = dir_real(buf_str(&own));
	}
	if (dir != NULL)
		*vec_add(found) = (struct spool){ .kind = &spool_dma, .dir = dir,
		    .live = true };
	buf_free(&own);
	return 0;
}

/* Who has locked this file, by /proc/locks; 0 nobody, or it cannot be known. */
static long
locked_by(const struct message *m)
{
	FILE *f = fopen("/proc/locks", "re");
	char line[256];
	long pid = 0, one;
	unsigned major, minor;
	unsigned long ino;

	while (f != NULL && pid == 0 && fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "%*d: FLOCK %*s %*s %ld %x:%x:%lu", &one, &major,
		    &minor, &ino) == 4 && ino == (unsigned long)m->ino &&
		    makedev(major, minor) == m->dev)
			pid = one;
	if (f != NULL)
		fclose(f);
	return pid;
}

static int
dma_outlook(struct spool *s, const struct message *m, struct outlook *o,
    struct err *e)
{
	long pid = locked_by(m);

	(void)e;
	o->expires = m->arrival + EXPIRES;
	if (pid > 0)
		buf_addf(&o->holder, "A dma of its own (process %ld) has it, and "
		    "sleeps between attempts, five minutes at first and three hours "
		    "at most; why it failed stands in the log only.", pid);
	else
		buf_adds(&o->holder, "No dma process has it: it waits for `dma -q', "
		    "as cron runs it.");
	if (pid > 0)
		buf_addf(&o->commands, "touch %s/flush\n", s->dir);
	else
		buf_adds(&o->commands, "dma -q\n");
	return 0;
}

static int
dma_route(struct spool *s, const struct message *m, const char *address,
    struct buf *route, struct err *e)
{
	struct buf host = {0};

	(void)s, (void)m;
	(void)address;
	(void)e;
	if (conf("SMARTHOST", &host) == 1 && host.n > 0)
		buf_addf(route, "smtp to %s (SMARTHOST in " CONF ")", buf_str(&host));
	buf_free(&host);
	return route->n > 0;
}

const struct spool_kind spool_dma = {
	.name = "dma",
	.discover = dma_discover,
	.open = dma_open,
	.owns = dma_owns,
	.walk = dma_walk,
	.next = shelf_next,
	.walk_end = shelf_walk_end,
	.find = dma_find,
	.read = dma_read,
	.body = dma_body,
	.lacks = LACKS_SIZE | LACKS_ARRIVAL,
	.listing = dma_listing,
	.listed = dma_listed,
	.listing_end = dma_listing_end,
	.only_copies = true,
	.claim = dma_claim,
	.settle = dma_settle,
	.done = dma_done,
	.release_all = dma_release_all,
	.remove = spool_take_away,
	.outlook = dma_outlook,
	.route = dma_route,
};
