#include "wire/ehlo.h"

#include <string.h>

static const struct {
	const char *word;
	enum ext bit;
} keywords[] = {
	{ "8BITMIME", EXT_8BITMIME },
	{ "AUTH", EXT_AUTH },
	{ "ATRN", EXT_ATRN },
	{ "CHUNKING", EXT_CHUNKING },
	{ "DSN", EXT_DSN },
	{ "ENHANCEDSTATUSCODES", EXT_ENHANCEDSTATUSCODES },
	{ "ETRN", EXT_ETRN },
	{ "LIMITS", EXT_LIMITS },
	{ "PIPELINING", EXT_PIPELINING },
	{ "SIZE", EXT_SIZE },
	{ "SMTPUTF8", EXT_SMTPUTF8 },
	{ "STARTTLS", EXT_STARTTLS },
};

static void
keyword(struct ehlo *h, struct span line)
{
	struct span word = {0};
	long long n;

	line = span_trim(line);
	span_cut(&line, ' ', &word);
	for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
		if (span_ieq(word, span_of(keywords[i].word)))
			h->offers |= keywords[i].bit;
	/* a number that overflows says nothing we could hold a message to */
	if (span_ieq(word, SPAN("SIZE")) && span_number(span_trim(line), &n))
		h->size = n;
	/* some servers of old wrote `AUTH=LOGIN` */
	if (word.n > 5 && span_ieq((struct span){ word.p, 5 }, SPAN("AUTH=")))
		h->offers |= EXT_AUTH;
}

void
ehlo_parse(struct ehlo *h, const struct reply *r)
{
	struct span rest = buf_span(&r->text), line = {0}, name = {0};

	*h = (struct ehlo){0};
	span_cut(&rest, '\n', &line);
	span_cut(&line, ' ', &name);
	if (name.n < sizeof h->name && name.n > 0)
		memcpy(h->name, name.p, name.n);
	while (span_cut(&rest, '\n', &line))
		keyword(h, line);
}
