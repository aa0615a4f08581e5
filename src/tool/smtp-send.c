/* smtp-send: hands messages to a server. */
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "opts/connect.h"
#include "opts/spool.h"
#include "out/result.h"
#include "session/batch.h"
#include "session/stdin.h"
#include "wire/path.h"
#include "wire/xtext.h"

#define NAME "smtp-send"

static const char *from, *notify, *ret, *envid, *body_type, *in_flight,
    *connections, *quit_after;
static int records, results, json, nul, quiet, from_header, lmtp, stream, probe,
    dry_run, smtputf8;

static struct poptOption options[] = {
	{ "from", 'f', POPT_ARG_STRING, &from, 0,
	    "the sender (login@host); <> is the null sender", "ADDRESS" },
	{ "records", 0, POPT_ARG_NONE, &records, 0,
	    "record lines on stdin, result lines on stdout", NULL },
	{ "results", 0, POPT_ARG_NONE, &results, 0,
	    "result lines for a single message too", NULL },
	{ "json", 'j', POPT_ARG_NONE, &json, 0, "results as JSON", NULL },
	{ "null", '0', POPT_ARG_NONE, &nul, 0,
	    "NUL ends records and results", NULL },
	{ "notify", 'N', POPT_ARG_STRING, &notify, 0,
	    "DSN: never, or success, failure, delay", "LIST" },
	{ "ret", 'R', POPT_ARG_STRING, &ret, 0,
	    "DSN: how much comes back, full or hdrs", "WHAT" },
	{ "envid", 'V', POPT_ARG_STRING, &envid, 0,
	    "DSN: the envelope's name in reports", "ID" },
	{ "smtputf8", 0, POPT_ARG_NONE, &smtputf8, 0,
	    "ask for SMTPUTF8 although no address needs it", NULL },
	{ "quiet", 'q', POPT_ARG_NONE, &quiet, 0,
	    "refusals count but are not told", NULL },
	{ "body-type", 0, POPT_ARG_STRING, &body_type, 0, "not there yet", "TYPE" },
	{ "to-header", 't', POPT_ARG_NONE, &from_header, 0, "not there yet", NULL },
	{ "lmtp", 0, POPT_ARG_NONE, &lmtp, 0, "not there yet", NULL },
	{ "stream", 0, POPT_ARG_NONE, &stream, 0, "not there yet", NULL },
	{ "probe", 0, POPT_ARG_NONE, &probe, 0, "not there yet", NULL },
	{ "dry-run", 'n', POPT_ARG_NONE, &dry_run, 0, "not there yet", NULL },
	{ "quit-after", 0, POPT_ARG_STRING, &quit_after, 0, "not there yet", "STEP" },
	{ "in-flight", 0, POPT_ARG_STRING, &in_flight, 0, "not there yet", "N|SIZE" },
	{ "connections", 'c', POPT_ARG_STRING, &connections, 0, "not there yet", "N" },
	OPTS_TABLE(opts_connect, "Connection:"),
	OPTS_TABLE(opts_spool, "Queue (for --records):"),
	OPTS_END
};

static void
refuse_later(void)
{
	opts_later(NAME, "--body-type", body_type != NULL);
	opts_later(NAME, "-t", from_header);
	opts_later(NAME, "--lmtp", lmtp);
	opts_later(NAME, "--stream", stream);
	opts_later(NAME, "--probe", probe);
	opts_later(NAME, "--dry-run", dry_run);
	opts_later(NAME, "--quit-after", quit_after != NULL);
	opts_later(NAME, "--in-flight", in_flight != NULL);
	opts_later(NAME, "--connections", connections != NULL);
	if (!opts_server_given()) {
		warn(NAME, "sending by each recipient's MX is not there yet; "
		    "name a server: --server=PEER or --mx=DOMAIN");
		exit(FAULT_UNAVAILABLE);
	}
}

