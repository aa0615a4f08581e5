/* dequeue: lets queued mail go, by its MTA or into a command. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/text.h"
#include "base/unit.h"
#include "opts/select.h"
#include "opts/spool.h"
#include "session/confirm.h"
#include "session/order.h"
#include "session/takeout.h"

#define NAME "dequeue"

/* Only what can be claimed is taken out: what its MTA has in hand is not. */
#define TAKEN_BY_DEFAULT STATE_BIT(STATE_DEFERRED)

static int all, whole, always, dry_run, null, json, results, verbose;
static int hold, unhold, remove_it, bounce, bounce_failed, yes;
static const char *bounce_text = "5.7.0 returned by the administrator";
static const char *in_hand = "256", *jobs = "1", *wait_time, *timeout = "2h", *deadline;

static struct poptOption options[] = {
	{ "all", 0, POPT_ARG_NONE, &all, 0, "everything (but held mail)", NULL },
	{ "dry-run", 'n', POPT_ARG_NONE, &dry_run, 0,
	    "show what would be done, touch nothing", NULL },
	{ "null", '0', POPT_ARG_NONE, &null, 0,
	    "NUL ends the lines of stdin and stdout", NULL },
	{ "verbose", 'v', POPT_ARG_NONE, &verbose, 0,
	    "say what becomes of each message, and a total", NULL },
	POPT_TABLEEND
};

static struct poptOption release_options[] = {
	{ "wait", 0, POPT_ARG_STRING, &wait_time, 0,
	    "stay until they left or were tried again", "TIME" },
	{ "whole", 0, POPT_ARG_NONE, &whole, 0,
	    "also messages with recipients that are not selected", NULL },
	POPT_TABLEEND
};

static struct poptOption drain_options[] = {
	{ "in-hand", 0, POPT_ARG_STRING | POPT_ARGFLAG_SHOW_DEFAULT, &in_hand,
	    0, "messages unanswered at a time", "N" },
	{ "jobs", 0, POPT_ARG_STRING | POPT_ARGFLAG_SHOW_DEFAULT, &jobs, 0,
	    "COMMANDs at once", "N" },
	{ "always", 0, POPT_ARG_NONE, &always, 0,
	    "start COMMAND even if nothing is selected", NULL },
	{ "timeout", 0, POPT_ARG_STRING | POPT_ARGFLAG_SHOW_DEFAULT, &timeout,
	    0, "COMMAND is ended when no result came for so long", "TIME" },
	{ "deadline", 0, POPT_ARG_STRING, &deadline, 0,
	    "give up after so long, everything included", "TIME" },
	{ "results", 0, POPT_ARG_NONE, &results, 0,
	    "result lines on stdout: REF RECIPIENT FATE STATUS TEXT", NULL },
	{ "json", 'j', POPT_ARG_NONE, &json, 0, "the same as JSON", NULL },
	{ "bounce-failed", 0, POPT_ARG_NONE, &bounce_failed, 0,
	    "what COMMAND says failed goes back to its sender", NULL },
	POPT_TABLEEND
};

static struct poptOption order_options[] = {
	{ "hold", 0, POPT_ARG_NONE, &hold, 0, "keep from delivery", NULL },
	{ "unhold", 0, POPT_ARG_NONE, &unhold, 0, "no longer", NULL },
	{ "remove", 0, POPT_ARG_NONE, &remove_it, 0,
	    "throw away, nobody is told", NULL },
	{ "bounce", 0, POPT_ARG_NONE, &bounce, 0,
	    "back to the senders, with a report", NULL },
	{ "bounce-text", 0, POPT_ARG_STRING | POPT_ARGFLAG_SHOW_DEFAULT,
	    &bounce_text, 0, "status and reason in it", "TEXT" },
	{ "yes", 'y', POPT_ARG_NONE, &yes, 0,
	    "do not ask before --remove and --bounce", NULL },
	POPT_TABLEEND
};

static struct poptOption table[] = {
	OPTS_TABLE(options, "What to do:"),
	OPTS_TABLE(opts_select, "Selection:"),
	OPTS_TABLE(opts_spool, "Queue:"),
	OPTS_TABLE(release_options, "Without COMMAND, the MTA delivers now:"),
	OPTS_TABLE(drain_options, "With -- COMMAND, it gets the messages:"),
	OPTS_TABLE(order_options, "Or instead:"),
	OPTS_END
};

/* What is to be done: of these at most one, and some options go with some. */
enum verb { RELEASE, HOLD, UNHOLD, REMOVE, BOUNCE, DRAIN };

static enum verb
read_verb(bool command)
{
	static const struct {
		const int *given;
		enum verb verb;
	} verbs[] = {
		{ &hold, HOLD }, { &unhold, UNHOLD }, { &remove_it, REMOVE },
		{ &bounce, BOUNCE },
	};
	enum verb verb = command ? DRAIN : RELEASE;
	int n = command;

	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (*verbs[i].given) {
			verb = verbs[i].verb;
			n++;
		}
	if (n > 1)
		opts_wrong(NAME, "--hold, --unhold, --remove, --bounce or a COMMAND: "
		    "which?");
	return verb;
}

