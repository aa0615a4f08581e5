/*
 * Address lists as people and programs write them.  Where RFC 5322 has no
 * answer the common mailers' is taken when they agree: a display name may hold
 * anything, a `>` may be missing, a `;` without a group parts addresses.  A
 * comma that is missing is put in between two addresses with a domain or
 * brackets; two bare words are refused, for mailers guess differently there.
 */
#include "wire/header.h"

#include <stdlib.h>
#include <string.h>

#include "wire/path.h"

#define SHOWN 100	/* octets of what is not understood */
#define ENCODED_MAX 300	/* RFC 2047 allows 75 */

enum token {
	WORD = 256,	/* atom, or more than one around quoted pairs */
	QUOTED,
	LITERAL,	/* with its brackets */
	OTHER,		/* ) ] on their own: good in a display name only */
	END,
	UNCLOSED,	/* a comment, quoted string or literal without its end */
};

struct lexer {
	struct span rest;
	struct buf text;	/* of WORD, QUOTED and LITERAL, quoting undone */
};

/* Addresses without brackets cannot be told from display names at first. */
struct list {
	struct words *to;
	struct lexer lex;
	const char *start;	/* of this element */
	size_t mark;		/* addresses before this element */
	bool group;
	bool brackets;		/* between < and > */
	bool follows;		/* an address without a comma stood before */

	struct buf raw;		/* local part, @, domain */
	size_t domain;		/* where it begins in raw; 0: no @ yet */
	int last;		/* token of the element; 0: none yet */
	const char *wrong;	/* why it is no address; NULL */
};

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
is_special(char c)
{
	return c != '\0' && strchr("()<>[]:;@,.\"", c) != NULL;
}

/* RFC 5322 section 3.2.2; they nest. */
static bool
skip_comment(struct span *s)
{
	size_t depth = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (s->p[i] == '\\')
			i++;
		else if (s->p[i] == '(')
			depth++;
		else if (s->p[i] == ')' && --depth == 0) {
			*s = span_from(*s, i + 1);
			return true;
		}
	}
	return false;
}

static bool
skip_space(struct span *s)
{
	while (s->n > 0) {
		if (is_space(s->p[0]))
			*s = span_from(*s, 1);
		else if (s->p[0] != '(')
			return true;
		else if (!skip_comment(s))
			return false;
	}
	return true;
}

/* Up to `close`; folding goes, and white space in a literal. */
static enum token
enclosed(struct lexer *l, char close, enum token token)
{
	bool literal = token == LITERAL;

	for (size_t i = 1; i < l->rest.n; i++) {
		char c = l->rest.p[i];

		if (c == close) {
			l->rest = span_from(l->rest, i + 1);
			return token;
		}
		if (c == '\\' && i + 1 < l->rest.n)
			c = l->rest.p[++i];
		else if (c == '\r' || c == '\n' || (literal && is_space(c)))
			continue;
		buf_addc(&l->text, c);
	}
	return UNCLOSED;
}

/*
 * The length of an encoded word, RFC 2047 section 2; 0: none.  Some hold what
 * section 5 (3) forbids in a display name, and a comma there parts nothing.
 */
static size_t
encoded_word(struct span s)
{
	int marks = 0;

	if (!span_starts(s, "=?"))
		return 0;
	for (size_t i = 2; i < s.n && i < ENCODED_MAX; i++) {
		if (is_space(s.p[i]))
			return 0;
		if (s.p[i] == '?' && ++marks == 3)
			return i + 1 < s.n && s.p[i + 1] == '=' ? i + 2 : 0;
	}
	return 0;
}

static enum token
word(struct lexer *l)
{
	size_t i = encoded_word(l->rest);

	buf_add(&l->text, l->rest.p, i);
	for (; i < l->rest.n; i++) {
		char c = l->rest.p[i];

		if (is_space(c) || is_special(c))
			break;
		if (c == '\\' && i + 1 < l->rest.n)
			c = l->rest.p[++i];
		buf_addc(&l->text, c);
	}
	l->rest = span_from(l->rest, i);
	return WORD;
}

/* A token, or the special character itself. */
static int
next_token(struct lexer *l)
{
	int token;
	char c;

	buf_clear(&l->text);
	if (!skip_space(&l->rest))
		return UNCLOSED;
	if (l->rest.n == 0)
		return END;
	c = l->rest.p[0];
	if (!is_special(c))
		return word(l);
	if (c == '"')
		return enclosed(l, '"', QUOTED);
	if (c == '[') {
		buf_addc(&l->text, '[');
		token = enclosed(l, ']', LITERAL);
		buf_addc(&l->text, ']');
		return token;
	}
	l->rest = span_from(l->rest, 1);
	return c == ')' || c == ']' ? OTHER : c;
}

static int
refuse(struct list *l, const char *why, struct err *e)
{
	struct span s = { l->start, (size_t)(l->lex.rest.p - l->start) };

	s = span_trim(s);
	if (span_ends(s, ",") || span_ends(s, ";"))
		s.n--;
	return err_set(e, FAULT_DATA, "`%.*s%s': %s",
	    (int)(s.n < SHOWN ? s.n : SHOWN), s.p, s.n > SHOWN ? "..." : "", why);
}

