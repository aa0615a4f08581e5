/* smtp-send: hands messages to a server. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/unit.h"
#include "opts/batch.h"
#include "opts/connect.h"
#include "opts/envelope.h"
#include "opts/spool.h"
#include "out/screen.h"
#include "session/probe.h"
#include "session/reach.h"
#include "session/recorded.h"
#include "spool/mend.h"
#include "wire/header.h"

#define NAME "smtp-send"
#define FILES_MOST 65536	/* descriptors */

static const char *quit_after;
static int records, results, json, nul, quiet, from_header, lmtp, stream, probe,
    dry_run;

static struct poptOption options[] = {
	{ "to-header", 't', POPT_ARG_NONE, &from_header, 0,
	    "recipients from To, Cc and Bcc too; Bcc is not sent", NULL },
	{ "records", 0, POPT_ARG_NONE, &records, 0,
	    "record lines on stdin, result lines on stdout", NULL },
	{ "results", 0, POPT_ARG_NONE, &results, 0,
	    "result lines for a single message too", NULL },
	{ "json", 'j', POPT_ARG_NONE, &json, 0, "results as JSON", NULL },
	{ "null", '0', POPT_ARG_NONE, &nul, 0,
	    "NUL ends records and results", NULL },
	{ "quiet", 'q', POPT_ARG_NONE, &quiet, 0,
	    "refusals count but are not told", NULL },
	{ "lmtp", 0, POPT_ARG_NONE, &lmtp, 0,
	    "LMTP: a reply for each recipient", NULL },
	{ "stream", 0, POPT_ARG_NONE, &stream, 0,
	    "send while reading; once only", NULL },
	{ "dry-run", 'n', POPT_ARG_NONE, &dry_run, 0,
	    "say where each recipient would go; send nothing", NULL },
	{ "probe", 0, POPT_ARG_NONE, &probe, 0,
	    "look at the servers; send nothing", NULL },
	{ "quit-after", 0, POPT_ARG_STRING, &quit_after, 0,
	    "stop at connect, banner, ehlo, tls, auth, mail or rcpt", "STEP" },
	OPTS_TABLE(opts_batch, "Sending:"),
	OPTS_TABLE(opts_envelope, "Envelope:"),
	OPTS_TABLE(opts_connect, "Connection:"),
	OPTS_TABLE(opts_spool, "Queue (for --records):"),
	OPTS_END
};

static struct telling telling = { .tool = NAME };

/* ---- one message ---- */

struct single {
	const char *const *words;
	struct dest *dest;
	struct body body;	/* the first; others read the same file */
	bool given;
};

static int
open_single(void *arg, struct body *body, struct err *e)
{
	struct single *s = arg;
	struct body inner;
	int fd;

	if (stream) {
		body_stream(body, STDIN_FILENO, s->body.deadline);
		return 1;
	}
	if ((fd = fcntl(s->body.fd, F_DUPFD_CLOEXEC, 3)) < 0)
		return err_sys(e, "stdin");
	body_file(body, fd, s->body.start, -1);
	if (from_header) {
		inner = *body;
		mend_no_bcc(body, &inner);
	}
	return 1;
}

/* The header, its empty line included. */
static int
read_header(struct body *b, struct buf *header, struct err *e)
{
	struct span piece;
	int r;

	while ((r = b->next(b, &piece, e)) > 0) {
		buf_addspan(header, piece);
		if (header->n > HEADER_OCTETS_MAX ||
		    strstr(buf_str(header), "\r\n\r\n") != NULL)
			break;
	}
	return r < 0 ? -1 : b->rewind(b, e);
}

static int
read_envelope(struct single *s, struct envelope *v, struct err *e)
{
	struct words more = {0};
	struct buf header = {0};
	int r = 0;

	if (from_header) {
		r = read_header(&s->body, &header, e);
		if (r == 0)
			r = header_recipients(&more, buf_span(&header), e);
		if (r == 0 && more.n == 0 && *s->words == NULL)
			r = err_set(e, FAULT_DATA, "-t: the header names no "
			    "recipient");
	}
	if (r == 0)
		r = opts_envelope_read(v, s->words, more.p, more.n, e);
	words_free(&more);
	buf_free(&header);
	return r;
}

static int
next_single(void *arg, struct batch *b, struct err *e)
{
	struct single *s = arg;
	struct text_source src = { open_single, s };
	struct envelope v = {0};

	if (s->given)
		return BATCH_END;
	s->given = true;
	s->body.deadline = b->dial->deadline;
	/* what is wrong with the words need not wait for the message */
	if (!from_header && opts_envelope_read(&v, s->words, NULL, 0, e) < 0) {
		envelope_free(&v);
		return -1;
	}
	if (isatty(STDIN_FILENO))
		warn(NAME, "the message is read from the terminal; ^D ends it");
	if ((!stream && stdin_body(&s->body, b->dial->deadline, e) < 0) ||
	    (from_header && read_envelope(s, &v, e) < 0)) {
		envelope_free(&v);
		return -1;
	}
	jobs_add(b, s->dest, "-", &v, &src);
	if (stream && b->first != NULL)
		b->first->stream = true;
	return BATCH_JOB;
}

