#include "net/base64.h"

#include <gsasl.h>
#include <string.h>

#include "base/err.h"

void
base64_wipe(char *p, size_t n)
{
	if (p != NULL)
		explicit_bzero(p, n);
	gsasl_free(p);
}

void
base64_add(struct buf *b, const char *p, size_t n)
{
	char *text;
	size_t len;

	if (n == 0)
		return;
	if (gsasl_base64_to(p, n, &text, &len) != GSASL_OK)
		must(NULL);
	buf_add(b, text, len);
	base64_wipe(text, len);
}

char *
base64_read(struct span in, size_t most, size_t *n)
{
	char *raw = NULL;

	*n = 0;
	if (in.n == 0)
		return must(strdup(""));
	if (in.n > most || gsasl_base64_from(in.p, in.n, &raw, n) != GSASL_OK)
		return NULL;
	return raw;
}
