/*
 * What Postfix's logs say of one recipient: a block of name=value lines with an
 * empty line before and behind it, as its bounce daemon writes them.
 */
#include "spool/postfix.h"

#include <stdlib.h>
#include <string.h>

/* The next block of a log, without the empty lines around it. */
static bool
cut_block(struct span *rest, struct span *block)
{
	struct span line;

	*block = (struct span){ rest->p, 0 };
	while (span_cut(rest, '\n', &line)) {
		if (line.n == 0 && block->n > 0)
			return true;
		if (line.n == 0)
			continue;
		if (block->n == 0)
			block->p = line.p;
		block->n = (size_t)(line.p + line.n - block->p);
	}
	return block->n > 0;
}

static bool
value_of(struct span block, const char *name, struct span *value)
{
	size_t n = strlen(name);
	struct span line;

	while (span_cut(&block, '\n', &line)) {
		if (!span_starts(line, name) || line.n <= n || line.p[n] != '=')
			continue;
		*value = span_from(line, n + 1);
		return true;
	}
	return false;
}

/*
 * Is it about this recipient?  By where it stands in the queue file: one
 * address may stand there twice.  Logs without offsets are older than 2.1.
 */
static bool
is_about(struct span block, const struct rcpt *r)
{
	long long offset;
	struct span v;

	if (value_of(block, "offset", &v))
		return span_number(v, &offset) && offset == r->offset;
	return value_of(block, "recipient", &v) && span_is(v, r->address);
}

/* The last one counts: logs are appended to. */
static struct span
find_block(struct span log, const struct rcpt *r)
{
	struct span block, found = {0};

	while (cut_block(&log, &block))
		if (is_about(block, r))
			found = block;
	return found;
}

/* As Postfix itself makes text safe: one line, no control characters. */
static void
add_clean(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++)
		buf_addc(b, (unsigned char)*s < ' ' || *s == 0x7f ? '?' : *s);
}

static void
add_line(struct buf *b, const char *name, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	buf_addf(b, "%s=", name);
	add_clean(b, value);
	buf_addc(b, '\n');
}

static bool
is_reply(const char *s)
{
	return s[0] >= '2' && s[0] <= '5' && s[1] >= '0' && s[1] <= '9' &&
	    s[2] >= '0' && s[2] <= '9' && (s[3] == ' ' || s[3] == '-');
}

/*
 * `mx.isp.test[192.0.2.1]:25: 550 5.1.1 no such user`: the reply and who gave
 * it, for the Diagnostic-Code and Remote-MTA of a report (RFC 3464 section 2.3).
 */
static void
add_reply(struct buf *b, const char *text)
{
	size_t host = strcspn(text, "[: ");
	const char *p = text;
	char *name;

	while ((p = strstr(p, ": ")) != NULL && !is_reply(p + 2))
		p += 2;
	if (p == NULL || host == 0 || text[host] == ' ')
		return;
	name = span_dup((struct span){ text, host });
	add_line(b, "diag_type", "smtp");
	add_line(b, "diag_text", p + 2);
	if (result_names_host(span_of(text))) {
		add_line(b, "mta_type", "dns");
		add_line(b, "mta_mname", name);
	}
	free(name);
}

void
pf_log_block(struct buf *b, const struct rcpt *r, const char *action,
    struct span old)
{
	const char *reason = r->reason != NULL ? r->reason : "not said";
	struct span before = find_block(old, r), original;

	buf_addc(b, '\n');
	buf_addc(b, '<');
	add_clean(b, r->address);
	buf_adds(b, ">: ");
	add_clean(b, reason);
	buf_addc(b, '\n');
	add_line(b, "recipient", *r->address != '\0' ? r->address : "<>");
	if (value_of(before, "original_recipient", &original)) {
		buf_adds(b, "original_recipient=");
		buf_addspan(b, original);
		buf_addc(b, '\n');
	}
	buf_addf(b, "offset=%lld\n", (long long)r->offset);
	add_line(b, "dsn_orig_rcpt", r->orcpt);
	if (r->notify != 0)
		buf_addf(b, "notify_flags=%u\n", r->notify);
	add_line(b, "status", r->status != NULL ? r->status : "4.0.0");
	add_line(b, "action", action);
	add_reply(b, reason);
	add_line(b, "reason", reason);
	buf_addc(b, '\n');
}

/* Blocks by the offset they tell, those without one (0) too: the log's order. */
struct place {
	long long offset;
	struct span block;
};

struct places { struct place *p; size_t n, room; };	/* a VEC */

static int
by_offset(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return (x->block.p > y->block.p) - (x->block.p < y->block.p);
}

static void
index_log(struct places *v, struct span log)
{
	struct place one;
	struct span value;

	while (cut_block(&log, &one.block)) {
		if (!value_of(one.block, "offset", &value) ||
		    !span_number(value, &one.offset))
			one.offset = 0;
		*vec_add(v) = one;
	}
	if (v->n > 0)
		qsort(v->p, v->n, sizeof *v->p, by_offset);
}

/* As find_block(), for many recipients. */
static struct span
look_up(const struct places *v, struct span log, const struct rcpt *r)
{
	size_t low = 0, high = v->n;

	while (low < high) {		/* behind the last of this offset */
		size_t middle = low + (high - low) / 2;

		if (v->p[middle].offset <= r->offset)
			low = middle + 1;
		else
			high = middle;
	}
	if (low > 0 && v->p[low - 1].offset == r->offset)
		return v->p[low - 1].block;
	return v->n > 0 && v->p[0].offset == 0 ? find_block(log, r) :
	    (struct span){0};
}

void
pf_log_blocks(struct buf *b, const struct message *m, const bool *news,
    struct span old)
{
	struct places places = {0};

	index_log(&places, old);
	for (size_t i = 0; i < m->env.rcpts.n; i++) {
		const struct rcpt *r = &m->env.rcpts.p[i];
		struct span was = look_up(&places, old, r);

		if (r->done)
			continue;
		if (news[i]) {
			pf_log_block(b, r, "delayed", was);
		} else if (was.n > 0) {
			buf_addc(b, '\n');
			buf_addspan(b, was);
			buf_adds(b, "\n\n");
		}
	}
	vec_free(&places);
}
