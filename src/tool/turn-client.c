/* turn-client: fetches mail on the connection that it made. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/unit.h"
#include "opts/batch.h"
#include "opts/connect.h"
#include "opts/spool.h"
#include "session/recorded.h"
#include "session/turn.h"
#include "wire/domain.h"

#define NAME "turn-client"
#define ODMR "366"		/* RFC 2645 section 3 */
#define IDLE "5m"
#define RCPTS "1000"
#define COMING_MS (4 * 3600 * 1000)	/* without --deadline: no wait is for ever */

static const char *deliver = "localhost:25", *idle, *max_size, *max_rcpts;
static const char **accepted;
static int turn, records, results, json, nul, quiet, soft, unauthenticated, dry_run;

static struct poptOption options[] = {
	{ "turn", 0, POPT_ARG_NONE, &turn, 0, "TURN (RFC 821) instead of ATRN", NULL },
	{ "turn-unauthenticated", 0, POPT_ARG_NONE, &unauthenticated, 0,
	    "TURN although the server cannot know who we are", NULL },
	{ "records", 0, POPT_ARG_NONE, &records, 0,
	    "first send the records on stdin; result lines on stdout", NULL },
	{ "deliver", 'o', POPT_ARG_STRING, &deliver, 0,
	    "PEER, lmtp:PEER, exec:COMMAND or maildir:DIR (localhost:25)", "TARGET" },
	{ "accept", 0, POPT_ARG_ARGV, &accepted, 0,
	    "mail for these domains is taken, too", "NODE" },
	{ "soft-bounce", 0, POPT_ARG_NONE, &soft, 0,
	    "what TARGET refuses stays at the server", NULL },
	{ "max-size", 0, POPT_ARG_STRING, &max_size, 0,
	    "octets of a message at most (any)", "SIZE" },
	{ "max-recipients", 0, POPT_ARG_STRING, &max_rcpts, 0,
	    "of a message at most (" RCPTS ")", "N" },
	{ "idle", 0, POPT_ARG_STRING, &idle, 0,
	    "so long the server may say nothing (" IDLE ")", "TIME" },
	{ "results", 0, POPT_ARG_NONE, &results, 0,
	    "result lines for what came", NULL },
	{ "json", 'j', POPT_ARG_NONE, &json, 0, "results as JSON", NULL },
	{ "null", '0', POPT_ARG_NONE, &nul, 0, "NUL ends records and results", NULL },
	{ "quiet", 'q', POPT_ARG_NONE, &quiet, 0,
	    "refusals count but are not told", NULL },
	{ "dry-run", 'n', POPT_ARG_NONE, &dry_run, 0,
	    "say what would be asked, and take nothing", NULL },
	OPTS_TABLE(opts_batch, "Sending (for --records):"),
	OPTS_TABLE(opts_connect, "Connection:"),
	OPTS_TABLE(opts_spool, "Queue (for --records, and our own domains):"),
	OPTS_END
};

static struct telling telling = { .tool = NAME };
static struct batch batch;
static int status;		/* of what came */
static bool verbose;

/*
 * Is one message put off: it has not all come.  Who is to come again by himself (LMTP,
 * or too many at once) has not been put off.
 */
static void
told(void *arg, const struct result *r)
{
	if (strcmp(r->status, "4.5.3") == 0)
		return;
	if (r->fate == FATE_DEFERRED)
		status = status_worse(status, FAULT_TEMP);
	if (results || r->fate != FATE_DELIVERED)
		telling_told(arg, r);
	telling_flush(arg);
}

static const char **
split(const char *command)
{
	const char **words;
	int argc;

	return poptParseArgvString(command, &argc, &words) == 0 ? words : NULL;
}

/* ---- whose mail ---- */

static int
add_node(struct receive *x, const char *what, const char *text, struct err *e)
{
	char *node = node_parse(what, text, e);

	if (node == NULL)
		return -1;
	if (*node == '#') {
		free(node);
		return err_set(e, FAULT_USAGE, "%s: `%.300s' is no domain", what, text);
	}
	*vec_add(&x->accept) = node;
	return 0;
}