static void
told(void *unused, const struct result *r)
{
	struct buf b = {0};
	bool good = r->fate == FATE_DELIVERED || r->fate == FATE_RELAYED;

	(void)unused;
	if (json || records || results) {
		result_show(&b, r, json, nul ? '\0' : '\n');
		fwrite(b.p, 1, b.n, stdout);
	}
	fflush(stdout);		/* as soon as known */
	if (!good && !quiet)
		warn(NAME, "<%s>: %s: %s", r->recipient, fate_name(r->fate),
		    r->text);
	buf_free(&b);
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

static int
read_envelope(struct envelope *v, const char *const *words, struct err *e)
{
	struct rcpt *r;
	unsigned bits;
	char *address;

	v->smtputf8 = smtputf8;
	v->sender = from != NULL ? path_parse("--from", from, true, e) :
	    default_sender();
	if (v->sender == NULL || read_dsn(v, e) < 0 || read_notify(&bits, e) < 0)
		return -1;
	for (; *words != NULL; words++) {
		address = path_parse("recipient", *words, false, e);
		if (address == NULL)
			return -1;
		r = envelope_add(v, address);
		r->selected = true;
		r->notify = bits;
	}
	if (v->rcpts.n == 0)
		return err_set(e, FAULT_USAGE, "no recipient");
	return 0;
}

static int
send_one(struct batch *b, const char *const *words, struct err *e)
{
	struct envelope v = {0};
	struct body body = {0};
	int r = read_envelope(&v, words, e);

	if (r == 0 && isatty(STDIN_FILENO))
		warn(NAME, "the message is read from the terminal; ^D ends it");
	if (r == 0 && (r = stdin_body(&body, b->dial->deadline, e)) == 0)
		batch_message(b, "-", &v, &body);
	body_close(&body);
	envelope_free(&v);
	return r;
}

/* One line of records; trouble upstream is passed on. */
static void
take_line(struct batch *b, struct span line)
{
	struct record r;
	struct err e = {0};
	struct buf out = {0};

	if (record_parse(&r, line, &e) < 0) {
		warn(NAME, "stdin: %s", e.text);
		b->status = status_worse(b->status, FAULT_DATA);
		return;
	}
	if (strcmp(r.ref, "!") == 0) {
		trouble_add(&out, r.exit, r.text, nul ? '\0' : '\n');
		fwrite(out.p, 1, out.n, stdout);
		fflush(stdout);
		b->status = status_worse(b->status, r.exit);
	} else {
		batch_record(b, &r);
	}
	buf_free(&out);
	record_free(&r);
}

/* A signal, or the deadline: what has not come in yet stays where it is. */
static bool
stopped(struct batch *b)
{
	struct pollfd p = { STDOUT_FILENO, 0, 0 };

	/* nobody hears what becomes of them: whoever asked will send them again */
	if (ferror(stdout) || (poll(&p, 1, 0) > 0 && (p.revents & POLLERR))) {
		b->status = status_worse(b->status, FAULT_IO);
		return true;
	}
	if (!interrupt_came() && clock_left(b->dial->deadline) != 0)
		return false;
	b->status = status_worse(b->status, FAULT_TEMP);
	return true;
}

static int
send_records(struct batch *b, struct err *e)
{
	struct lines in = { .end = nul ? '\0' : '\n' };
	struct span line;
	int r;

	while ((r = lines_next(&in, &line, e)) != 0) {
		if (r == LINES_EMPTY_HANDED) {
			batch_rest(b, STDIN_FILENO);
			if (stopped(b))
				break;
			r = lines_fill(&in, e);
		} else if (r == 1) {
			take_line(b, line);
		}
		if (r < 0 || stopped(b))
			break;
	}
	lines_free(&in);
	return r < 0 ? -1 : 0;
}

int
main(int argc, char *argv[])
{
	struct err e = {0};
	struct servers servers = {0};
	struct dial dial;
	struct batch b = { .servers = &servers, .dial = &dial, .told = told };
	const char *const *words;
	int r;

	opts_read(NAME, argc, argv, options, "RECIPIENT...", &words, NULL);
	refuse_later();
	interrupt_catch();
	if (records && (*words != NULL || from != NULL))
		opts_wrong(NAME, "--records: senders and recipients stand in "
		    "the records");
	if ((opts_spool_given() && opts_spools(&b.known, &e) != 0) ||
	    opts_dial(&servers, &dial, false, &e) < 0)
		r = -1;
	else
		r = records ? send_records(&b, &e) : send_one(&b, words, &e);
	batch_end(&b);
	if (r < 0)
		b.status = status_worse(b.status, err_exit(&e, NAME));
	if (fflush(stdout) != 0 || ferror(stdout)) {
		err_clear(&e);
		err_sys(&e, "write");
		b.status = status_worse(b.status, err_exit(&e, NAME));
	}
	servers_free(&servers);
	return b.status;
}
