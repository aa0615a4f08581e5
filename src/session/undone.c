#include "session/undone.h"

#include <stdio.h>

#include "base/err.h"

bool
undone_any(const struct undone *u)
{
	return u->busy > 0 || u->changed > 0 || u->mixed > 0 || u->held > 0;
}

void
undone_tell(const struct undone *u, const char *tool)
{
	if (u->mixed > 0 && u->shown)
		warn(tool, "what is left has other recipients too (--whole)");
	else if (u->mixed > 0)
		warn(tool, "messages left, for they have other recipients too "
		    "(--whole): %lld", u->mixed);
	if (u->busy > 0)
		warn(tool, "messages busy, in the hands of others: %lld", u->busy);
	if (u->changed > 0)
		warn(tool, "messages changed, other ones now, and left alone: "
		    "%lld", u->changed);
}

void
undone_end(const struct undone *u)
{
	if (u->mixed + u->held > 0)
		fprintf(stderr, ", left behind %lld", u->mixed + u->held);
	fputc('\n', stderr);
}