/* Those asked for; none: what the local MTA says is its own. */
static int
add_own(struct receive *x, struct err *e)
{
	struct buf names = {0};
	struct span rest, name;
	int r = opts_local_domains(&names, "DOMAIN", e);

	if (r < 0 && e->fault == FAULT_UNAVAILABLE)
		err_set(e, FAULT_USAGE, "whose mail?  No MTA here says which domains "
		    "are its own: name them, or --accept");
	rest = buf_span(&names);
	while (r == 0 && span_cut(&rest, '\n', &name)) {
		char *text = span_dup(name);

		r = add_node(x, "DOMAIN", text, e);
		free(text);
	}
	buf_free(&names);
	return r;
}

/* RFC 2645 section 5.2.1: commas, no blank. */
static int
gather(struct receive *x, const char *const *words, struct buf *domains, struct err *e)
{
	for (; *words != NULL; words++) {
		char *domain = domain_ascii("DOMAIN", span_of(*words), e);

		if (domain == NULL)
			return -1;
		buf_addf(domains, "%s%s", domains->n > 0 ? "," : "", domain);
		*vec_add(&x->accept) = domain;
	}
	for (size_t i = 0; accepted != NULL && accepted[i] != NULL; i++)
		if (add_node(x, "--accept", accepted[i], e) < 0)
			return -1;
	return x->accept.n > 0 ? 0 : add_own(x, e);
}

static int
read_limits(struct receive *x, struct err *e)
{
	int64_t n;

	if (unit_wait("--idle", idle != NULL ? idle : IDLE, &x->idle_ms, e) < 0 ||
	    (max_size != NULL && unit_size("--max-size", max_size, &x->max_size,
	    e) < 0) || unit_count("--max-recipients", max_rcpts != NULL ? max_rcpts :
	    RCPTS, &n, e) < 0)
		return -1;
	x->max_rcpts = (size_t)n;
	return 0;
}

/* ---- going ---- */

/* Could the server know who asks?  RFC 5321 appendix F.1 says what happens else. */
static int
check_known(const struct session *s, struct err *e)
{
	const struct login *l = s->dial->login;

	if (!turn || unauthenticated || login_wanted(l) ||
	    (l->tls.cert != NULL && s->line.tls != NULL))
		return 0;
	return err_set(e, FAULT_USAGE, "TURN without --user or --tls-cert: the server "
	    "would have to believe our name; --turn-unauthenticated if that is meant");
}

/* The records first; then the session that they left, or a new one. */
static int
reach(struct session *s, struct servers *servers, struct dial *dial,
    struct spools *known, struct err *e)
{
	struct recorded r = { .in.end = telling.end, .telling = &telling,
	    .known = known };

	if (records) {
		r.dest = batch_dest(&batch, servers);
		batch.keep = true;
		if (recorded_run(&r, &batch, e) < 0)
			return -1;
		if (interrupt_came() || batch.deaf)
			return err_set(e, FAULT_TEMP, "interrupted");
		if (batch_kept(&batch, s))
			return 0;
	}
	return session_open(s, servers, dial, e);
}

/* The class is there for scripts: with --records the exit status is of both. */
static void
tell_total(const struct receive *x, int class)
{
	if (verbose)
		warn(NAME, "received %zu, refused %zu, %lld octets, status %d",
		    x->messages, x->refused, (long long)x->octets, class);
}

static int
fetch(struct session *s, struct receive *x, const char *domains, struct err *e)
{
	int r = check_known(s, e);

	if (r == 0)
		r = turn_ask(s, !turn, domains, e);
	if (r < 0)
		return -1;
	if (r == TURN_NO_MAIL) {
		if (verbose)
			warn(NAME, "no mail was waiting");
		return 0;
	}
	if (x->deadline == NEVER)
		x->deadline = clock_in(COMING_MS);
	r = turn_receive(s, x, e);
	tell_total(x, r < 0 ? (int)e->fault : status);
	return r;
}

