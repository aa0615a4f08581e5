#include "opts/envelope.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "wire/path.h"

static const char *from, *notify, *ret, *envid, *orcpt;
static int smtputf8;

struct poptOption opts_envelope[] = {
	{ "from", 'f', POPT_ARG_STRING, &from, 0,
	    "the sender (login@host); <> is the null sender", "ADDRESS" },
	{ "notify", 'N', POPT_ARG_STRING, &notify, 0,
	    "DSN: never, or success, failure, delay", "LIST" },
	{ "ret", 'R', POPT_ARG_STRING, &ret, 0,
	    "DSN: how much comes back, full or hdrs", "WHAT" },
	{ "envid", 'V', POPT_ARG_STRING, &envid, 0,
	    "DSN: the envelope's name in reports", "ID" },
	{ "orcpt", 0, POPT_ARG_STRING, &orcpt, 0,
	    "DSN: whom the one recipient was first", "TYPE;ADDRESS" },
	{ "smtputf8", 0, POPT_ARG_NONE, &smtputf8, 0,
	    "ask for SMTPUTF8 although no address needs it", NULL },
	POPT_TABLEEND
};

bool
opts_envelope_given(void)
{
	return from != NULL || notify != NULL || ret != NULL || envid != NULL ||
	    orcpt != NULL;
}

bool
opts_sender_given(void)
{
	return from != NULL;
}

static unsigned
notify_bit(struct span word)
{
	if (span_ieq(word, SPAN("success")))
		return NOTIFY_SUCCESS;
	if (span_ieq(word, SPAN("failure")))
		return NOTIFY_FAILURE;
	return span_ieq(word, SPAN("delay")) ? NOTIFY_DELAY : 0;
}

static int
read_notify(unsigned *bits, struct err *e)
{
	struct span rest, word;
	unsigned bit;

	*bits = 0;
	if (notify == NULL)
		return 0;
	rest = span_of(notify);
	if (span_ieq(rest, SPAN("never"))) {
		*bits = NOTIFY_NEVER;
		return 0;
	}
	bit = rest.n > 0 && !span_ends(rest, ",");
	while (bit != 0 && span_cut(&rest, ',', &word)) {
		bit = notify_bit(word);
		*bits |= bit;
	}
	return bit != 0 ? 0 : err_set(e, FAULT_USAGE, "--notify: `%s' is neither "
	    "never nor a list of success, failure, delay", notify);
}

/* ENVID travels as xtext; the text itself may be anything printable. */
static int
read_dsn(struct envelope *v, struct err *e)
{
	if (ret != NULL && strcasecmp(ret, "full") == 0)
		v->ret = RET_FULL;
	else if (ret != NULL && strcasecmp(ret, "hdrs") == 0)
		v->ret = RET_HDRS;
	else if (ret != NULL)
		return err_set(e, FAULT_USAGE, "--ret: `%s' is neither full nor "
		    "hdrs", ret);
	if (envid == NULL)
		return 0;
	for (const char *p = envid; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f ||
		    (unsigned char)*p >= 0x80 || p - envid >= 100)
			return err_set(e, FAULT_USAGE, "--envid: only printable "
			    "ASCII, at most 100 octets (RFC 3461)");
	if (*envid == '\0')
		return err_set(e, FAULT_USAGE, "--envid: empty");
	v->envid = span_dup(span_of(envid));
	return 0;
}

/* Who is sending when -f does not say: as sendmail would have it. */
static char *
default_sender(void)
{
	const char *login = getenv("LOGNAME");
	char host[HOST_NAME_MAX + 1] = "localhost";
	struct buf b = {0};

	if (login == NULL || *login == '\0')
		login = getuid() == 0 ? "root" : "nobody";
	gethostname(host, sizeof host - 1);
	buf_addf(&b, "%s@%s", login, host);
	if (!path_is_mailbox(buf_span(&b)))
		buf_clear(&b);
	return buf_str(&b);
}

/* RFC 3461 section 4.2: `rfc822;ann@first.test`; it travels as xtext. */
static int
read_orcpt(struct envelope *v, struct err *e)
{
	struct span s = span_of(orcpt != NULL ? orcpt : "");
	size_t n = span_find(s, ';');

	if (orcpt == NULL)
		return 0;
	if (v->rcpts.n != 1)
		return err_set(e, FAULT_USAGE, "--orcpt: for one recipient only");
	if (n == 0 || n + 1 >= s.n || s.n > 500 || strpbrk(orcpt, " \r\n\t"))
		return err_set(e, FAULT_USAGE, "--orcpt: `%.200s' is not "
		    "TYPE;ADDRESS", orcpt);
	v->rcpts.p[0].orcpt = span_dup(s);
	return 0;
}

static int
add_rcpt(struct envelope *v, const char *what, const char *text, unsigned bits,
    struct err *e)
{
	char *address = path_parse(what, text, false, e);
	struct rcpt *r;

	if (address == NULL)
		return -1;
	r = envelope_add(v, address);
	r->selected = true;
	r->notify = bits;
	return 0;
}

/* From the header: a dash in front means nothing there; `named` have it already. */
static void
add_found(struct envelope *v, size_t named, const char *address, unsigned bits)
{
	struct rcpt *r;

	for (size_t i = 0; i < named; i++)
		if (path_same(span_of(v->rcpts.p[i].address), span_of(address)))
			return;
	r = envelope_add(v, span_dup(span_of(address)));
	r->selected = true;
	r->notify = bits;
}

int
opts_envelope_read(struct envelope *v, const char *const *words,
    char *const *more, size_t n, struct err *e)
{
	size_t named;
	unsigned bits;

	v->smtputf8 = smtputf8;
	v->sender = from != NULL ? path_parse("--from", from, true, e) :
	    default_sender();
	if (v->sender == NULL || read_dsn(v, e) < 0 || read_notify(&bits, e) < 0)
		return -1;
	for (; *words != NULL; words++)
		if (add_rcpt(v, "recipient", *words, bits, e) < 0)
			return -1;
	named = v->rcpts.n;
	for (size_t i = 0; i < n; i++)
		add_found(v, named, more[i], bits);
	if (v->rcpts.n == 0)
		return err_set(e, FAULT_USAGE, "no recipient: name one, "
		    "or take -t or --records");
	return read_orcpt(v, e);
}
