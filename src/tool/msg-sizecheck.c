/* msg-sizecheck: does a message fit, as it would be sent? */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/unit.h"
#include "opts/connect.h"
#include "opts/envelope.h"
#include "opts/spool.h"
#include "session/fitting.h"

#define NAME "msg-sizecheck"

static const char *max, *limits_file;
static int pass, over, list, json, null, ndr;

static struct poptOption options[] = {
	{ "max-size", 'm', POPT_ARG_STRING, &max, 0,
	    "the most octets (512, 300k, 10M, 1G)", "SIZE" },
	{ "limits", 0, POPT_ARG_STRING, &limits_file, 0,
	    "by recipient: lines of a domain, @domain, address or *, and a SIZE",
	    "FILE" },
	{ "long", 'l', POPT_ARG_NONE, &list, 0,
	    "print REF RECIPIENT SIZE LIMIT fits|over", NULL },
	{ "json", 'j', POPT_ARG_NONE, &json, 0, "the same as JSON", NULL },
	POPT_TABLEEND
};

static struct poptOption filter_options[] = {
	{ "pass", 0, POPT_ARG_NONE, &pass, 0,
	    "print each record for those recipients that it fits", NULL },
	{ "over", 0, POPT_ARG_NONE, &over, 0,
	    "print each record for those that it is too large for", NULL },
	{ "null", '0', POPT_ARG_NONE, &null, 0,
	    "NUL ends the lines of stdin and stdout", NULL },
	POPT_TABLEEND
};

static struct poptOption ndr_options[] = {
	{ "ndr", 0, POPT_ARG_NONE, &ndr, 0,
	    "print a report about the message on stdin; operands are its recipients",
	    NULL },
	OPTS_TABLE(opts_envelope, NULL),
	POPT_TABLEEND
};

static struct poptOption table[] = {
	OPTS_TABLE(options, "What fits:"),
	OPTS_TABLE(filter_options, "As a filter:"),
	OPTS_TABLE(ndr_options, "To tell the sender:"),
	OPTS_TABLE(opts_spool, "Queue:"),
	OPTS_TABLE(opts_connect, "The limit that a server announces:"),
	OPTS_END
};

static struct fitting work = { .tool = NAME, .end = '\n' };

/* ---- the limits ---- */

static int
learn_limits(struct err *e)
{
	struct servers servers = {0};
	struct dial dial;
	int r = 0;

	if (limits_file != NULL && sizes_read(&work.sizes, limits_file, e) < 0)
		return -1;
	if (opts_server_given()) {
		r = opts_dial(&servers, &dial, false, e);
		if (r == 0)
			r = sizes_ask(&work.sizes, &servers, &dial, e);
	}
	servers_free(&servers);
	opts_dial_free();
	return r;
}

/* ---- main ---- */

static void
report(const char *const *words)
{
	struct envelope env = {0};
	struct err e = {0};
	struct buf text = {0};
	struct body b;
	int r;

	if (opts_envelope_read(&env, words, NULL, 0, &e) < 0)
		opts_wrong(NAME, "%s", e.text);
	fitting_open_stdin(&b);
	r = sizes_report(&work.sizes, &env, &b, &text, &e);
	if (r < 0)
		fitting_trouble(&work, &e);
	else if (r == 1)
		fitting_is_over(&work);
	fitting_put(&text);
	body_close(&b);
	envelope_free(&env);
}

/* Whoever reads a pipe of ours shall know that there was trouble. */
static void
put_trouble(const struct err *e)
{
	struct buf line = {0};

	if (!fitting_filters(&work) || e->fault == FAULT_NONE || isatty(STDOUT_FILENO))
		return;
	trouble_add(&line, (int)e->fault, e->text, work.end);
	fitting_put(&line);
}

/* What of the options matters to whoever prints. */
static void
read_form(void)
{
	work.pass = pass;
	work.over = over;
	work.list = list;
	work.json = json;
	work.end = null ? '\0' : '\n';
}

static _Noreturn void
wrong(const char *text)
{
	struct err e = {0};

	read_form();
	err_set(&e, FAULT_USAGE, "%s", text);
	put_trouble(&e);
	fflush(stdout);
	opts_wrong(NAME, "%s", text);
}

static void
check_options(const char *const *words)
{
	struct err e = {0};

	if (max != NULL && unit_size("--max-size", max, &work.sizes.max, &e) < 0)
		wrong(e.text);
	if (max == NULL && limits_file == NULL && !opts_server_given() &&
	    (ndr || fitting_filters(&work) || !(list || json)))
		wrong("what is the limit? -m, --limits or --server");
	if (pass && over)
		wrong("--pass and --over: which?");
	if ((list || json) && (fitting_filters(&work) || ndr))
		wrong("--long and --json: not with --pass, --over or --ndr");
	if (fitting_filters(&work) && (ndr || *words == NULL))
		wrong("--pass, --over: of what? `-' are records on stdin");
	if (!ndr && opts_envelope_given())
		wrong("--from and the like are for --ndr");
	if (ndr && (*words == NULL || !opts_sender_given()))
		wrong("--ndr: whose message? -f SENDER RECIPIENT...");
}

static void
open_spools(void)
{
	struct err e = {0};

	if (!opts_spool_given())
		return;
	if (opts_spools(&work.spools, &e) == 0)
		return;
	if (e.fault == FAULT_USAGE)
		wrong(e.text);
	fitting_trouble(&work, &e);
}

static void
check(const char *const *words)
{
	open_spools();
	if (*words == NULL)
		fitting_stdin(&work);
	for (; *words != NULL; words++) {
		if (strcmp(*words, "-") == 0)
			fitting_records(&work);
		else
			fitting_operand(&work, *words);
	}
	spools_free(&work.spools);
}

static int
finish(void)
{
	struct err e = {0};

	put_trouble(&work.first);
	limits_free(&work.sizes.by);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return work.status;
	err_sys(&e, "write");
	e.fault = FAULT_IO;
	return err_exit(&e, NAME);
}

int
main(int argc, char *argv[])
{
	const char *const *words;
	struct err e = {0};

	opts_not_read = wrong;
	opts_read(NAME, argc, argv, table, "[FILE|REF|-]...", &words, NULL);
	read_form();
	check_options(words);
	if (learn_limits(&e) < 0)
		fitting_trouble(&work, &e);
	signal(SIGPIPE, SIG_DFL);	/* `msg-sizecheck -l - | head` */
	if (work.status == 0 && ndr)
		report(words);
	else if (work.status == 0)
		check(words);
	return finish();
}