static const char *
our_name(const struct dial *d, char *room, size_t size)
{
	if (d->helo != NULL)
		return d->helo;
	if (gethostname(room, size) < 0 || !domain_is_name(span_of(room)))
		return "localhost";
	return room;
}

static void
explain(const struct servers *v, const struct buf *domains, const struct receive *x)
{
	for (size_t i = 0; i < v->n; i++)
		printf("%s\t%s%s%.*s\n", v->p[i].peer.text, turn ? "TURN" : "ATRN",
		    domains->n > 0 && !turn ? " " : "",
		    turn ? 0 : (int)domains->n, domains->n > 0 ? domains->p : "");
	for (size_t i = 0; i < x->accept.n; i++)
		printf("accept\t%s\n", x->accept.p[i]);
}

static int
work(const char *const *words, struct servers *servers, struct err *e)
{
	static struct dial dial;
	struct receive x = { .told = told, .arg = &telling };
	struct deliver_opts o = { .target = deliver, .soft = soft, .split = split };
	struct session s = { .line.io = { .in = -1, .out = -1 } };
	struct spools known = {0};
	struct buf domains = {0};
	struct login none = {0};
	struct dial near;
	char name[256] = "";
	int r = -1;

	if (opts_dial(servers, &dial, false, e) == 0 &&
	    opts_batch_read(&batch, &dial, e) == 0 && read_limits(&x, e) == 0 &&
	    gather(&x, words, &domains, e) == 0 &&
	    (!records || !opts_spool_given() || opts_spools(&known, e) == 0)) {
		if (!turn)
			opts_dial_port(&dial, ODMR);
		/* the target is ours: neither its TLS nor AUTH are asked for */
		near = (struct dial){ .port = "25", .connect_ms = dial.connect_ms,
		    .deadline = dial.deadline, .login = &none, .helo = dial.helo };
		o.dial = &near;
		x.name = our_name(&dial, name, sizeof name);
		x.deadline = dial.deadline;
		x.verbose = verbose = dial.verbose;
		batch.dial = &dial;
		if (dry_run) {
			explain(servers, &domains, &x);
			r = 0;
		} else if ((r = receive_open(&x, &o, e)) == 0 &&
		    (r = reach(&s, servers, &dial, &known, e)) == 0) {
			r = fetch(&s, &x, domains.n > 0 ? buf_str(&domains) : NULL,
			    e);
			session_close(&s);
		}
	}
	receive_close(&x);
	for (size_t i = 0; i < x.accept.n; i++)
		free(x.accept.p[i]);
	vec_free(&x.accept);
	buf_free(&domains);
	spools_free(&known);
	return r;
}

int
main(int argc, char *argv[])
{
	struct err e = {0};
	struct servers servers = {0};
	const char *const *words;

	opts_read(NAME, argc, argv, options, "[DOMAIN...]", &words, NULL);
	if (!opts_server_given())
		opts_wrong(NAME, "whom to ask?  --server=PEER or --mx=DOMAIN");
	if (turn && *words != NULL)
		opts_wrong(NAME, "--turn: TURN names no domains; say which are ours "
		    "with --accept");
	telling = (struct telling){ .tool = NAME, .batch = &batch,
	    .lines = json || records || results, .json = json, .strict = records,
	    .quiet = quiet, .end = nul ? '\0' : '\n' };
	batch = (struct batch){ .told = telling_told, .rests = telling_rests,
	    .arg = &telling };
	interrupt_catch();
	if (work(words, &servers, &e) < 0)
		status = status_worse(status, err_exit(&e, NAME));
	status = status_worse(batch.status, status);
	status = status_worse(status, telling_end(&telling));
	batch_free(&batch);
	opts_dial_free();
	servers_free(&servers);
	return status;
}
