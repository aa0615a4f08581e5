#include "out/rows.h"

#include <inttypes.h>
#include <string.h>

#include "out/json.h"
#include "out/screen.h"
#include "wire/path.h"
#include "wire/record.h"

static const struct column columns[] = {
	{ "ID", 40, false, true }, { "STATE", 9, false, false },
	{ "AGE", 5, true, false }, { "SIZE", 6, true, false },
	{ "SENDER", 30, false, false }, { "RECIPIENT", 30, false, false },
	{ "REASON", 60, false, false },
};

#define NCOLUMNS (sizeof columns / sizeof *columns)

void
rows_begin(struct rows *r, size_t width)
{
	r->table = (struct table){ .columns = columns, .n = NCOLUMNS,
	    .width = width };
}

static struct span
sender_of(const struct row *w)
{
	const char *s = w->env->sender;

	return s != NULL && *s != '\0' ? span_of(s) : SPAN("<>");
}

/* The reason of the first selected recipient that has one. */
static struct span
reason_of(const struct row *w)
{
	for (size_t i = 0; i < w->env->rcpts.n; i++) {
		const struct rcpt *r = &w->env->rcpts.p[i];

		if (r->selected && r->reason != NULL && *r->reason != '\0')
			return span_of(r->reason);
	}
	return SPAN("-");
}

/* The first selected recipient, and how many there are. */
static size_t
count_rcpts(const struct row *w, struct span *first)
{
	size_t n = 0;

	*first = SPAN("-");
	for (size_t i = 0; i < w->env->rcpts.n; i++)
		if (w->env->rcpts.p[i].selected && n++ == 0)
			*first = span_of(w->env->rcpts.p[i].address);
	return n;
}

/* An age is never below 0, whatever the clocks say. */
static int64_t
age_of(const struct rows *r, const struct row *w)
{
	return r->now > w->arrival ? r->now - w->arrival : 0;
}

static void
table_add(struct rows *r, const struct row *w)
{
	struct buf age = {0}, size = {0}, rcpts = {0};
	struct span first;
	size_t n = count_rcpts(w, &first);

	if (w->arrival != -1)
		table_age(&age, age_of(r, w));
	else
		buf_addc(&age, '-');
	if (w->size >= 0)
		table_size(&size, w->size);
	else
		buf_addc(&size, '-');
	buf_addspan(&rcpts, first);
	if (n > 1)
		buf_addf(&rcpts, " +%zu", n - 1);
	table_row(&r->table, (struct span[]){ span_of(w->id),
	    span_of(w->state), buf_span(&age), buf_span(&size), sender_of(w),
	    buf_span(&rcpts), reason_of(w) }, r->to);
	buf_free(&age);
	buf_free(&size);
	buf_free(&rcpts);
}

static void
json_rcpt(struct buf *b, const struct rcpt *r)
{
	static const char *const names[] = { "NEVER", "SUCCESS", "FAILURE", "DELAY" };
	struct buf notify = {0};

	json_open(b, NULL, '{');
	json_string(b, "address", span_of(r->address));
	if (!r->done && r->reason != NULL)
		json_string(b, "delay_reason", span_of(r->reason));
	if (!r->done && r->status != NULL)
		json_string(b, "status", span_of(r->status));
	if (r->orcpt != NULL)
		json_string(b, "orcpt", span_of(r->orcpt));
	for (int i = 0; i < 4; i++)
		if (r->notify & 1u << i)
			buf_addf(&notify, "%s%s", notify.n ? "," : "", names[i]);
	if (notify.n > 0)
		json_string(b, "notify", buf_span(&notify));
	buf_free(&notify);
	json_close(b, '}');
}

static void
json_rcpts(const struct rows *r, const struct row *w, struct buf *b)
{
	const struct envelope *v = w->env;
	bool done = false;

	json_open(b, "recipients", '[');
	for (size_t i = 0; i < v->rcpts.n; i++) {
		if (v->rcpts.p[i].selected)
			json_rcpt(b, &v->rcpts.p[i]);
		done = done || v->rcpts.p[i].done;
	}
	json_close(b, ']');
	if (!done || r->narrowed)
		return;
	json_open(b, "done", '[');
	for (size_t i = 0; i < v->rcpts.n; i++)
		if (v->rcpts.p[i].done)
			json_rcpt(b, &v->rcpts.p[i]);
	json_close(b, ']');
}

