/* PATTERN:REPLY, as the options give them. */
#ifndef T_SINK_RULE_H
#define T_SINK_RULE_H

#include <fnmatch.h>
#include <string.h>

#include "base/buf.h"
#include "base/vec.h"

struct rule { char *pattern; const char *reply; };
struct rules { struct rule *p; size_t n, room; };

static const char *
rule_for(const struct rules *r, const char *subject)
{
	for (size_t i = 0; i < r->n; i++)
		if (fnmatch(r->p[i].pattern, subject, 0) == 0)
			return r->p[i].reply;
	return NULL;
}

/* The first colon with a reply code behind it: IPv6 has colons, too. */
static bool
rule_add(struct rules *rules, const char *text)
{
	const char *colon = text;
	struct rule *r;

	do {
		colon = strchr(colon + (colon > text), ':');
		if (colon == NULL)
			return false;
		colon++;
	} while (strspn(colon, "0123456789") != 3);
	r = vec_add(rules);
	r->pattern = span_dup((struct span){ text,
	    (size_t)(colon - 1 - text) });
	r->reply = colon;
	return true;
}

#endif
