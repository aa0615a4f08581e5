/*
 * netrc, which nobody specified.  As curl, ftp and others read it: words between
 * white space, or in quotation marks with \ before what is meant as it is (and
 * \n, \r, \t).  Outside of quotation marks \ is a character as any other: there
 * curl and ftp disagree, and a password in marks means the same to both.
 */
#include "net/secret.h"

#include <string.h>

#define WORD_MAX 16384

struct scan {
	struct span text, rest;
	struct buf word;	/* the last one; may be a secret, never moves */
	bool quoted;
};

struct entry {
	bool begun, host, other_user;
	bool password;		/* is there one */
	struct buf secret;
};

static int
fail(const struct scan *s, const char *what, struct err *e)
{
	struct span done = { s->text.p, s->text.n - s->rest.n };
	int line = 1;

	for (size_t i = 0; i < done.n; i++)
		line += done.p[i] == '\n';
	return err_set(e, FAULT_CONFIG, "line %d: %s", line, what);
}

/* Words */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' ||
	    c == '\v';
}

static char
unescape(char c)
{
	return c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
}

static int
put(struct scan *s, char c, struct err *e)
{
	if (s->word.n == WORD_MAX)
		return fail(s, "a word that is too long", e);
	buf_addc(&s->word, c);
	return 0;
}

static int
quoted_word(struct scan *s, struct err *e)
{
	char c;

	for (;;) {
		s->rest = span_from(s->rest, 1);
		if (s->rest.n == 0 || *s->rest.p == '\n')
			return fail(s, "a quotation that does not end", e);
		c = *s->rest.p;
		if (c == '"')
			break;
		if (c == '\\' && s->rest.n > 1) {
			s->rest = span_from(s->rest, 1);
			c = unescape(*s->rest.p);
		}
		if (put(s, c, e) < 0)
			return -1;
	}
	s->rest = span_from(s->rest, 1);
	return 1;
}

/* 1: s->word is the next one; 0 there is none. */
static int
next_word(struct scan *s, struct err *e)
{
	buf_clear(&s->word);
	while (s->rest.n > 0 && is_blank(*s->rest.p))
		s->rest = span_from(s->rest, 1);
	if (s->rest.n == 0)
		return 0;
	s->quoted = *s->rest.p == '"';
	if (s->quoted)
		return quoted_word(s, e);
	for (; s->rest.n > 0 && !is_blank(*s->rest.p);
	    s->rest = span_from(s->rest, 1))
		if (put(s, *s->rest.p, e) < 0)
			return -1;
	return 1;
}

static int
value(struct scan *s, struct err *e)
{
	int r = next_word(s, e);

	return r == 0 ? fail(s, "ends where a value is due", e) : r;
}

static void
skip_line(struct scan *s)
{
	struct span line;

	span_cut(&s->rest, '\n', &line);
}

/* A macro ends with an empty line. */
static int
skip_macro(struct scan *s, struct err *e)
{
	struct span line;

	if (value(s, e) < 0)
		return -1;
	skip_line(s);
	while (span_cut(&s->rest, '\n', &line) && span_trim(line).n > 0)
		;
	return 1;
}

/* Entries */

struct wanted {
	const char *host, *user;
};

static void
begin(struct entry *t, bool host)
{
	buf_clear(&t->secret);
	t->begun = true;
	t->host = host;
	t->other_user = t->password = false;
}

static bool
is_wanted(const struct entry *t)
{
	return t->host && !t->other_user && t->password;
}

static bool
is_key(const struct scan *s, const char *key)
{
	return !s->quoted && span_ieq(buf_span(&s->word), span_of(key));
}

static int
on_machine(struct scan *s, struct entry *t, const struct wanted *w, struct err *e)
{
	if (value(s, e) < 0)
		return -1;
	begin(t, w->host != NULL &&
	    span_ieq(buf_span(&s->word), span_of(w->host)));
	return 1;
}

static int
on_login(struct scan *s, struct entry *t, const struct wanted *w, struct err *e)
{
	if (value(s, e) < 0)
		return -1;
	t->other_user = w->user != NULL && !span_is(buf_span(&s->word), w->user);
	return 1;
}

static int
on_password(struct scan *s, struct entry *t, struct err *e)
{
	if (value(s, e) < 0)
		return -1;
	buf_clear(&t->secret);
	buf_addspan(&t->secret, buf_span(&s->word));
	t->password = true;
	return 1;
}

/* A word that stands where a keyword should; it is not told: it may be a secret. */
static int
keyword(struct scan *s, struct entry *t, const struct wanted *w, struct err *e)
{
	if (is_key(s, "machine"))
		return on_machine(s, t, w, e);
	if (is_key(s, "default")) {
		begin(t, true);
		return 1;
	}
	if (is_key(s, "macdef"))
		return skip_macro(s, e);
	if (!t->begun)
		return fail(s, "something stands before the first machine", e);
	if (is_key(s, "login") || is_key(s, "user"))
		return on_login(s, t, w, e);
	if (is_key(s, "password"))
		return on_password(s, t, e);
	if (is_key(s, "account"))
		return value(s, e);
	return fail(s, "a word that is none of machine, default, login, password, "
	    "account, macdef; one with blanks wants quotation marks", e);
}

static int
find(struct scan *s, struct entry *t, const struct wanted *w, struct err *e)
{
	int r;

	while ((r = next_word(s, e)) > 0) {
		if (!s->quoted && s->word.p[0] == '#') {
			skip_line(s);
			continue;
		}
		if (is_wanted(t) && (is_key(s, "machine") || is_key(s, "default")))
			return 1;
		if (keyword(s, t, w, e) < 0)
			return -1;
	}
	return r < 0 ? -1 : is_wanted(t);
}

int
netrc_find(struct span text, const char *host, const char *user,
    struct buf *password, struct err *e)
{
	struct scan s = { .text = text, .rest = text };
	struct entry t = {0};
	struct wanted w = { host, user };
	int r;

	if (text.n > 0 && memchr(text.p, '\0', text.n) != NULL)
		return err_set(e, FAULT_CONFIG, "has a NUL in it");
	buf_room(&s.word, WORD_MAX);
	buf_room(&t.secret, WORD_MAX);
	r = find(&s, &t, &w, e);
	if (r > 0)
		buf_addspan(password, buf_span(&t.secret));
	buf_wipe(&s.word);
	buf_wipe(&t.secret);
	return r;
}
