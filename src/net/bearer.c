#include "net/bearer.h"

#include <string.h>

/* One growth and no more: a buffer that moves leaves its old octets behind. */
static void
reserve(struct buf *b, const struct sasl_who *w)
{
	buf_room(b, 3 * strlen(w->user) + (w->host ? strlen(w->host) : 0) +
	    (w->port ? strlen(w->port) : 0) + w->secret.n + 64);
}

/* RFC 6750 section 2.1 is narrower yet; what frames the message may not be in it. */
static int
check(const struct sasl_who *w, struct err *e)
{
	for (const char *u = w->user; *u != '\0'; u++)
		if ((unsigned char)*u < ' ' || *u == 127)
			return err_set(e, FAULT_DATA,
			    "user name: has a control character");
	for (size_t i = 0; i < w->secret.n; i++)
		if (w->secret.p[i] <= ' ' || w->secret.p[i] > '~')
			return err_set(e, FAULT_CONFIG, "token: has characters "
			    "that no token has; is it a password?");
	return 0;
}

/* A saslname: RFC 5801 section 4. */
static void
add_name(struct buf *b, const char *name)
{
	for (; *name != '\0'; name++)
		if (*name == ',')
			buf_adds(b, "=2C");
		else if (*name == '=')
			buf_adds(b, "=3D");
		else
			buf_addc(b, *name);
}

static void
add_pair(struct buf *b, const char *key, const char *value)
{
	if (value != NULL)
		buf_addf(b, "%s=%s\001", key, value);
}

static void
add_token(struct buf *b, struct span token)
{
	buf_adds(b, "auth=Bearer ");
	buf_addspan(b, token);
	buf_adds(b, "\001\001");
}

int
bearer_xoauth2(struct buf *b, const struct sasl_who *w, struct err *e)
{
	if (check(w, e) < 0)
		return -1;
	reserve(b, w);
	add_pair(b, "user", w->user);
	add_token(b, w->secret);
	return 0;
}

int
bearer_oauthbearer(struct buf *b, const struct sasl_who *w, struct err *e)
{
	if (check(w, e) < 0)
		return -1;
	reserve(b, w);
	buf_adds(b, "n,a=");
	add_name(b, w->user);
	buf_adds(b, ",\001");
	add_pair(b, "host", w->host);
	add_pair(b, "port", w->port);
	add_token(b, w->secret);
	return 0;
}