static int
send_one(struct batch *b, struct dest *d, const char *const *words,
    struct err *e)
{
	struct single s = { .words = words, .dest = d };
	struct batch_source src = { next_single, &s, -1 };
	int r = batch_run(b, &src, e);

	body_close(&s.body);
	return r;
}

/* ---- without sending ---- */

static int
explain(struct batch *b, struct dest *d, const char *const *words,
    struct err *e)
{
	struct envelope v = {0};
	struct single s = { .words = words };
	struct buf out = {0};
	int r = 0;

	if (from_header)
		r = stdin_body(&s.body, b->dial->deadline, e);
	if (r == 0)
		r = read_envelope(&s, &v, e);
	if (r == 0)
		b->status = jobs_explain(b, d, &v, &out);
	screen_put(buf_span(&out));
	buf_free(&out);
	body_close(&s.body);
	envelope_free(&v);
	return r;
}

/* Tries as far as --quit-after says, or looks at everything (--probe). */
static int
look(struct batch *b, struct servers *servers, const char *const *words,
    struct err *e)
{
	struct envelope v = {0};
	int r = 0, status = 0;

	if (probe && quit_after == NULL) {
		if (servers->n == 0 && *words == NULL)
			return err_set(e, FAULT_USAGE, "--probe: name a server, "
			    "a domain or a recipient");
		for (; *words != NULL; words++)
			status = status_worse(status, probe_add_domain(servers,
			    *words, b->dial, stdout));
		b->status = status_worse(status, probe_servers(servers, b->dial,
		    stdout));
		return 0;
	}
	if (servers->n == 0)
		return err_set(e, FAULT_USAGE, "--quit-after: name a server");
	if (reach_wants_envelope(quit_after))
		r = opts_envelope_read(&v, words, NULL, 0, e);
	if (r == 0)
		r = reach_step(servers, b->dial, quit_after, &v, e);
	envelope_free(&v);
	return r;
}

/* ---- options ---- */

static void
check_words(const char *const *words)
{
	bool looks = probe || dry_run || quit_after != NULL;

	if (records && (*words != NULL || opts_envelope_given()))
		opts_wrong(NAME, "--records: senders and recipients stand in "
		    "the records");
	if (records && (from_header || stream || looks))
		opts_wrong(NAME, "--records: not with -t, --stream, --dry-run, "
		    "--probe or --quit-after");
	if (stream && (from_header || opts_batch_repairs()))
		opts_wrong(NAME, "--stream: not with -t or --repair, which look "
		    "at the text first");
	if (stream && !opts_server_given())
		opts_wrong(NAME, "--stream: to one destination: name a server");
	if (lmtp && !opts_server_given())
		opts_wrong(NAME, "--lmtp: name a server");
}

/* RFC 2033 section 5. */
static int
check_lmtp(const struct servers *v, const struct dial *d, struct err *e)
{
	for (size_t i = 0; lmtp && i < v->n; i++) {
		const struct peer *p = &v->p[i].peer;

		if (p->kind == PEER_HOST && strcmp(p->port != NULL ? p->port :
		    d->port, "25") == 0)
			return err_set(e, FAULT_USAGE, "--lmtp: %s: port 25 is "
			    "SMTP's; name another", p->text);
	}
	return 0;
}

static int
work(struct batch *b, struct servers *servers, struct dial *dial,
    const char *const *words, struct err *e)
{
	struct spools known = {0};
	struct dest *d = NULL;
	int r = -1;

	if (opts_dial(servers, dial, false, e) < 0 ||
	    opts_batch_read(b, dial, e) < 0 || check_lmtp(servers, dial, e) < 0)
		return -1;
	dial->flags |= lmtp ? CLIENT_LMTP : 0;
	if (opts_spool_given() && opts_spools(&known, e) != 0)
		return -1;
	if (servers->n > 0)
		d = batch_dest(b, servers);
	if (probe || quit_after != NULL)
		r = look(b, servers, words, e);
	else if (dry_run)
		r = explain(b, d, words, e);
	else
		r = records ? recorded_run(&(struct recorded){
		    .in.end = telling.end, .dest = d, .known = &known,
		    .telling = &telling }, b, e) : send_one(b, d, words, e);
	spools_free(&known);
	return r;
}

/* A message for many domains is open for each. */
static void
raise_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	r.rlim_cur = r.rlim_max < FILES_MOST ? r.rlim_max : FILES_MOST;
	setrlimit(RLIMIT_NOFILE, &r);
}

int
main(int argc, char *argv[])
{
	struct err e = {0};
	struct servers servers = {0};
	struct dial dial;
	struct batch b = { .dial = &dial, .told = telling_told,
	    .rests = telling_rests, .arg = &telling };
	const char *const *words;

	opts_read(NAME, argc, argv, options, "RECIPIENT...", &words, NULL);
	check_words(words);
	telling.batch = &b;
	telling.lines = json || records || results;
	telling.json = json;
	telling.strict = records;
	telling.quiet = quiet;
	telling.end = nul ? '\0' : '\n';
	interrupt_catch();
	raise_limit();
	if (work(&b, &servers, &dial, words, &e) < 0)
		b.status = status_worse(b.status, err_exit(&e, NAME));
	b.status = status_worse(b.status, telling_end(&telling));
	batch_free(&b);
	opts_dial_free();
	servers_free(&servers);
	return b.status;
}
