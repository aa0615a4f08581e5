#include "wire/arguments.h"

#include "base/text.h"
#include "wire/domain.h"
#include "wire/path.h"
#include "wire/xtext.h"

#define ENVID_MAX 1000		/* far over RFC 3461's 100 */

static const struct complaint fine = { 0, NULL, NULL };

static struct complaint
complain(int code, const char *status, const char *text)
{
	return (struct complaint){ code, status, text };
}

/* ---- the path ---- */

/* How long it is, quotes heeded, `>' included; 0: it has no end. */
static size_t
path_length(struct span s)
{
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++) {
		if (quoted && s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			quoted = !quoted;
		else if (s.p[i] == '>' && !quoted)
			return i + 1;
	}
	return 0;
}

/* `@one,@two:' */
static struct span
without_route(struct span s)
{
	size_t n;

	if (!span_starts(s, "@"))
		return s;
	n = span_find(s, ':');
	return n < s.n ? span_from(s, n + 1) : s;
}

/*
 * Cuts `WORD:<path>' off, a blank behind the colon forgiven; what is left are the
 * parameters, with the blank in front.
 */
static bool
cut_path(struct span *rest, const char *word, struct span *path)
{
	size_t n = strlen(word);

	if (rest->n < n || !span_ieq((struct span){ rest->p, n }, span_of(word)))
		return false;
	*rest = span_from(*rest, n);
	while (span_starts(*rest, " "))
		*rest = span_from(*rest, 1);
	if (!span_starts(*rest, "<") || (n = path_length(*rest)) == 0)
		return false;
	*path = without_route((struct span){ rest->p + 1, n - 2 });
	*rest = span_from(*rest, n);
	return rest->n == 0 || *rest->p == ' ';
}

/* ---- parameters ---- */

static bool
is_keyword(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' &&
		    s.p[i] <= 'Z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
		    (s.p[i] == '-' && i > 0)))
			return false;
	return s.n > 0;
}

/* The next `KEYWORD[=value]'; false: no more of them. */
static bool
cut_parameter(struct span *rest, struct span *word, struct span *value)
{
	struct span one;

	do {
		if (!span_cut(rest, ' ', &one))
			return false;
	} while (one.n == 0);
	*word = (struct span){ one.p, span_find(one, '=') };
	*value = span_from(one, word->n < one.n ? word->n + 1 : one.n);
	return true;
}

static bool
is(struct span word, const char *name, unsigned offers, unsigned ext)
{
	return (offers & ext) != 0 && span_ieq(word, span_of(name));
}

static struct complaint
read_size(struct span value, int64_t *size)
{
	long long n;

	/* more digits than fit: more octets than anybody takes */
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] < '0' || value.p[i] > '9')
			return complain(501, "5.5.4", "SIZE is no number");
	if (value.n == 0 || value.n > 20)
		return complain(501, "5.5.4", "SIZE is no number");
	*size = span_number(value, &n) ? n : INT64_MAX;
	return fine;
}

static struct complaint
read_body(struct span value, struct envelope *v)
{
	if (span_ieq(value, SPAN("7BIT")))
		v->body = BODY_7BIT;
	else if (span_ieq(value, SPAN("8BITMIME")))
		v->body = BODY_8BITMIME;
	else
		return complain(555, "5.5.4", "that BODY is not taken here");
	return fine;
}

static struct complaint
read_ret(struct span value, struct envelope *v)
{
	if (v->ret != RET_NONE || (!span_ieq(value, SPAN("FULL")) &&
	    !span_ieq(value, SPAN("HDRS"))))
		return complain(501, "5.5.4", "RET is FULL or HDRS");
	v->ret = span_ieq(value, SPAN("FULL")) ? RET_FULL : RET_HDRS;
	return fine;
}

/* Decoded, and fit to stand in a line again. */
static char *
decode(struct span value)
{
	struct buf b = {0};
	bool good = value.n > 0 && value.n <= ENVID_MAX && xtext_decode(&b, value);

	for (size_t i = 0; i < b.n; i++)
		good = good && (unsigned char)b.p[i] >= 0x20 && b.p[i] != 0x7f;
	if (good)
		return buf_str(&b);
	buf_free(&b);
	return NULL;
}

static struct complaint
read_envid(struct span value, struct envelope *v)
{
	if (v->envid != NULL || (v->envid = decode(value)) == NULL)
		return complain(501, "5.5.4", "that ENVID is none");
	return fine;
}

