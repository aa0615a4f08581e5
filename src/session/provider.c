#include "session/provider.h"

#include <arpa/inet.h>

#define NOWHERE "127.0.0.1"	/* a port that nobody listens at: it is only drained */
#define NOBODYS "9"
#define SMTP "25"

/* Where the MTA goes when it delivers. */
struct hop { struct buf host; const char *port; bool known, spliced; };

static void
hop_of(struct hop *h, const struct customer *c)
{
	*h = (struct hop){ .port = NOBODYS };
	if (c->spliced) {
		buf_adds(&h->host, c->splice.host);
		h->port = c->splice.port;
		h->known = h->spliced = true;
	} else if (c->from.n > 0 && c->from.p[0].bits == 128) {
		range_text(&h->host, &c->from.p[0].at);
		h->port = SMTP;
		h->known = true;
	} else {
		buf_adds(&h->host, NOWHERE);
	}
}

static bool
is_six(const struct hop *h)
{
	return span_find(buf_span(&h->host), ':') < h->host.n;
}

static const char *
name_of(const char *node)
{
	return *node == '@' ? node + 1 : node;
}

/* One line a domain, by whoever knows its form. */
static void
each(struct buf *b, const struct customers *v,
    void (*line)(struct buf *, const char *node, const struct hop *))
{
	for (size_t i = 0; i < v->n; i++) {
		struct hop h;

		hop_of(&h, &v->p[i]);
		for (size_t k = 0; k < v->p[i].domains.n; k++)
			line(b, v->p[i].domains.p[k], &h);
		buf_free(&h.host);
	}
}

static void
domains(struct buf *b, const struct customers *v, const char *between,
    const char *below)
{
	bool first = true;

	for (size_t i = 0; i < v->n; i++)
		for (size_t k = 0; k < v->p[i].domains.n; k++) {
			const char *node = v->p[i].domains.p[k];

			buf_addf(b, "%s%s", first ? "" : between, name_of(node));
			if (*node == '@')
				buf_addf(b, "%s%s%s", between, below,
				    name_of(node));
			first = false;
		}
}

/* ---- Postfix ---- */

/* Who may say ETRN by his address; a table of our own would be another file. */
static void
postfix_etrn(struct buf *b, const struct customers *v)
{
	bool any = false;

	for (size_t i = 0; i < v->n; i++)
		for (size_t k = 0; k < v->p[i].from.n; k++) {
			const struct range *r = &v->p[i].from.p[k];

			if (r->bits != 128)
				continue;
			buf_adds(b, any ? " {" :
			    ",\n    check_client_access inline:{ {");
			range_text(b, &r->at);
			buf_adds(b, " = permit}");
			any = true;
		}
	buf_adds(b, any ? " }" : "");
}

static void
postfix_route(struct buf *b, const char *node, const struct hop *h)
{
	for (int below = 0; below <= (*node == '@'); below++)
		buf_addf(b, "    {%s%s = tidegate%s:[%s%s]:%s}\n", below ? "." : "",
		    name_of(node), h->spliced ? "-splice" : "",
		    is_six(h) ? "ipv6:" : "",
		    buf_str((struct buf *)(uintptr_t)&h->host), h->port);
}

static void
postfix(struct buf *b, const struct customers *v)
{
	buf_adds(b, "# main.cf: we are a mail exchanger of these domains, and keep\n"
	    "# their mail until it is asked for.  Add to what is there already.\n"
	    "relay_domains = ");
	domains(b, v, " ", ".");
	buf_adds(b, "\nrelay_recipient_maps =\n"
	    "smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination\n"
	    "transport_maps = inline:{\n");
	each(b, v, postfix_route);
	buf_adds(b, "    }\n"
	    "# tried for ETRN, dequeue and postqueue -s only\n"
	    "defer_transports = tidegate tidegate-splice\n"
	    "# so many messages are on a customer's connection at a time\n"
	    "tidegate-splice_initial_destination_concurrency = 32\n"
	    "tidegate-splice_destination_concurrency_limit = 32\n"
	    "fast_flush_domains = $relay_domains\n"
	    "# ETRN to Postfix itself\n"
	    "smtpd_etrn_restrictions = permit_mynetworks, "
	    "permit_sasl_authenticated");
	postfix_etrn(b, v);
	buf_adds(b, ", reject\n"
	    "# no notices that it waits; it goes back after five days\n"
	    "delay_warning_time = 0h\n"
	    "maximal_queue_lifetime = 5d\n"
	    "bounce_queue_lifetime = 5d\n"
	    "\n# master.cf: these transports\n"
	    "tidegate  unix  -  -  n  -  -  smtp\n"
	    "tidegate-splice  unix  -  -  n  -  -  lmtp\n");
}

/* ---- Exim ---- */

/* What every one of its transports to a customer needs. */
#define EXIM_SMTP \
	"  retry_include_ip_address = false\n" \
	"  connection_max_messages = 0\n"

