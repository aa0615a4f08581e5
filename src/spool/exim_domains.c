/*
 * The domains that are this Exim's own: the list local_domains, as everybody's
 * configuration calls it.  What it names may be a file; where one of them cannot be read
 * the rest is still there, and the answer -1.  Patterns are no names.
 */
#include "spool/exim.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spool/program.h"
#include "wire/domain.h"

#define LIST "${listnamed_d:local_domains}"
#define FILE_MAX (64 << 20)

/* Adds a name unless it is there; localhost is nobody's. */
static void
add_name(struct buf *names, struct span name)
{
	struct span had = buf_span(names), line;

	if (name.n == 0 || memchr(name.p, '.', name.n) == NULL ||
	    !domain_is_name(name) || span_starts(name, "localhost."))
		return;
	while (span_cut(&had, '\n', &line))
		if (span_ieq(line, name))
			return;
	for (size_t i = 0; i < name.n; i++)
		buf_addc(names, (char)tolower((unsigned char)name.p[i]));
	buf_addc(names, '\n');
}

/* ---- what lists name ---- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == ':';
}

/* `KEY: data', `"KEY" data'; what is indented belongs to the line before. */
static void
add_key(struct buf *names, struct span line)
{
	size_t n = 0;

	if (line.n == 0 || *line.p == '#' || is_blank(*line.p))
		return;
	if (*line.p == '"') {
		line = span_from(line, 1);
		n = span_find(line, '"');
	} else {
		while (n < line.n && !is_blank(line.p[n]))
			n++;
	}
	add_name(names, (struct span){ line.p, n });
}

static void
add_item_of_file(struct buf *names, struct span line)
{
	line.n = span_find(line, '#');
	add_name(names, span_trim(line));
}

static int
add_file(struct span path, struct buf *names,
    void (*add)(struct buf *, struct span), struct err *e)
{
	char *name = span_dup(path);
	struct span rest, line;
	struct buf text = {0};
	int r = file_read(name, FILE_MAX, &text, e);

	if (r == 0)
		r = err_set(e, FAULT_IO, "%s: is not there", name);
	for (rest = buf_span(&text); span_cut(&rest, '\n', &line);)
		add(names, line);
	buf_free(&text);
	free(name);
	return r < 0 ? -1 : 0;
}

/* Each file in it is a key. */
static int
add_directory(struct span path, struct buf *names, struct err *e)
{
	char *name = span_dup(path);
	struct dirent *d;
	DIR *dir;
	int r = dir_open(name, &dir, e);

	if (r == 0)
		r = err_set(e, FAULT_IO, "%s: is not there", name);
	if (r > 0) {
		while ((d = readdir(dir)) != NULL)
			if (*d->d_name != '.')
				add_name(names, span_of(d->d_name));
		closedir(dir);
	}
	free(name);
	return r < 0 ? -1 : 0;
}

/* `[partial[n]-]TYPE[*][,option...];WHERE' */
static int
add_lookup(struct span item, size_t semicolon, struct buf *names, struct err *e)
{
	struct span type = { item.p, semicolon };
	struct span where = span_trim(span_from(item, semicolon + 1));

	type.n = span_find(type, ',');
	type.n = span_find(type, '*');
	while (span_find(type, '-') < type.n)
		type = span_from(type, span_find(type, '-') + 1);
	type = span_trim(type);
	if (span_is(type, "lsearch") || span_is(type, "wildlsearch") ||
	    span_is(type, "nwildlsearch"))
		return add_file(where, names, add_key, e);
	if (span_is(type, "dsearch"))
		return add_directory(where, names, e);
	return err_set(e, FAULT_UNAVAILABLE, "local_domains: %.*s cannot be listed",
	    (int)item.n, item.p);
}

static int
add_own_name(const char *conf, struct buf *names, struct err *e)
{
	struct buf name = {0};
	int r = exim_conf(conf, "primary_hostname", &name, e);

	add_name(names, buf_span(&name));
	buf_free(&name);
	return r;
}

static int
add_item(const char *conf, struct span item, struct buf *names, struct err *e)
{
	size_t semicolon = span_find(item, ';');

	if (item.n == 0 || strchr("!*^+", *item.p) != NULL)
		return 0;
	if (span_is(item, "@"))
		return add_own_name(conf, names, e);
	if (*item.p == '/')
		return add_file(item, names, add_item_of_file, e);
	if (semicolon < item.n)
		return add_lookup(item, semicolon, names, e);
	add_name(names, item);
	return 0;
}

/* ---- the list ---- */

static int
expand(const char *conf, const char *text, struct buf *out, struct err *e)
{
	const char *const args[] = { "-be", text, NULL };
	int r = exim_run(conf, args, out, e);

	if (r == 0 && span_starts(buf_span(out), "Failed"))
		r = err_set(e, FAULT_UNAVAILABLE, "%s: has no list "
		    "local_domains that could be shown", exim_name());
	return r == 0 ? 0 : -1;
}

/* `a : b' or, with another separator, `<; a ; b'. */
static int
add_list(const char *conf, struct span list, struct buf *names, struct err *e)
{
	char separator = ':';
	struct span item;
	bool bad = false;

	list = span_trim(list);
	if (list.n > 1 && *list.p == '<' && ispunct((unsigned char)list.p[1])) {
		separator = list.p[1];
		list = span_from(list, 2);
	}
	while (span_cut(&list, separator, &item))
		bad |= add_item(conf, span_trim(item), names, e) < 0;
	return bad ? -1 : 0;
}

int
exim_domains(struct spool *s, struct buf *names, struct err *e)
{
	struct buf raw = {0}, list = {0};
	int r;

	if (!s->live)
		return err_set(e, FAULT_UNAVAILABLE,
		    "%s: a copied queue: its MTA is not here", s->dir);
	r = expand(s->conf, LIST, &raw, e);
	/* only the lists in the list are expanded by then */
	if (r == 0 && span_find(buf_span(&raw), '$') < raw.n)
		r = expand(s->conf, buf_str(&raw), &list, e);
	else
		buf_addspan(&list, buf_span(&raw));
	if (r == 0)
		r = add_list(s->conf, buf_span(&list), names, e);
	buf_free(&raw);
	buf_free(&list);
	return r;
}
