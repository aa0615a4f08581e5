/* smtp-send: hands messages to a server. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
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
#include "out/result.h"
#include "session/jobs.h"
#include "session/probe.h"
#include "session/reach.h"
#include "session/stdin.h"
#include "spool/mend.h"
#include "wire/header.h"

#define NAME "smtp-send"
#define UNSAID_MOST 65536	/* octets of results that are held back */
#define FILES_MOST 65536	/* descriptors */
#define MOMENT_MS 300		/* for a reader, when all is over */

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

static struct buf unsaid;	/* results, not written yet */
static struct err unheard;	/* why they could not be */

/* A reader may let us wait, but not for ever. */
static bool
reader_is_ready(const struct dial *dial)
{
	static int64_t moment;
	struct pollfd p = { STDOUT_FILENO, POLLOUT, 0 };
	int64_t until = dial->deadline;
	bool over;

	do {
		over = interrupt_came() || clock_left(dial->deadline) == 0;
		if (over && moment == 0)
			moment = clock_in(MOMENT_MS);
		if (over)
			until = moment;
		if (interrupt_poll(&p, 1, clock_left(until)) > 0)
			return true;
	} while (!over || clock_left(moment) != 0);
	return false;
}

/* No more at a time than a pipe takes at once: write() itself never waits. */
static int
say(const struct dial *dial, struct err *e)
{
	ssize_t n;

	for (; unsaid.n > 0; buf_drop(&unsaid, n > 0 ? (size_t)n : 0)) {
		if (!reader_is_ready(dial))
			return err_set(e, FAULT_TEMP, "write: nobody reads the "
			    "results");
		n = write(STDOUT_FILENO, unsaid.p,
		    unsaid.n < PIPE_BUF ? unsaid.n : PIPE_BUF);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return err_sys(e, "write");
	}
	return 0;
}

static void
say_now(struct batch *b)
{
	if (!b->deaf)
		b->deaf = say(b->dial, &unheard) < 0;
}

static void
told(void *batch, const struct result *r)
{
	struct batch *b = batch;
	bool good = r->fate == FATE_DELIVERED || r->fate == FATE_RELAYED;

	if (b->deaf)
		return;
	if (json || records || results)
		result_show(&unsaid, r, json, nul ? '\0' : '\n');
	if (!good && !quiet)
		warn(NAME, "<%s>: %s: %s", r->recipient, fate_name(r->fate),
		    r->text);
	if (unsaid.n > UNSAID_MOST)
		say_now(b);
}

/*
 * As soon as known.  When nobody hears what becomes of them, nothing more is sent:
 * whoever asked will send them again.
 */
static void
rests(void *batch)
{
	struct batch *b = batch;
	struct pollfd p = { STDOUT_FILENO, 0, 0 };

	say_now(b);
	if (!b->deaf && records && poll(&p, 1, 0) > 0 && (p.revents & POLLERR)) {
		errno = EPIPE;
		b->deaf = err_sys(&unheard, "write") < 0;
	}
}

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

/* ---- records ---- */

struct recorded {
	struct lines in;
	long long line;
	struct dest *dest;
	struct spools *known;
};

/* One line of records; trouble upstream is passed on. */
static void
take_line(struct recorded *s, struct batch *b, struct span line)
{
	struct record r;
	struct err e = {0};

	s->line++;
	if (record_parse(&r, line, &e) < 0) {
		warn(NAME, "stdin: line %lld: %s", s->line, e.text);
		b->status = status_worse(b->status, FAULT_DATA);
		return;
	}
	if (strcmp(r.ref, "!") == 0) {
		trouble_add(&unsaid, r.exit, r.text, nul ? '\0' : '\n');
		say_now(b);
		b->status = status_worse(b->status, r.exit);
	} else {
		jobs_record(b, s->dest, s->known, &r);
	}
	record_free(&r);
}

static int
next_record(void *arg, struct batch *b, struct err *e)
{
	struct recorded *s = arg;
	struct pollfd p = { STDIN_FILENO, POLLIN, 0 };
	struct span line;
	int r;

	r = lines_next(&s->in, &line, e);
	if (r == LINES_EMPTY_HANDED) {
		if (poll(&p, 1, 0) == 0)
			return BATCH_NOT_YET;
		if ((r = lines_fill(&s->in, e)) < 0 ||
		    (r = lines_next(&s->in, &line, e)) == LINES_EMPTY_HANDED)
			return r < 0 ? -1 : BATCH_NOT_YET;
	}
	if (r == 1)
		take_line(s, b, line);
	return r < 0 ? -1 : r == 1 ? BATCH_JOB : BATCH_END;
}

static int
send_records(struct batch *b, struct dest *d, struct spools *known,
    struct err *e)
{
	struct recorded s = { .in.end = nul ? '\0' : '\n', .dest = d,
	    .known = known };
	struct batch_source src = { next_record, &s, STDIN_FILENO };
	int r = batch_run(b, &src, e);

	lines_free(&s.in);
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
	fwrite(out.p, 1, out.n, stdout);
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
		r = records ? send_records(b, d, &known, e) :
		    send_one(b, d, words, e);
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
	struct batch b = { .dial = &dial, .told = told,
	    .rests = rests, .arg = &b };
	const char *const *words;

	opts_read(NAME, argc, argv, options, "RECIPIENT...", &words, NULL);
	check_words(words);
	interrupt_catch();
	raise_limit();
	if (work(&b, &servers, &dial, words, &e) < 0)
		b.status = status_worse(b.status, err_exit(&e, NAME));
	say_now(&b);
	buf_free(&unsaid);
	batch_free(&b);
	opts_dial_free();
	if (!b.deaf && (fflush(stdout) != 0 || ferror(stdout)))
		err_sys(&unheard, "write");
	if (unheard.fault != FAULT_NONE)
		b.status = status_worse(b.status, err_exit(&unheard, NAME));
	servers_free(&servers);
	return b.status;
}
