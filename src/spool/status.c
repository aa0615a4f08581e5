#include "spool/status.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"

#define DIGITS "0123456789"

/* `451 4.7.1 `, at the beginning of a word. */
static bool
is_reply(const char *p, size_t *length)
{
	const char *code = p + 4;

	if (strspn(p, DIGITS) != 3 || (*p != '4' && *p != '5') ||
	    (p[3] != ' ' && p[3] != '-'))
		return false;
	*length = strspn(code, DIGITS ".");
	return *length >= 5 && code[0] == *p && code[1] == '.' &&
	    (code[*length] == ' ' || code[*length] == '\0');
}

char *
status_in(const char *text)
{
	size_t n;

	for (const char *p = text; p != NULL; p = strchr(p, ' ')) {
		p += strspn(p, " ");
		if (is_reply(p, &n))
			return span_dup((struct span){ p + 4, n });
	}
	return NULL;
}
