#include "wire/domain.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define DOMAIN_MAX 255
#define LABEL_MAX 63

/* Behind the last @, empty where there is none. */
static struct span
behind_at(struct span address)
{
	size_t n = address.n;

	while (n > 0 && address.p[n - 1] != '@')
		n--;
	return span_from(address, n > 0 ? n : address.n);
}

struct span
domain_of(struct span address)
{
	bool quoted = false;
	size_t at = address.n;

	if (span_find(address, '"') == address.n)
		return behind_at(address);
	for (size_t i = 0; i < address.n; i++) {
		if (quoted && address.p[i] == '\\')
			i++;
		else if (address.p[i] == '"')
			quoted = !quoted;
		else if (address.p[i] == '@' && !quoted)
			at = i;
	}
	return span_from(address, at + 1);
}

static bool
letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

static bool
is_label(struct span s)
{
	if (s.n == 0 || s.n > LABEL_MAX || s.p[0] == '-' || s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!letter_or_digit(s.p[i]) && s.p[i] != '-' && s.p[i] != '_')
			return false;
	return true;
}

bool
domain_is_name(struct span s)
{
	struct span label;

	if (s.n == 0 || s.n > DOMAIN_MAX || s.p[s.n - 1] == '.')
		return false;
	while (span_cut(&s, '.', &label))
		if (!is_label(label))
			return false;
	return true;
}

bool
domain_is_literal(struct span s)
{
	unsigned char address[16];
	char text[64];
	bool six;

	if (s.n < 3 || s.n > sizeof text || s.p[0] != '[' || s.p[s.n - 1] != ']')
		return false;
	s = (struct span){ s.p + 1, s.n - 2 };
	six = s.n > 5 && span_ieq((struct span){ s.p, 5 }, SPAN("IPv6:"));
	if (six)
		s = span_from(s, 5);
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return strlen(text) == s.n &&
	    inet_pton(six ? AF_INET6 : AF_INET, text, address) == 1;
}

void
domain_lower(char *s)
{
	for (; *s != '\0'; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s += 'a' - 'A';
}

/* IDNA2008, non-transitional (RFC 5891), NFC first.  NULL: not one. */
static char *
to_a_labels(struct span s)
{
	char *name = span_dup(s), *ascii = NULL, *copy = NULL;

	if (strlen(name) == s.n && idn2_to_ascii_8z(name, &ascii,
	    IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) == IDN2_OK)
		copy = span_dup(span_of(ascii));
	idn2_free(ascii);
	free(name);
	return copy;
}

char *
domain_ascii(const char *what, struct span s, struct err *e)
{
	struct span whole = s;
	char *name = NULL;

	if (s.n > 1 && s.p[s.n - 1] == '.')
		s.n--;
	if (text_is_ascii(s) && domain_is_name(s))
		name = span_dup(s);
	else if (!text_is_ascii(s) && text_is_utf8(s) && s.n <= DOMAIN_MAX)
		name = to_a_labels(s);
	if (name != NULL && domain_is_name(span_of(name))) {
		domain_lower(name);
		return name;
	}
	free(name);
	err_set(e, FAULT_USAGE, "%s: `%.*s' is no domain name", what,
	    (int)(whole.n < 300 ? whole.n : 300), whole.p);
	return NULL;
}

static bool
is_queue_name(struct span s)
{
	if (s.n == 0 || s.n > DOMAIN_MAX || s.p[0] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!letter_or_digit(s.p[i]) && strchr(".-_", s.p[i]) == NULL)
			return false;
	return true;
}

char *
node_parse(const char *what, const char *text, struct err *e)
{
	struct span s = span_of(text);
	struct buf node = {0};
	char *name;

	if (s.n > 0 && s.p[0] == '#') {
		if (is_queue_name(span_from(s, 1)))
			return span_dup(s);
		err_set(e, FAULT_USAGE, "%s: `%.300s' is no queue name", what,
		    text);
		return NULL;
	}
	if (s.n > 0 && s.p[0] == '@') {
		buf_addc(&node, '@');
		s = span_from(s, 1);
	}
	if ((name = domain_ascii(what, s, e)) == NULL) {
		buf_free(&node);
		return NULL;
	}
	buf_adds(&node, name);
	free(name);
	return buf_str(&node);
}

static bool
has(struct span node, bool below, struct span domain)
{
	if (span_ieq(node, domain))
		return true;
	return below && domain.n > node.n + 1 &&
	    domain.p[domain.n - node.n - 1] == '.' &&
	    span_ieq(node, span_from(domain, domain.n - node.n));
}

bool
node_has(const char *node, struct span domain)
{
	struct span n = span_of(node);
	bool below = *node == '@', yes;
	char *ascii;

	if (*node == '#')
		return false;
	if (below)
		n = span_from(n, 1);
	if (domain.n > 0 && domain.p[domain.n - 1] == '.')
		domain.n--;
	if (text_is_ascii(domain))
		return has(n, below, domain);
	if ((ascii = to_a_labels(domain)) == NULL)
		return false;
	yes = has(n, below, span_of(ascii));
	free(ascii);
	return yes;
}