static void
forget(struct list *l)
{
	buf_clear(&l->raw);
	l->domain = 0;
	l->last = 0;
	l->wrong = NULL;
}

static void
new_element(struct list *l)
{
	forget(l);
	l->start = l->lex.rest.p;
	l->mark = l->to->n;
	l->brackets = l->follows = false;
}

/*
 * RFC 5322 section 4.4: dots may stand apart from their words, and words may
 * be quoted one by one; together they are one local part.
 */
static bool
keep(struct list *l)
{
	struct buf quoted = {0};
	bool bare = l->domain == 0;

	if (l->wrong == NULL && bare && l->follows)
		l->wrong = "no comma before it";
	if (l->wrong != NULL)
		return false;
	if (bare)
		buf_addc(&l->raw, '@');		/* one in quotes is none */
	path_quote(&quoted, buf_span(&l->raw));
	if (bare && quoted.n > 0)
		quoted.n--;
	if (l->last == '@' || (bare && l->last == '.') ||
	    !path_is_mailbox(buf_span(&quoted))) {
		l->wrong = "no address";
		buf_free(&quoted);
		return false;
	}
	*vec_add(l->to) = buf_str(&quoted);
	forget(l);
	return true;
}

/* The element ends. */
static int
take(struct list *l, struct err *e)
{
	if (l->last == 0 || keep(l))
		return 0;
	return refuse(l, l->wrong, e);
}

static bool
is_word(int token)
{
	return token == WORD || token == QUOTED || token == LITERAL;
}

/* A word behind a word: a comma is missing, or it is a display name. */
static void
separate(struct list *l)
{
	if (l->brackets)
		l->wrong = "no address";
	else if (l->domain == 0)
		l->wrong = "no comma between its words";
	else if (keep(l))
		l->follows = true;
}

/* The next token of what may be an address. */
static void
add(struct list *l, int token)
{
	if (l->wrong == NULL && is_word(token) && is_word(l->last))
		separate(l);
	if (l->wrong == NULL && token == '@' && l->domain > 0)
		l->wrong = "a second @";
	if (token == OTHER || token == '>' ||
	    (token == QUOTED && l->domain > 0) ||
	    (token == LITERAL && l->last != '@') ||
	    (token == '@' && l->last == 0))
		l->wrong = "no address";
	l->last = token;
	if (l->wrong != NULL)
		return;
	if (is_word(token))
		buf_addspan(&l->raw, buf_span(&l->lex.text));
	else
		buf_addc(&l->raw, (char)token);
	if (token == '@')
		l->domain = l->raw.n;
}

/* RFC 5322 section 4.4, obs-route: goes; RFC 5321 appendix C.  To its `:`. */
static int
skip_route(struct list *l)
{
	int token;

	do
		token = next_token(&l->lex);
	while (token == '@' || token == ',' || token == '.' || token == WORD ||
	    token == LITERAL);
	if (token != ':')
		l->wrong = "no address";
	return token == ':' ? next_token(&l->lex) : token;
}

/*
 * What stood before was a display name.  Returns the token behind the address:
 * a `>`, or what shows that it is missing; -1.
 */
static int
brackets(struct list *l, struct err *e)
{
	int token;

	while (l->to->n > l->mark)
		free(l->to->p[--l->to->n]);
	forget(l);
	l->brackets = true;
	l->follows = false;
	token = next_token(&l->lex);
	if (token == '@' || token == ',')
		token = skip_route(l);
	while (is_word(token) || token == '.' || token == '@' ||
	    token == OTHER) {
		add(l, token);
		token = next_token(&l->lex);
	}
	if (token == '<' || token == ':' || l->wrong != NULL)
		return refuse(l, "no address", e);
	if (take(l, e) < 0)
		return -1;
	new_element(l);
	l->follows = true;
	return token;
}

/* RFC 5322 section 3.4: groups do not nest; the name goes. */
static int
begin_group(struct list *l, struct err *e)
{
	if (l->group)
		return refuse(l, "a group in a group", e);
	if (l->domain > 0 || l->follows)
		return refuse(l, "a `:' behind an address", e);
	l->group = true;
	new_element(l);
	return 0;
}

static int
elements(struct list *l, struct err *e)
{
	int token;

	new_element(l);
	for (;;) {
		token = next_token(&l->lex);
		if (token == '<') {
			if ((token = brackets(l, e)) < 0)
				return -1;
			if (token == '>')
				continue;
		}
		if (token == UNCLOSED) {
			l->lex.rest = span_from(l->lex.rest, l->lex.rest.n);
			return refuse(l, "a quote, comment or bracket has no "
			    "end", e);
		}
		if (token == ':') {
			if (begin_group(l, e) < 0)
				return -1;
		} else if (token == ',' || token == ';' || token == END) {
			if (take(l, e) < 0)
				return -1;
			if (token == END)
				return 0;
			l->group = l->group && token != ';';
			new_element(l);
		} else {
			add(l, token);
		}
	}
}

int
header_addresses(struct words *w, struct span body, struct err *e)
{
	struct list l = { .to = w, .lex.rest = body };
	int r = elements(&l, e);

	buf_free(&l.lex.text);
	buf_free(&l.raw);
	return r;
}