static void
json_known(struct buf *b, const struct row *w)
{
	const struct envelope *v = w->env;

	if (w->next_attempt > 0)
		json_number(b, "next_attempt", w->next_attempt);
	if (w->last_attempt > 0)
		json_number(b, "last_attempt", w->last_attempt);
	if (w->note != NULL)
		json_string(b, "note", span_of(w->note));
	if (w->attempts >= 0)
		json_number(b, "attempts", w->attempts);
	if (v->body != BODY_UNKNOWN)
		json_string(b, "body",
		    v->body == BODY_7BIT ? SPAN("7BIT") : SPAN("8BITMIME"));
	if (v->smtputf8)
		json_bool(b, "smtputf8", true);
	if (v->ret != RET_NONE)
		json_string(b, "ret",
		    v->ret == RET_FULL ? SPAN("FULL") : SPAN("HDRS"));
	if (v->envid != NULL)
		json_string(b, "envid", span_of(v->envid));
}

static void
json_add(const struct rows *r, const struct row *w, struct buf *b)
{
	json_open(b, NULL, '{');
	json_string(b, "queue_name", span_of(w->state));
	json_string(b, "queue_id", span_of(w->id));
	if (w->arrival != -1)
		json_number(b, "arrival_time", w->arrival);
	if (w->size >= 0)
		json_number(b, "message_size", w->size);
	json_bool(b, "forced_expire", w->forced_expire);
	json_string(b, "sender",
	    w->env->sender != NULL ? span_of(w->env->sender) : SPAN(""));
	json_rcpts(r, w, b);
	json_string(b, "mta", span_of(w->mta));
	json_string(b, "spool", span_of(w->spool));
	json_string(b, "ref", span_of(w->ref));
	json_known(b, w);
	json_close(b, '}');
	buf_addc(b, r->end);
}

/*
 * Whoever reads a record refuses all of it for one field that is no address:
 * such a recipient is left out, and told.
 */
static int
records_add(const struct rows *r, const struct row *w, struct buf *b,
    struct err *e)
{
	struct record rec = { .ref = (char *)(uintptr_t)w->ref, .sender = w->env->sender };
	const struct rcpt *p = w->env->rcpts.p;
	int bad = 0;

	if (rec.sender == NULL)
		rec.sender = (char *)(uintptr_t)"";
	if (*rec.sender != '\0' && !path_is_mailbox(span_of(rec.sender)))
		return err_set(e, FAULT_DATA, "%s: left out: its sender `%.200s' "
		    "is no address", w->id, rec.sender);
	for (size_t i = 0; i < w->env->rcpts.n; i++) {
		if (!p[i].selected)
			continue;
		if (path_is_mailbox(span_of(p[i].address)))
			*vec_add(&rec.rcpts) = p[i].address;
		else
			bad = err_set(e, FAULT_DATA, "%s: left out: its "
			    "recipient `%.200s' is no address", w->id,
			    p[i].address);
	}
	if (rec.rcpts.n > 0)
		record_add(b, &rec, r->end);
	vec_free(&rec.rcpts);
	return bad;
}

/* A value in a line of the user's own form. */
static void
value(struct buf *b, struct span s)
{
	field_add(b, s.n > 0 ? s : SPAN("-"));
}

static void
known(struct buf *b, bool is, int64_t n)
{
	if (is)
		buf_addf(b, "%" PRId64, n);
	else
		buf_addc(b, '-');
}

static void
letter(const struct rows *r, const struct row *w, char c, struct buf *b)
{
	const struct envelope *v = w->env;
	const char *space = "";

	switch (c) {
	case 'i': value(b, span_of(w->id)); break;
	case 's': known(b, w->size >= 0, w->size); break;
	case 'a': known(b, w->arrival != -1, age_of(r, w)); break;
	case 'f': value(b, sender_of(w)); break;
	case 'q': value(b, span_of(w->state)); break;
	case 'R': value(b, reason_of(w)); break;
	case 'p': value(b, span_of(w->ref)); break;
	case '%': buf_addc(b, '%'); break;
	case 'r':
		for (size_t i = 0; i < v->rcpts.n; i++) {
			if (!v->rcpts.p[i].selected)
				continue;
			buf_adds(b, space);
			value(b, span_of(v->rcpts.p[i].address));
			space = " ";
		}
		if (*space == '\0')
			buf_addc(b, '-');
		break;
	}
}

