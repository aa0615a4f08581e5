#include "out/fit.h"

#include "out/json.h"
#include "wire/record.h"

static void
as_json(struct buf *b, const struct fit *f)
{
	json_open(b, NULL, '{');
	json_string(b, "ref", span_of(f->ref));
	if (f->recipient != NULL)
		json_string(b, "recipient", span_of(f->recipient));
	json_number(b, "size", f->size);
	if (f->limit > 0)
		json_number(b, "limit", f->limit);
	json_bool(b, "fits", !fit_over(f->size, f->limit));
	json_close(b, '}');
}

static void
as_line(struct buf *b, const struct fit *f)
{
	field_add(b, span_of(f->ref));
	buf_addc(b, '\t');
	field_add(b, f->recipient != NULL ? span_of(f->recipient) : SPAN("-"));
	buf_addf(b, "\t%lld\t", (long long)f->size);
	if (f->limit > 0)
		buf_addf(b, "%lld", (long long)f->limit);
	else
		buf_addc(b, '-');
	buf_adds(b, fit_over(f->size, f->limit) ? "\tover" : "\tfits");
}

void
fit_show(struct buf *b, const struct fit *f, bool json, char end)
{
	if (json)
		as_json(b, f);
	else
		as_line(b, f);
	buf_addc(b, end);
}