/* An option of another verb is a mistake, not something to pass over. */
static void
check_options(enum verb verb, const char *text)
{
	const char *wrong = NULL;

	if (verb != DRAIN) {
		wrong = always ? "--always" : deadline ? "--deadline" :
		    bounce_failed ? "--bounce-failed" :
		    verb == BOUNCE ? NULL : results ? "--results" :
		    json ? "--json" : NULL;
		if (wrong != NULL)
			opts_wrong(NAME, "%s: needs a COMMAND behind --", wrong);
	}
	if (wait_time != NULL && verb != RELEASE)
		opts_wrong(NAME, "--wait: is for a release");
	if (whole && (verb == DRAIN || verb == BOUNCE))
		opts_wrong(NAME, "--whole: only the selected recipients are %s",
		    verb == DRAIN ? "for a COMMAND" : "returned");
	if (text != bounce_text && verb != BOUNCE)
		opts_wrong(NAME, "--bounce-text: is for --bounce");
}

static void
read_selection(struct select *s, const char *const *words, bool *records)
{
	struct err e = {0};

	if (opts_selection(s, words, records, &e) < 0)
		opts_wrong(NAME, "%s", e.text);
	if (*records && s->ids.n > 0)
		opts_wrong(NAME, "either -, or IDs and refs");
	if (!all && !*records && !select_given(s))
		opts_wrong(NAME, "nothing is selected; everything is --all");
	if (all && (*records || s->ids.n > 0))
		opts_wrong(NAME, "--all and named messages: which?");
}

static bool
only_refs(const struct select *s)
{
	for (size_t i = 0; i < s->ids.n; i++)
		if (*s->ids.p[i] != '/')
			return false;
	return s->ids.n > 0;
}

static bool
one_mta(const struct spools *found)
{
	for (size_t i = 0; i < found->n; i++)
		if (found->p[i].kind != found->p[0].kind || !found->p[i].kind->together)
			return false;
	return true;
}

static void
name_all(struct buf *b, const struct spools *found)
{
	for (size_t i = 0; i < found->n; i++)
		buf_addf(b, " --spool=%s:%s", found->p[i].kind->name,
		    found->p[i].dir);
}

/* A queue is to be emptied: not the one that happened to be found. */
static void
check_single(const struct spools *found, const struct err *trouble)
{
	struct buf names = {0};

	if (opts_spool_given())
		return;
	name_all(&names, found);
	if (trouble->fault != FAULT_NONE) {
		warn(NAME, "there may be more queues than this one; name it:%s",
		    names.n > 0 ? buf_str(&names) : " --spool=KIND:DIR");
		exit((int)trouble->fault);
	}
	if (found->n > 1 && !one_mta(found))
		opts_wrong(NAME, "there is more than one queue:%s", buf_str(&names));
	buf_free(&names);
}

/* 0, or the status of what could not be looked at; the rest is there. */
static int
find_spools(struct spools *found, bool drain, bool by_ref)
{
	struct err e = {0};
	int r;

	if (by_ref && !opts_spool_given())
		return 0;	/* refs say where they lie */
	r = opts_spools(found, &e);
	if (r < 0)
		exit(err_exit(&e, NAME));
	if (r > 0)
		err_print(&e, NAME);
	if (found->n == 0 && r == 0)
		r = err_set(&e, FAULT_UNAVAILABLE, "no mail queue was found on "
		    "this host; name one with --spool=KIND:DIR");
	if (r < 0)
		exit(err_exit(&e, NAME));
	if (drain)
		check_single(found, &e);
	return (int)e.fault;
}

static int64_t
milliseconds(const char *what, const char *text, int64_t without)
{
	struct err e = {0};
	int64_t ms = without;

	if (text != NULL && unit_wait(what, text, &ms, &e) < 0)
		opts_wrong(NAME, "%s", e.text);
	return ms;
}

/* Between 1 and `most`. */
static size_t
number(const char *what, const char *text, int64_t most)
{
	struct err e = {0};
	int64_t n;

	if (unit_count(what, text, &n, &e) < 0)
		opts_wrong(NAME, "%s", e.text);
	if (n < 1 || n > most)
		opts_wrong(NAME, "%s: 1 to %lld", what, (long long)most);
	return (size_t)n;
}

static struct feed_limits
read_limits(void)
{
	struct feed_limits l = { .idle_ms = 5000 };
	const char *idle = getenv("TIDEGATE_FEED_IDLE");
	struct err e = {0};
	int64_t n;

	l.in_hand = number("--in-hand", in_hand, 100000);
	l.jobs = number("--jobs", jobs, 1000);
	if (l.jobs > l.in_hand)
		opts_wrong(NAME, "--jobs: more than --in-hand");
	l.quiet_ms = milliseconds("--timeout", timeout, NEVER);
	l.deadline = clock_in(milliseconds("--deadline", deadline, NEVER));
	if (idle != NULL && unit_count("TIDEGATE_FEED_IDLE", idle, &n, &e) < 0)
		opts_wrong(NAME, "%s", e.text);
	if (idle != NULL)
		l.idle_ms = n;
	return l;
}

