#include "session/login.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool
login_wanted(const struct login *l)
{
	return l->user != NULL || l->mechs != NULL;
}

enum tls_level
login_level(const struct login *l, bool near)
{
	if (l->fingerprint != NULL)	/* `must be this one', whatever else */
		return TLS_VERIFY;
	if (l->level_given)
		return l->level;
	return login_wanted(l) && !near && !l->in_clear ? TLS_VERIFY : TLS_MAY;
}

struct tls_shared *
login_shared(struct login *l, struct err *e)
{
	l->tls.unjudged = !l->judge && login_level(l, false) < TLS_VERIFY;
	if (l->shared == NULL)
		l->shared = tls_shared_new(&l->tls, e);
	return l->shared;
}

int
login_secret(struct login *l, const char *host, struct err *e)
{
	if (host == NULL)		/* unix:, fd:, exec: */
		host = "localhost";
	if (l->user == NULL ||
	    (l->mechs != NULL && strcasecmp(l->mechs, "EXTERNAL") == 0))
		return 0;
	/* what one host is told is not another's business (netrc) */
	if (l->known_for != NULL && strcmp(l->known_for, host) == 0)
		return 0;
	buf_wipe(&l->secret);
	l->from.user = l->user;
	l->from.host = host;
	if (secret_get(&l->secret, &l->from, e) < 0)
		return -1;
	free(l->known_for);
	l->known_for = span_dup(span_of(host));
	return 0;
}

void
attempt_free(struct attempt *a)
{
	sasl_free(a->sasl);
	buf_free(&a->tried);
	buf_free(&a->exporter);
	buf_free(&a->unique);
	*a = (struct attempt){0};
}

void
login_free(struct login *l)
{
	tls_shared_free(l->shared);
	buf_wipe(&l->secret);
	l->shared = NULL;
	free(l->known_for);
	l->known_for = NULL;
}
