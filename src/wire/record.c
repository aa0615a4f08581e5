#include "wire/record.h"

#include <string.h>

#include "base/text.h"
#include "wire/path.h"

static const char *const fates[] = {
	[FATE_NONE] = "none", [FATE_DELIVERED] = "delivered",
	[FATE_RELAYED] = "relayed", [FATE_DEFERRED] = "deferred",
	[FATE_FAILED] = "failed",
};

const char *
fate_name(enum fate f)
{
	return fates[f];
}

void
field_add(struct buf *b, struct span s)
{
	while (s.n > 0) {
		size_t n = text_plain(s, '\\', '\\');
		unsigned char c;

		buf_add(b, s.p, n);
		s = span_from(s, n);
		if (s.n == 0)
			return;
		c = (unsigned char)*s.p;
		if (c < 0x80)
			buf_addf(b, "\\x%02X", c);
		else
			buf_addc(b, (char)c);
		s = span_from(s, 1);
	}
}

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	    c >= 'A' && c <= 'F' ? c - 'A' + 10 :
	    c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A field as a string of its own; NULL with 65: empty, or no escape of ours. */
static char *
field(const char *what, struct span s, struct err *e)
{
	struct buf b = {0};

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '\\' && i + 3 < s.n && s.p[i + 1] == 'x' &&
		    hex(s.p[i + 2]) >= 0 && hex(s.p[i + 3]) >= 0) {
			c = (char)(hex(s.p[i + 2]) * 16 + hex(s.p[i + 3]));
			i += 3;
		} else if (c == '\\') {
			goto bad;
		}
		if (c == '\0')
			goto bad;
		buf_addc(&b, c);
	}
	if (b.n > 0)
		return buf_str(&b);
bad:
	buf_free(&b);
	err_set(e, FAULT_DATA, "%s `%.*s': %s", what,
	    (int)(s.n < 300 ? s.n : 300), s.p,
	    s.n == 0 ? "an empty field" : "not a field of ours");
	return NULL;
}

/* `!`, exit status, text. */
static int
trouble(struct span rest, char **ref, int *status, char **text, struct err *e)
{
	struct span number = {0};
	long long v;

	span_cut(&rest, '\t', &number);
	if (!span_number(number, &v) || v < 1 || v > 255)
		return err_set(e, FAULT_DATA, "a `!' line without a status");
	/* whatever it says, it is trouble */
	if ((*text = field("text", rest, e)) == NULL) {
		*text = span_dup(rest.n > 0 ? rest : SPAN("-"));
		err_clear(e);
	}
	*ref = span_dup(SPAN("!"));
	*status = (int)v;
	return 0;
}

static int
recipients(struct record *r, struct span rest, struct err *e)
{
	struct span s;
	char *address;

	while (span_cut(&rest, '\t', &s)) {
		if ((address = field("recipient", s, e)) == NULL)
			return -1;
		*vec_add(&r->rcpts) = address;
		if (!path_is_mailbox(span_of(address)))
			return err_set(e, FAULT_DATA,
			    "recipient `%.300s' is no address", address);
	}
	return 0;
}

static int
parse(struct record *r, struct span line, struct err *e)
{
	bool ends_empty = span_ends(line, "\t");
	struct span s = {0};

	span_cut(&line, '\t', &s);
	if (span_is(s, "!"))
		return trouble(line, &r->ref, &r->exit, &r->text, e);
	if ((r->ref = field("ref", s, e)) == NULL)
		return -1;
	if (ends_empty)
		return err_set(e, FAULT_DATA, "an empty field at the end");
	if (!span_cut(&line, '\t', &s))
		return 0;
	if ((r->sender = field("sender", s, e)) == NULL)
		return -1;
	/* REF alone means everybody; a list that came out empty must not */
	if (line.n == 0)
		return err_set(e, FAULT_DATA, "a sender and no recipient");
	if (strcmp(r->sender, "<>") == 0)
		r->sender[0] = '\0';
	else if (!path_is_mailbox(span_of(r->sender)))
		return err_set(e, FAULT_DATA, "sender `%.300s' is no address",
		    r->sender);
	return recipients(r, line, e);
}

