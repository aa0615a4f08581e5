/*
 * The Sendmail of this host, as its configuration files tell: Postfix, Exim and
 * others have programs called sendmail, too.
 */
#include <stdlib.h>
#include <string.h>

#include "spool/sendmail.h"

#define CF_MAX (4 << 20)

/* All directories that a configuration names, those of queue groups too. */
struct queues { char **p; size_t n, room; };	/* a VEC, owned */

/* `/var/spool/mqueue/q*`: what all of them lie in. */
static void
add(struct queues *v, struct span path)
{
	char *dir;

	path = span_trim(path);
	if (span_ends(path, "*"))
		while (path.n > 1 && path.p[path.n - 1] != '/')
			path.n--;
	while (path.n > 1 && path.p[path.n - 1] == '/')
		path.n--;
	dir = span_dup(path);
	if (*dir == '/')
		*vec_add(v) = dir;
	else
		free(dir);
}

/* `Qname, P=PATH, F=f`: a group; without P it lies where the others do. */
static void
add_group(struct queues *v, struct span line)
{
	struct span part;

	while (span_cut(&line, ',', &part)) {
		part = span_trim(part);
		if (span_starts(part, "P="))
			add(v, span_from(part, 2));
	}
}

static int
read_conf(const char *conf, struct queues *v, struct err *e)
{
	struct buf text = {0};
	struct span rest, line;
	int r = file_conf(conf, CF_MAX, &text, e);

	rest = buf_span(&text);
	while (r == 1 && span_cut(&rest, '\n', &line)) {
		if (span_starts(line, "O QueueDirectory="))
			add(v, span_from(line, strlen("O QueueDirectory=")));
		else if (span_starts(line, "Q"))
			add_group(v, line);
	}
	buf_free(&text);
	return r;
}

int
sm_option(const char *conf, const char *name, struct buf *value, struct err *e)
{
	struct buf text = {0}, key = {0};
	struct span rest, line;
	int r = file_conf(conf, CF_MAX, &text, e);
	bool found = false;

	buf_addf(&key, "O %s=", name);
	rest = buf_span(&text);
	while (r == 1 && !found && span_cut(&rest, '\n', &line))
		if (span_starts(line, buf_str(&key))) {
			buf_addspan(value, span_trim(span_from(line, key.n)));
			found = true;
		}
	buf_free(&text);
	buf_free(&key);
	return r < 0 ? -1 : found;
}

static void
queues_free(struct queues *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->p[i]);
	vec_free(v);
}

bool
sm_is_client(const struct spool *s)
{
	return s->conf != NULL ? strcmp(s->conf, SUBMIT_CF) == 0 :
	    strcmp(ref_name(s->dir), "mqueue-client") == 0;
}

/* Is this directory one of those that the configuration names, or below one? */
static bool
has(const struct queues *v, const char *dir)
{
	for (size_t i = 0; i < v->n; i++) {
		char *own = realpath(v->p[i], NULL);
		size_t n = own != NULL ? strlen(own) : 0;
		bool yes = n > 0 && ((strncmp(own, dir, n) == 0 &&
		    (dir[n] == '/' || dir[n] == '\0')) || sm_leads_to(own, dir));

		free(own);
		if (yes)
			return true;
	}
	return false;
}

static void
ask_live(struct spool *s)
{
	static const char *const confs[] = { SENDMAIL_CF, SUBMIT_CF };

	for (size_t i = 0; i < 2 && !s->live; i++) {
		struct queues v = {0};
		struct err none = {0};

		if (read_conf(confs[i], &v, &none) == 1 && has(&v, s->dir)) {
			s->live = true;
			s->conf = span_dup(span_of(confs[i]));
		}
		queues_free(&v);
	}
}

/* Nothing is in it, the usual state of a queue: 1, 0, -1 it may not be looked at. */
static int
is_empty(const char *dir, struct err *e)
{
	struct dirent *d;
	DIR *open = NULL;
	int yes = dir_open(dir, &open, e);

	while (yes > 0 && (d = readdir(open)) != NULL)
		yes = *d->d_name == '.';
	if (open != NULL)
		closedir(open);
	return yes;
}

int
sm_open(struct spool *s, struct err *e)
{
	struct queues v = {0};
	int r;

	if (s->dir == NULL) {
		r = read_conf(SENDMAIL_CF, &v, e);
		if (r == 1 && v.n > 0)
			s->dir = span_dup(span_of(v.p[0]));
		queues_free(&v);
		if (r < 0)
			return -1;
		if (s->dir == NULL)
			return err_set(e, FAULT_IO, "no Sendmail queue was found on "
			    "this host; name one: --spool=sendmail:DIR");
	}
	if (dir_absolute(s, e) < 0)
		return -1;
	sm_whole(s->dir);
	ask_live(s);
	r = s->live || sm_shape(s->dir) ? 1 : is_empty(s->dir, e);
	if (r == 0)
		err_set(e, FAULT_IO, "%s: is no Sendmail queue: there are "
		    "no qf and df files or directories", s->dir);
	return r > 0 ? 0 : -1;
}

static bool
is_known(const struct spools *found, const char *dir)
{
	for (size_t i = 0; i < found->n; i++) {
		size_t n = strlen(found->p[i].dir);

		if (found->p[i].kind == &spool_sendmail &&
		    strncmp(found->p[i].dir, dir, n) == 0 &&
		    (dir[n] == '/' || dir[n] == '\0'))
			return true;
	}
	return false;
}

int
sm_discover(struct spools *found, struct err *e)
{
	static const char *const confs[] = { SENDMAIL_CF, SUBMIT_CF };
	int r = 0;

	for (size_t i = 0; i < 2; i++) {
		struct queues v = {0};

		if (read_conf(confs[i], &v, e) < 0)
			r = -1;
		for (size_t k = 0; k < v.n; k++) {
			char *dir = dir_real(v.p[k]);

			if (dir == NULL || is_known(found, dir)) {
				free(dir);
				continue;
			}
			*vec_add(found) = (struct spool){
				.kind = &spool_sendmail, .dir = dir, .live = true,
				.conf = span_dup(span_of(confs[i])),
			};
		}
		queues_free(&v);
	}
	return r;
}
