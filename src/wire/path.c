#include "wire/path.h"

#include "base/text.h"
#include "wire/domain.h"

/* RFC 5322 section 3.2.3 atext, and UTF-8 (RFC 6531 section 3.3). */
static bool
is_atext(char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || (unsigned char)c >= 0x80)
		return true;
	switch (c) {
	case '!': case '#': case '$': case '%': case '&': case '\'': case '*':
	case '+': case '-': case '/': case '=': case '?': case '^': case '_':
	case '`': case '{': case '|': case '}': case '~':
		return true;
	default:
		return false;
	}
}

static bool
is_dot_string(struct span s)
{
	bool dot = true;	/* neither first nor doubled */

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.' ? dot : !is_atext(s.p[i]))
			return false;
		dot = s.p[i] == '.';
	}
	return s.n > 0 && !dot;
}

/* Printable, not CR, LF, NUL or any control: qtextSMTP and quoted-pairSMTP. */
static bool
is_quotable(char c)
{
	return (unsigned char)c >= 0x20 && c != 0x7f;
}

static bool
is_quoted_string(struct span s)
{
	if (s.n < 2 || s.p[0] != '"' || s.p[s.n - 1] != '"')
		return false;
	for (size_t i = 1; i < s.n - 1; i++) {
		if (s.p[i] == '"')
			return false;
		if (s.p[i] == '\\' && ++i == s.n - 1)
			return false;
		if (!is_quotable(s.p[i]))
			return false;
	}
	return true;
}

/*
 * On its way a domain may be a U-label, and MTAs carry names that are no
 * hostnames; what must not be is anything that ends the path or the line.
 */
static bool
is_domain(struct span s)
{
	if (domain_is_literal(s))
		return true;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '.' && !is_atext(s.p[i]))
			return false;
	return s.n > 0 && s.p[0] != '.' && text_is_utf8(s);
}

bool
path_is_mailbox(struct span s)
{
	struct span domain = domain_of(s), local = s;

	if (s.n == 0 || s.n > PATH_MAX_OCTETS || !text_is_utf8(s))
		return false;
	if (domain.n > 0) {
		local.n = s.n - domain.n - 1;
		if (!is_domain(domain))
			return false;
	}
	return is_dot_string(local) || is_quoted_string(local);
}

void
path_quote(struct buf *b, struct span raw)
{
	struct span local = raw, domain = {0};

	for (size_t i = raw.n; i-- > 0;) {
		if (raw.p[i] == '@') {
			local.n = i;
			domain = span_from(raw, i);
			break;
		}
	}
	if (is_dot_string(local) || (local.n == 0 && domain.n == 0)) {
		buf_addspan(b, raw);
		return;
	}
	buf_addc(b, '"');
	for (size_t i = 0; i < local.n; i++) {
		if (local.p[i] == '"' || local.p[i] == '\\')
			buf_addc(b, '\\');
		buf_addc(b, local.p[i]);
	}
	buf_addc(b, '"');
	buf_addspan(b, domain);
}

void
path_unquote(struct buf *b, struct span s)
{
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++) {
		if (quoted && s.p[i] == '\\' && i + 1 < s.n)
			i++;
		else if (s.p[i] == '"') {
			quoted = !quoted;
			continue;
		}
		buf_addc(b, s.p[i]);
	}
}

char *
path_parse(const char *what, const char *text, bool null_ok, struct err *e)
{
	struct span s = span_of(text);

	if (s.n >= 2 && s.p[0] == '<' && s.p[s.n - 1] == '>')
		s = (struct span){ s.p + 1, s.n - 2 };
	if (s.n == 0 && null_ok)
		return span_dup(s);
	if (s.n > 0 && *text != '-' && path_is_mailbox(s))
		return span_dup(s);
	err_set(e, FAULT_USAGE, *text == '-' ?
	    "%s: `%.300s' begins with a dash; write <%.300s> if it is one" :
	    "%s: `%.300s' is no address", what, text, text);
	return NULL;
}

bool
path_same(struct span a, struct span b)
{
	struct span da = domain_of(a), db = domain_of(b);

	return a.n == b.n && span_ieq(da, db) &&
	    span_eq((struct span){ a.p, a.n - da.n },
	    (struct span){ b.p, b.n - db.n });
}