/*
 * `5.3.4 message exceeds 10 MB`: a status of failure, if it begins with one; to be
 * freed.
 */
static struct result
read_verdict(void)
{
	struct span rest = span_of(bounce_text), word;
	struct span status = span_of("5.7.0");

	if (!text_is_utf8(rest) || span_trim(rest).n == 0)
		opts_wrong(NAME, "--bounce-text: no text");
	span_cut(&rest, ' ', &word);
	if (span_starts(word, "5.") && result_is_status(word)) {
		status = word;
		rest = span_of(bounce_text);
	} else if (span_starts(word, "4.") || span_starts(word, "2.")) {
		opts_wrong(NAME, "--bounce-text: %.*s is no failure: 5.x.y",
		    (int)word.n, word.p);
	}
	return (struct result){ .fate = FATE_FAILED,
	    .status = span_dup(status),
	    .text = (char *)(uintptr_t)bounce_text };
}

/* With a COMMAND, or to return mail. */
static int
take(struct source *source, const char *const *command, const struct seen *only)
{
	int status;
	struct result verdict = {0};
	struct takeout_how how = {
		.tool = NAME, .command = command, .limits = read_limits(),
		.always = always, .dry = dry_run, .results = results,
		.json = json, .verbose = verbose, .end = null ? '\0' : '\n',
		.bounce = bounce || bounce_failed, .only = only,
	};

	if (bounce) {
		verdict = read_verdict();
		how.verdict = &verdict;
	}
	status = takeout(source, &how);
	free(verdict.status);
	return status;
}

static int
give_order(struct source *source, enum verb verb, const struct seen *only)
{
	static const enum order orders[] = {
		[RELEASE] = ORDER_RELEASE, [HOLD] = ORDER_HOLD,
		[UNHOLD] = ORDER_UNHOLD, [REMOVE] = ORDER_REMOVE,
	};
	struct order_how how = {
		.order = orders[verb],
		.tool = NAME, .wait_ms = milliseconds("--wait", wait_time, -1),
		.whole = whole, .dry = dry_run, .verbose = verbose,
		.end = null ? '\0' : '\n', .only = only,
	};

	return order(source, &how);
}

static int
carry_out(struct source *source, enum verb verb, const char *const *command)
{
	struct seen counted = {0}, *only = NULL;
	int status = FAULT_TEMP;

	if ((verb == REMOVE || verb == BOUNCE) && !yes && !dry_run &&
	    isatty(STDIN_FILENO)) {
		/* what is counted would be read, and gone */
		if (source->records)
			opts_wrong(NAME, "-: typed on a terminal, it cannot be "
			    "asked about; --yes does not ask");
		only = &counted;
		if (!confirm(source, verb == REMOVE ? "remove" : "bounce",
		    verb == BOUNCE ? EXTENT_RECIPIENTS :
		    whole ? EXTENT_WHOLE : EXTENT_UNMIXED, only)) {
			warn(NAME, "nothing was done");
			seen_free(&counted);
			return status;
		}
	}
	status = verb == DRAIN || verb == BOUNCE ? take(source, command, only) :
	    give_order(source, verb, only);
	seen_free(&counted);
	return status;
}

/*
 * Held mail is touched only when --state says so; --unhold says so itself.  Taken
 * out is only what can be claimed.
 */
static void
choose_states(struct select *select, enum verb verb)
{
	select_touch(select);
	if (select->states_given)
		return;
	if (verb == UNHOLD)
		select->states = STATE_BIT(STATE_HOLD);
	else if (verb == DRAIN || verb == BOUNCE)
		select->states = TAKEN_BY_DEFAULT;
}

int
main(int argc, char *argv[])
{
	const char *const *words, *const *command;
	struct spools spools = {0};
	struct select select;
	struct source source;
	struct err e = {0};
	const char *text = bounce_text;
	enum verb verb;
	bool records;
	int status;

	opts_read(NAME, argc, argv, table, "SELECTION [-- COMMAND [ARG...]]",
	    &words, &command);
	if (command != NULL && (command[0] == NULL || *command[0] == '\0'))
		opts_wrong(NAME, "no COMMAND behind --");
	if (dry_run)
		signal(SIGPIPE, SIG_DFL);	/* `dequeue -n ... | head` */
	verb = read_verb(command != NULL);
	check_options(verb, text);
	read_selection(&select, words, &records);
	choose_states(&select, verb);
	read_limits();
	interrupt_catch();
	status = find_spools(&spools, verb == DRAIN || verb == REMOVE || verb == BOUNCE,
	    records || only_refs(&select));
	source_init(&source, &spools, &select, records, null ? '\0' : '\n');
	status = status_worse(status, carry_out(&source, verb, command));
	source_free(&source);
	select_free(&select);
	spools_free(&spools);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		err_set(&e, FAULT_IO, "write: stdout could not be written");
		status = status_worse(status, err_exit(&e, NAME));
	}
	return status;
}