static void
format_add(const struct rows *r, const struct row *w, struct buf *b)
{
	for (const char *f = r->format; *f != '\0'; f++) {
		if (*f == '%')
			letter(r, w, *++f, b);
		else if (*f == '\\')
			buf_addc(b, *++f == 't' ? '\t' :
			    *f == 'n' ? '\n' : '\\');
		else
			buf_addc(b, *f);
	}
	buf_addc(b, r->end);
}

int
rows_format_check(const char *f, struct err *e)
{
	for (; *f != '\0'; f++) {
		const char *known = *f == '%' ? "isafrqRp%" : "tn\\";

		if (*f != '%' && *f != '\\')
			continue;
		if (f[1] == '\0' || strchr(known, f[1]) == NULL)
			return err_set(e, FAULT_USAGE, "--format: `%.2s' is not "
			    "known; there are %%i %%s %%a %%f %%r %%q %%R %%p "
			    "%%%% and \\t \\n \\\\", f);
		f++;
	}
	return 0;
}

static void
put(struct rows *r, struct span s)
{
	struct buf safe = {0};

	if (r->tty) {
		screen_lines(&safe, s);
		s = buf_span(&safe);
	}
	if (s.n > 0)
		fwrite(s.p, 1, s.n, r->to);
	buf_free(&safe);
}

static void
one_field(const struct rows *r, const char *s, struct buf *b)
{
	field_add(b, span_of(s));
	buf_addc(b, r->end);
}

bool
rows_are_text(const struct rows *r)
{
	return r->form != ROWS_TABLE;
}

int
rows_text(const struct rows *r, const struct row *w, struct buf *b,
    struct err *e)
{
	switch (r->form) {
	case ROWS_REFS: one_field(r, w->ref, b); break;
	case ROWS_IDS: one_field(r, w->id, b); break;
	case ROWS_RECORDS: return records_add(r, w, b, e);
	case ROWS_JSON: json_add(r, w, b); break;
	case ROWS_FORMAT: format_add(r, w, b); break;
	case ROWS_TABLE: case ROWS_COUNT: break;
	}
	return 0;
}

void
rows_add_text(struct rows *r, struct span text)
{
	r->n++;
	put(r, text);
}

int
rows_add(struct rows *r, const struct row *w, struct err *e)
{
	int bad;

	r->unsized = r->unsized || w->size < 0;
	r->octets += w->size;
	if (r->form == ROWS_TABLE) {
		r->n++;
		table_add(r, w);
		return 0;
	}
	buf_clear(&r->line);
	bad = rows_text(r, w, &r->line, e);
	rows_add_text(r, buf_span(&r->line));
	return bad;
}

bool
rows_needs_ref_only(const struct rows *r)
{
	return r->form == ROWS_REFS || r->form == ROWS_COUNT;
}

bool
rows_need_size(const struct rows *r)
{
	return r->form == ROWS_TABLE || r->form == ROWS_JSON || r->form == ROWS_FORMAT;
}

void
rows_add_ref(struct rows *r, const char *ref)
{
	r->n++;
	if (r->form == ROWS_COUNT)
		return;
	buf_clear(&r->line);
	one_field(r, ref, &r->line);
	put(r, buf_span(&r->line));
}

static void
total(struct rows *r)
{
	table_end(&r->table, r->to);
	if (r->n == 0) {
		fputs("no messages\n", r->to);
		return;
	}
	if (!r->unsized) {
		buf_adds(&r->line, ", ");
		table_size(&r->line, r->octets);
	}
	fprintf(r->to, "%" PRId64 " message%s%s\n", r->n, r->n == 1 ? "" : "s",
	    buf_str(&r->line));
}

int
rows_end(struct rows *r, int status, const char *text, struct err *e)
{
	bool lines = r->form == ROWS_REFS || r->form == ROWS_RECORDS;
	int bad;

	buf_clear(&r->line);
	if (r->form == ROWS_TABLE && (r->n > 0 || status == 0))
		total(r);
	if (r->form == ROWS_COUNT && (r->n > 0 || status == 0))
		fprintf(r->to, "%" PRId64 "%c", r->n, r->end);
	buf_clear(&r->line);
	if (lines && !r->tty && status != 0) {
		trouble_add(&r->line, status, text, r->end);
		fwrite(r->line.p, 1, r->line.n, r->to);
	}
	buf_free(&r->line);
	bad = fflush(r->to) != 0;
	if (bad || ferror(r->to)) {
		err_sys(e, "write");
		e->fault = FAULT_IO;
		return -1;
	}
	return 0;
}
