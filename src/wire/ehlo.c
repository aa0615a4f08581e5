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

/* Words that stand in both AUTH lines are there twice: it does no harm. */
static void
auth(struct ehlo *h, struct span words)
{
	struct span word = {0};
	size_t n = strlen(h->auth);

	while (span_cut(&words, ' ', &word)) {
		if (word.n == 0)
			continue;
		if (n + word.n + 2 > sizeof h->auth)
			return;
		if (n > 0)
			h->auth[n++] = ' ';
		memcpy(h->auth + n, word.p, word.n);
		n += word.n;
	}
}

/* RFC 9422 section 3: 1 to 6 digits and not 0; what else stands there is not ours. */
static void
limits(struct ehlo *h, struct span words)
{
	const struct { const char *name; int64_t *to; } known[] = {
		{ "MAILMAX", &h->mailmax }, { "RCPTMAX", &h->rcptmax },
		{ "RCPTDOMAINMAX", &h->rcptdomainmax },
	};
	struct span word = {0}, name;
	long long n;

	while (span_cut(&words, ' ', &word)) {
		name = (struct span){ word.p, span_find(word, '=') };
		word = span_from(word, name.n + 1);
		if (word.n > 6 || !span_number(word, &n) || n == 0)
			continue;
		for (size_t i = 0; i < sizeof known / sizeof *known; i++)
			if (span_ieq(name, span_of(known[i].name)))
				*known[i].to = n;
	}
}

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
	if (span_ieq(word, SPAN("AUTH")))
		auth(h, line);
	if (span_ieq(word, SPAN("LIMITS")))
		limits(h, line);
	/* some servers of old wrote `AUTH=LOGIN` */
	if (word.n > 5 && span_ieq((struct span){ word.p, 5 }, SPAN("AUTH="))) {
		h->offers |= EXT_AUTH;
		auth(h, span_from(word, 5));
		auth(h, line);
	}
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
