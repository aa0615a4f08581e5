/*
 * The domains that Postfix itself delivers: those it is the last stop for, not
 * those it relays.  What a list names may be a file or a table; where one of
 * them cannot be read the rest is still there, and the answer -1.
 */
#include "spool/postfix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/domain.h"

static const char *const lists[] = {
	"mydestination", "virtual_mailbox_domains", "virtual_alias_domains",
};

/* Tables of patterns: what they match cannot be listed, nor is it meant to. */
static const char *const patterns[] = {
	"regexp:", "pcre:", "cidr:", "static:", "inline:", "fail:", "pipemap:",
	"unionmap:", "proxy:unix:", "unix:",
};

/* Adds a name unless it is there; localhost and keys of mailboxes are nobody's. */
static void
add_name(struct buf *names, struct span name)
{
	struct span had = buf_span(names), line;

	if (memchr(name.p, '.', name.n) == NULL || !domain_is_name(name) ||
	    span_starts(name, "localhost."))
		return;
	while (span_cut(&had, '\n', &line))
		if (span_ieq(line, name))
			return;
	for (size_t i = 0; i < name.n; i++)
		buf_addc(names, name.p[i] >= 'A' && name.p[i] <= 'Z' ?
		    (char)(name.p[i] + 32) : name.p[i]);
	buf_addc(names, '\n');
}

/* A word of a list, up to a blank or comma. */
static bool
cut_word(struct span *rest, struct span *word)
{
	static const char ends[] = ", \t\r\n";
	size_t n = 0;

	while (rest->n > 0 && memchr(ends, rest->p[0], sizeof ends - 1) != NULL)
		*rest = span_from(*rest, 1);
	while (n < rest->n && memchr(ends, rest->p[n], sizeof ends - 1) == NULL)
		n++;
	*word = (struct span){ rest->p, n };
	*rest = span_from(*rest, n);
	return n > 0;
}

static bool
is_pattern(struct span word)
{
	if (span_starts(word, "proxy:"))
		word = span_from(word, strlen("proxy:"));
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
		if (span_starts(word, patterns[i]))
			return true;
	return false;
}

/* The keys of a table, as postmap -s prints them: KEY TAB VALUE. */
static int
add_table(const struct spool *s, struct span table, struct buf *names,
    struct err *e)
{
	char *name = span_dup(table);
	const char *const args[] = { "-s", name, NULL };
	struct buf out = {0};
	struct span rest, line;
	int r = pf_run(s->conf, "postmap", args, (struct span){0}, &out, e);

	for (rest = buf_span(&out); span_cut(&rest, '\n', &line);)
		add_name(names, (struct span){ line.p, span_find(line, '\t') });
	if (r > 0)
		err_in(e, "list %s", name);
	buf_free(&out);
	free(name);
	return r == 0 ? 0 : -1;
}

static int
add_file(struct span path, struct buf *names, struct err *e)
{
	char *name = span_dup(path);
	FILE *f = fopen(name, "re");
	char *line = NULL;
	size_t room = 0;
	struct span rest, word;
	int r;

	if (f == NULL)
		err_sys(e, "open %s", name);
	free(name);
	if (f == NULL)
		return -1;
	while (getline(&line, &room, f) >= 0) {
		rest = span_of(line);
		rest.n = span_find(rest, '#');
		while (cut_word(&rest, &word))
			add_name(names, word);
	}
	r = ferror(f) ? err_sys(e, "read %.*s", (int)path.n, path.p) : 0;
	free(line);
	fclose(f);
	return r;
}

static int
add_list(struct spool *s, const char *list, struct buf *names, struct err *e)
{
	struct buf value = {0};
	struct span rest, word;
	bool bad = false;
	int r = pf_conf(s, list, &value, e);

	rest = buf_span(&value);
	while (r >= 0 && cut_word(&rest, &word)) {
		if (word.p[0] == '/')
			bad |= add_file(word, names, e) < 0;
		else if (memchr(word.p, ':', word.n) == NULL)
			add_name(names, word);
		else if (!is_pattern(word))
			bad |= add_table(s, word, names, e) < 0;
	}
	buf_free(&value);
	return r < 0 || bad ? -1 : 0;
}

int
pf_domains(struct spool *s, struct buf *names, struct err *e)
{
	int r = 0;

	if (!s->live)
		return err_set(e, FAULT_UNAVAILABLE,
		    "%s: a copied queue: its MTA is not here", s->dir);
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		if (add_list(s, lists[i], names, e) < 0)
			r = -1;
	return r;
}
