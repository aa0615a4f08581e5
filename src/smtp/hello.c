/* Greeting, EHLO, STARTTLS and AUTH: a session before there is mail. */
#include "smtp/verbs.h"

/* Polite still: RFC 5321 section 4.1.1.10. */
static void
leave(struct client *c)
{
	c->want = WANT_NOTHING;
	buf_adds(&c->out, "QUIT\r\n");
}

void
on_greeting(struct client *c, const struct asked *a, const struct reply *r)
{
	(void)a;
	if (r->code == 220)
		client_ask(c, c->flags & CLIENT_LMTP ? V_LHLO :
		    c->flags & CLIENT_HELO ? V_HELO : V_EHLO, NULL, 0);
	else
		leave(c);	/* a 554 greeting, RFC 5321 section 3.1 */
}

void
on_ehlo(struct client *c, const struct asked *a, const struct reply *r)
{
	if (r->code / 100 == 2) {
		ehlo_parse(&c->server, r);
		c->greeted = true;
		client_idle(c);
	} else if (r->code / 100 == 5 && a->verb == V_EHLO) {
		client_ask(c, V_HELO, NULL, 0);	/* RFC 5321 section 3.2 */
	} else {
		leave(c);
	}
}

void
on_helo(struct client *c, const struct asked *a, const struct reply *r)
{
	(void)a;
	if (r->code / 100 == 2) {
		c->server = (struct ehlo){0};
		c->greeted = true;
		client_idle(c);
	} else {
		leave(c);
	}
}

void
on_starttls(struct client *c, const struct asked *a, const struct reply *r)
{
	(void)a;
	client_idle(c);
	if (r->code == 220)
		c->want = WANT_TLS;
}

void
on_auth(struct client *c, const struct asked *a, const struct reply *r)
{
	(void)a;
	client_idle(c);
	if (r->code == 334)
		c->want = WANT_ANSWER;
}

void
client_starttls(struct client *c)
{
	client_command(c, V_STARTTLS);
}

/* What was said in the clear is forgotten, RFC 3207 section 4.2. */
void
client_encrypted(struct client *c)
{
	c->server = (struct ehlo){0};
	c->greeted = false;
	client_command(c, c->flags & CLIENT_LMTP ? V_LHLO : V_EHLO);
}

void
client_auth(struct client *c, const char *mechanism, struct span initial)
{
	buf_addf(&c->line, "AUTH %s%s", mechanism, initial.n > 0 ? " " : "");
	buf_addspan(&c->line, initial);
	client_command(c, V_AUTH);
}

void
client_answer(struct client *c, struct span base64)
{
	buf_addspan(&c->line, base64);
	client_command(c, V_ANSWER);
}