static void
exim_route(struct buf *b, const char *node, const struct hop *h)
{
	for (int below = 0; below <= (*node == '@'); below++)
		buf_addf(b, " \\\n    %s%s  %s%s%s::%s%s ;", below ? "*." : "",
		    name_of(node), is_six(h) ? "[" : "",
		    buf_str((struct buf *)(uintptr_t)&h->host),
		    is_six(h) ? "]" : "", h->port,
		    h->spliced ? "  tidegate_splice" : "");
}

static void
exim(struct buf *b, const struct customers *v)
{
	buf_adds(b, "# in the main part: never tried but when it is asked for\n"
	    "domainlist tidegate_domains = ");
	domains(b, v, " : ", "*.");
	buf_adds(b, "\nhold_domains = +tidegate_domains\n"
	    "delay_warning =\n"
	    "# held mail does not expire by itself; in a cron job, hourly:\n"
	    "#   exiqgrep -i -o 432000 -r DOMAIN | xargs -r exim -Mg\n"
	    "# ETRN is what turn-server does; Exim's own stays refused\n"
	    "\n# in acl_smtp_rcpt, before relaying is denied\n"
	    "  accept  domains = +tidegate_domains\n"
	    "\n# the first router\n"
	    "tidegate:\n"
	    "  driver = manualroute\n"
	    "  domains = +tidegate_domains\n"
	    "  transport = tidegate\n"
	    "  self = send\n"
	    "  no_more\n"
	    "  route_list =");
	each(b, v, exim_route);
	buf_adds(b, "\n"
	    "\n# transports\n"
	    "tidegate:\n"
	    "  driver = smtp\n"
	    EXIM_SMTP
	    "tidegate_splice:\n"
	    "  driver = smtp\n"
	    EXIM_SMTP
	    "  protocol = lmtp\n"
	    "# which has none of its own; the router says which it is\n"
	    "  port = smtp\n");
}

/* ---- Sendmail ---- */

static void
sendmail_route(struct buf *b, const char *node, const struct hop *h)
{
	for (int below = 0; below <= (*node == '@'); below++)
		buf_addf(b, "#   %s%s\tdsmtp:[%s%s]\n", below ? "." : "",
		    name_of(node), is_six(h) ? "IPv6:" : "",
		    buf_str((struct buf *)(uintptr_t)&h->host));
}

/* Its mailer has one port for all, and speaks LMTP to all, if to some. */
static int
one_port(const struct customers *v, const char **port, bool *lmtp, struct err *e)
{
	*port = NULL;
	*lmtp = true;
	for (size_t i = 0; i < v->n; i++) {
		struct hop h;

		hop_of(&h, &v->p[i]);
		buf_free(&h.host);
		if (!h.known)
			continue;
		if (*port != NULL && strcmp(*port, h.port) != 0)
			return err_set(e, FAULT_CONFIG, "Sendmail has one port for "
			    "all: %s of %s is not %s", h.port, v->p[i].user,
			    *port);
		*port = h.port;
		*lmtp = *lmtp && h.spliced;
	}
	if (*port == NULL) {
		*port = NOBODYS;
		*lmtp = false;
	}
	return 0;
}

static int
sendmail(struct buf *b, const struct customers *v, struct err *e)
{
	const char *port;
	bool lmtp;

	if (one_port(v, &port, &lmtp, e) < 0)
		return -1;
	buf_adds(b, "dnl sendmail.mc; the mailer dsmtp is tried only for ETRN, "
	    "dequeue and sendmail -qR\n");
	for (size_t i = 0; i < v->n; i++)
		for (size_t k = 0; k < v->p[i].domains.n; k++)
			buf_addf(b, "RELAY_DOMAIN(`%s')dnl\n",
			    name_of(v->p[i].domains.p[k]));
	buf_addf(b, "FEATURE(`mailertable', `hash /etc/mail/mailertable')dnl\n"
	    "define(`DSMTP_MAILER_ARGS', `TCP $h %s')dnl\n%s"
	    "define(`confTO_QUEUERETURN', `5d')dnl\n"
	    "define(`confTO_QUEUEWARN', `')dnl\n"
	    "dnl ETRN is what turn-server does\n"
	    "define(`confPRIVACY_FLAGS', `authwarnings,novrfy,noexpn,noetrn')dnl\n"
	    "\n# /etc/mail/mailertable, then: makemap hash mailertable < mailertable\n",
	    port, lmtp ? "dnl it speaks LMTP to turn-server --splice\n"
	    "MODIFY_MAILER_FLAGS(`DSMTP', `+z')dnl\n" : "");
	each(b, v, sendmail_route);
	return 0;
}

int
provider_config(struct buf *b, const char *mta, const struct customers *v,
    struct err *e)
{
	if (strcmp(mta, "postfix") == 0)
		postfix(b, v);
	else if (strcmp(mta, "exim") == 0)
		exim(b, v);
	else if (strcmp(mta, "sendmail") == 0)
		return sendmail(b, v, e);
	else
		return err_set(e, FAULT_USAGE, "--print-config: `%s' is none of "
		    "postfix, exim, sendmail", mta);
	return 0;
}