static struct complaint
mail_parameter(struct span word, struct span value, unsigned offers,
    struct envelope *v, int64_t *size)
{
	if (is(word, "SIZE", offers, EXT_SIZE))
		return read_size(value, size);
	if (is(word, "BODY", offers, EXT_8BITMIME))
		return read_body(value, v);
	if (is(word, "SMTPUTF8", offers, EXT_SMTPUTF8) && value.n == 0) {
		v->smtputf8 = true;
		return fine;
	}
	if (is(word, "RET", offers, EXT_DSN))
		return read_ret(value, v);
	if (is(word, "ENVID", offers, EXT_DSN))
		return read_envid(value, v);
	if (is(word, "AUTH", offers, EXT_AUTH))
		return fine;
	return complain(555, "5.5.4", "a parameter that is not known here");
}

struct complaint
arguments_mail(struct span rest, unsigned offers, struct envelope *v, int64_t *size)
{
	struct span path, word, value;
	struct complaint c;

	*size = -1;
	if (!cut_path(&rest, "FROM:", &path))
		return complain(501, "5.5.4", "it is MAIL FROM:<address>");
	while (cut_parameter(&rest, &word, &value)) {
		if (!is_keyword(word))
			return complain(501, "5.5.4", "a parameter that is none");
		c = mail_parameter(word, value, offers, v, size);
		if (c.code != 0)
			return c;
	}
	if (path.n > 0 && (!path_is_mailbox(path) || domain_of(path).n == 0))
		return complain(553, "5.1.7", "the sender's address is none");
	if (!text_is_ascii(path) && !v->smtputf8)
		return complain(553, "5.6.7", "that address needs SMTPUTF8");
	v->sender = span_dup(path);
	return fine;
}

/* ---- RCPT's own ---- */

static struct complaint
read_notify(struct span value, struct rcpt *r)
{
	static const struct { const char *word; unsigned bit; } words[] = {
		{ "NEVER", NOTIFY_NEVER }, { "SUCCESS", NOTIFY_SUCCESS },
		{ "FAILURE", NOTIFY_FAILURE }, { "DELAY", NOTIFY_DELAY },
	};
	struct complaint wrong = complain(501, "5.5.4",
	    "NOTIFY is NEVER, or some of SUCCESS,FAILURE,DELAY");
	struct span one;

	if (r->notify != 0 || span_ends(value, ","))
		return wrong;
	while (span_cut(&value, ',', &one)) {
		size_t i = 0;

		while (i < 4 && !span_ieq(one, span_of(words[i].word)))
			i++;
		if (i == 4)
			return wrong;
		r->notify |= words[i].bit;
	}
	return r->notify == 0 || ((r->notify & NOTIFY_NEVER) &&
	    r->notify != NOTIFY_NEVER) ? wrong : fine;
}

static struct complaint
read_orcpt(struct span value, struct rcpt *r)
{
	size_t n = span_find(value, ';');
	char *address = n > 0 && n < value.n && is_keyword((struct span){ value.p,
	    n }) ? decode(span_from(value, n + 1)) : NULL;
	struct buf b = {0};

	if (address == NULL || r->orcpt != NULL) {
		free(address);
		return complain(501, "5.5.4", "that ORCPT is none");
	}
	buf_addf(&b, "%.*s;%s", (int)n, value.p, address);
	free(address);
	r->orcpt = buf_str(&b);
	return fine;
}

struct complaint
arguments_rcpt(struct span rest, unsigned offers, struct envelope *v)
{
	struct span path, word, value;
	struct complaint c;
	struct rcpt *r;

	if (!cut_path(&rest, "TO:", &path))
		return complain(501, "5.5.4", "it is RCPT TO:<address>");
	/* RFC 5321 section 4.1.1.3: `postmaster' without a domain is taken */
	if (!path_is_mailbox(path) || (domain_of(path).n == 0 &&
	    !span_ieq(path, SPAN("postmaster"))))
		return complain(553, "5.1.3", "the recipient's address is none");
	r = envelope_add(v, span_dup(path));
	r->selected = true;
	while (cut_parameter(&rest, &word, &value)) {
		c = is(word, "NOTIFY", offers, EXT_DSN) ? read_notify(value, r) :
		    is(word, "ORCPT", offers, EXT_DSN) ? read_orcpt(value, r) :
		    complain(555, "5.5.4", "a parameter that is not known here");
		if (c.code != 0)
			return c;
	}
	return fine;
}
