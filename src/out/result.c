#include "out/result.h"

#include "out/json.h"

void
result_show(struct buf *b, const struct result *r, bool json, char end)
{
	if (!json) {
		result_add(b, r, end);
		return;
	}
	json_open(b, NULL, '{');
	json_string(b, "ref", span_of(r->ref));
	json_string(b, "recipient", span_of(r->recipient));
	json_string(b, "fate", span_of(fate_name(r->fate)));
	json_string(b, "status", span_of(r->status));
	json_string(b, "text", span_of(r->text));
	json_close(b, '}');
	buf_addc(b, end);
}