int
record_parse(struct record *r, struct span line, struct err *e)
{
	*r = (struct record){0};
	if (parse(r, line, e) == 0)
		return 0;
	record_free(r);
	return -1;
}

bool
result_names_host(struct span text)
{
	return !span_starts(text, "fd:") && !span_starts(text, "unix:") &&
	    !span_starts(text, "exec:");
}

bool
result_is_status(struct span s)
{
	struct span part;
	long long v;
	int n = 0;

	if (span_ends(s, "."))
		return false;
	while (span_cut(&s, '.', &part)) {
		if (!span_number(part, &v) || v > 999 ||
		    (n == 0 && v != 2 && v != 4 && v != 5))
			return false;
		n++;
	}
	return n == 3;
}

static int
parse_result(struct result *r, struct span line, struct err *e)
{
	struct span s = {0};

	span_cut(&line, '\t', &s);
	if (span_is(s, "!"))
		return trouble(line, &r->ref, &r->exit, &r->text, e);
	if ((r->ref = field("ref", s, e)) == NULL)
		return -1;
	s.n = 0;
	span_cut(&line, '\t', &s);
	if ((r->recipient = field("recipient", s, e)) == NULL)
		return -1;
	s.n = 0;
	span_cut(&line, '\t', &s);
	for (int i = FATE_DELIVERED; i <= FATE_FAILED; i++)
		if (span_is(s, fates[i]))
			r->fate = (enum fate)i;
	if (r->fate == FATE_NONE)
		return err_set(e, FAULT_DATA, "`%.*s' is no fate",
		    (int)(s.n < 100 ? s.n : 100), s.p);
	s.n = 0;
	span_cut(&line, '\t', &s);
	if (!result_is_status(s))
		return err_set(e, FAULT_DATA, "`%.*s' is no status",
		    (int)(s.n < 100 ? s.n : 100), s.p);
	/* who says two things has not said that it may leave its queue */
	if ((r->fate == FATE_DELIVERED || r->fate == FATE_RELAYED) != (*s.p == '2') &&
	    r->fate != FATE_DEFERRED)
		return err_set(e, FAULT_DATA, "%s, with the status %.*s of %s",
		    fates[r->fate], (int)s.n, s.p, *s.p == '2' ? "success" : "failure");
	r->status = span_dup(s);
	return (r->text = field("text", line, e)) != NULL ? 0 : -1;
}

int
result_parse(struct result *r, struct span line, struct err *e)
{
	*r = (struct result){0};
	if (parse_result(r, line, e) == 0)
		return 0;
	result_free(r);
	return -1;
}

void
record_free(struct record *r)
{
	for (size_t i = 0; i < r->rcpts.n; i++)
		free(r->rcpts.p[i]);
	vec_free(&r->rcpts);
	free(r->ref);
	free(r->sender);
	free(r->text);
	*r = (struct record){0};
}

void
result_free(struct result *r)
{
	free(r->ref);
	free(r->recipient);
	free(r->status);
	free(r->text);
	*r = (struct result){0};
}

void
record_add(struct buf *b, const struct record *r, char end)
{
	field_add(b, span_of(r->ref));
	if (r->sender != NULL) {
		buf_addc(b, '\t');
		field_add(b, *r->sender ? span_of(r->sender) : SPAN("<>"));
	}
	for (size_t i = 0; i < r->rcpts.n; i++) {
		buf_addc(b, '\t');
		field_add(b, span_of(r->rcpts.p[i]));
	}
	buf_addc(b, end);
}

void
result_add(struct buf *b, const struct result *r, char end)
{
	field_add(b, span_of(r->ref));
	buf_addc(b, '\t');
	field_add(b, span_of(r->recipient));
	buf_addf(b, "\t%s\t%s\t", fate_name(r->fate), r->status);
	field_add(b, r->text && *r->text ? span_of(r->text) : SPAN("-"));
	buf_addc(b, end);
}

void
trouble_add(struct buf *b, int status, const char *text, char end)
{
	buf_addf(b, "!\t%d\t", status);
	field_add(b, *text ? span_of(text) : SPAN("-"));
	buf_addc(b, end);
}
