/* msg-sizecheck: does a message fit, as it would be sent? */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/unit.h"
#include "opts/connect.h"
#include "opts/envelope.h"
#include "opts/spool.h"
#include "out/fit.h"
#include "session/pick.h"
#include "session/sizes.h"
#include "session/stdin.h"

#define NAME "msg-sizecheck"
#define OVER 1			/* exit status, below those of trouble */

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

static struct sizes sizes;
static struct spools spools;
static int status;
static struct err first_trouble;
static char line_end = '\n';

static void
trouble(const struct err *e)
{
	if (first_trouble.fault == FAULT_NONE)
		first_trouble = *e;
	err_print(e, NAME);
	status = status == OVER ? (int)e->fault :
	    status_worse(status, (int)e->fault);
}

static void
is_over(void)
{
	if (status == 0)
		status = OVER;
}

static void
put(struct buf *line)
{
	if (line->n > 0)
		fwrite(line->p, 1, line->n, stdout);
	buf_free(line);
}

/* A message for one recipient; NULL: nobody knows for whom it is. */
static bool
judge(const char *ref, const char *rcpt, int64_t size)
{
	int64_t limit = sizes_limit(&sizes, rcpt);
	struct fit fit = { ref, rcpt, size, limit };
	struct buf line = {0};

	if (json || list) {
		fit_show(&line, &fit, json, line_end);
		put(&line);
	}
	return !fit_over(size, limit);
}

/* ---- what is checked ---- */

static bool
is_filter(void)
{
	return pass || over;
}

/* What is left of the line: the record itself, or the selected ones. */
static void
narrow(const struct record *r, const struct message *m, bool all)
{
	struct record left = { .ref = r->ref };
	struct buf line = {0};

	if (!all || r->sender != NULL) {
		left.sender = r->sender != NULL ? r->sender : m->env.sender != NULL ?
		    m->env.sender : (char *)(uintptr_t)"";
		for (size_t i = 0; i < m->env.rcpts.n; i++)
			if (m->env.rcpts.p[i].selected)
				*vec_add(&left.rcpts) = m->env.rcpts.p[i].address;
	}
	record_add(&line, &left, line_end);
	put(&line);
	vec_free(&left.rcpts);
}

/* The selected recipients of a message, each by its limit. */
static void
judge_all(const struct record *r, struct message *m, int64_t size)
{
	bool all = true, any = false, fits;

	for (size_t i = 0; i < m->env.rcpts.n; i++) {
		struct rcpt *to = &m->env.rcpts.p[i];

		if (!to->selected)
			continue;
		fits = judge(r->ref, to->address, size);
		if (!fits && !is_filter())
			is_over();
		to->selected = fits == (pass != 0);
		any = any || to->selected;
		all = all && to->selected;
	}
	if (m->env.rcpts.n == 0) {
		fits = judge(r->ref, NULL, size);
		if (!fits && !is_filter())
			is_over();
		any = fits == (pass != 0);
	}
	if (is_filter() && any)
		narrow(r, m, all);
}

static int
measure(struct spool *s, const struct entry *at, struct body *b, int64_t *size,
    struct err *e)
{
	struct buf ref = {0};
	int r = 1;

	buf_addspan(&ref, buf_span(&at->ref));
	if (b->next == NULL)
		r = s->kind->body(s, buf_str(&ref), b, e);
	if (r > 0 && body_measure(b, size, e) < 0)
		r = err_in(e, "%s", buf_str(&ref));
	buf_free(&ref);
	return r;
}

/*
 * A message in a queue, for the recipients of the record.  1; 0 it is gone, or another
 * one by now; -1.
 */
static int
check_queued(const struct record *r, struct err *e)
{
	struct spool *s = NULL;
	struct entry at = {0};
	struct message m = {0};
	struct body b = {0};
	int64_t size;
	int found = pick_message(&spools, r, &s, &at, &m, &b, e);

	/* a message whose recipients nobody knows is one, too */
	if (found == PICK_GONE && m.ref != NULL && m.env.rcpts.n == 0)
		found = PICK_OK;
	if (found == PICK_OK)
		found = measure(s, &at, &b, &size, e);
	if (found == 1)
		judge_all(r, &m, size);
	body_close(&b);
	message_free(&m);
	buf_free(&at.ref);
	return found == PICK_CHANGED ? 0 : found;
}

/* A message in a file, or on stdin: takes the body. */
static void
check_body(struct body *b, const char *name)
{
	struct err e = {0};
	int64_t size;

	if (body_measure(b, &size, &e) < 0) {
		err_in(&e, "%s", name);
		trouble(&e);
	} else if (!judge(b->fd == STDIN_FILENO ? "-" : name, NULL, size)) {
		is_over();
	}
	body_close(b);
}

static void
open_stdin(struct body *b)
{
	off_t at = lseek(STDIN_FILENO, 0, SEEK_CUR);

	body_stream(b, STDIN_FILENO, NEVER);
	if (at >= 0)
		body_file(b, STDIN_FILENO, at, -1);
}

static void
check_file(const char *name)
{
	struct err e = {0};
	struct body b;
	struct stat st;
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0) {
		err_sys(&e, "open %s", name);
		trouble(&e);
		return;
	}
	if (S_ISREG(st.st_mode)) {
		body_file(&b, fd, 0, -1);
		check_body(&b, name);
		return;
	}
	body_stream(&b, fd, NEVER);
	check_body(&b, name);
	close(fd);
}

/* A path that lies in a queue, or else a file with a message. */
static void
check_operand(const char *name)
{
	char *path = realpath(name, NULL), *ref = ref_absolute(name);
	struct err e = {0};
	struct record r = { .ref = path != NULL ? path : ref };
	bool queued = spool_of(&spools, r.ref, &e) != NULL;
	int found;

	if (!queued && e.fault == FAULT_DATA && !is_filter()) {
		check_file(name);
	} else {
		found = queued ? check_queued(&r, &e) : -1;
		if (found == 0)
			err_set(&e, FAULT_UNAVAILABLE, "%s: no such message", name);
		if (found <= 0)
			trouble(&e);
	}
	free(path);
	free(ref);
}

/* ---- records on stdin ---- */

/* Trouble upstream is passed on by a filter; it is ours as well. */
static void
upstream(const struct record *r)
{
	struct err e = {0};
	struct buf line = {0};

	if (is_filter()) {
		trouble_add(&line, r->exit, r->text, line_end);
		put(&line);
		status = status_worse(status, r->exit);
		return;
	}
	err_set(&e, (enum fault)r->exit, "stdin: %.600s", r->text);
	trouble(&e);
}

static void
check_line(struct span line, long long number)
{
	struct record r = {0};
	struct err e = {0};

	if (record_parse(&r, line, &e) < 0) {
		err_in(&e, "stdin: line %lld", number);
		trouble(&e);
		return;
	}
	if (strcmp(r.ref, "!") == 0)
		upstream(&r);
	else if (check_queued(&r, &e) < 0)
		trouble(&e);
	record_free(&r);
}

static void
check_stdin(void)
{
	struct lines in = { .end = line_end };
	struct err e = {0};
	struct span line;
	long long number = 0;
	int r = 1;

	while (r > 0 && !ferror(stdout)) {
		r = lines_next(&in, &line, &e);
		if (r == LINES_EMPTY_HANDED) {
			fflush(stdout);
			r = lines_fill(&in, &e);
		} else if (r == 1) {
			check_line(line, ++number);
		}
	}
	if (r < 0)
		trouble(&e);
	lines_free(&in);
}

/* ---- the limits ---- */

static int
learn_limits(struct err *e)
{
	struct servers servers = {0};
	struct dial dial;
	int r = 0;

	if (limits_file != NULL && sizes_read(&sizes, limits_file, e) < 0)
		return -1;
	if (opts_server_given()) {
		r = opts_dial(&servers, &dial, false, e);
		if (r == 0)
			r = sizes_ask(&sizes, &servers, &dial, e);
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
	open_stdin(&b);
	r = sizes_report(&sizes, &env, &b, &text, &e);
	if (r < 0)
		trouble(&e);
	else if (r == 1)
		is_over();
	put(&text);
	body_close(&b);
	envelope_free(&env);
}

/* Whoever reads a pipe of ours shall know that there was trouble. */
static void
put_trouble(const struct err *e)
{
	struct buf line = {0};

	if (!is_filter() || e->fault == FAULT_NONE || isatty(STDOUT_FILENO))
		return;
	trouble_add(&line, (int)e->fault, e->text, line_end);
	put(&line);
}

static _Noreturn void
wrong(const char *text)
{
	struct err e = {0};

	line_end = null ? '\0' : '\n';
	err_set(&e, FAULT_USAGE, "%s", text);
	put_trouble(&e);
	fflush(stdout);
	opts_wrong(NAME, "%s", text);
}

static void
check_options(const char *const *words)
{
	struct err e = {0};

	if (max != NULL && unit_size("--max-size", max, &sizes.max, &e) < 0)
		wrong(e.text);
	if (max == NULL && limits_file == NULL && !opts_server_given() &&
	    (ndr || is_filter() || !(list || json)))
		wrong("what is the limit? -m, --limits or --server");
	if (pass && over)
		wrong("--pass and --over: which?");
	if ((list || json) && (is_filter() || ndr))
		wrong("--long and --json: not with --pass, --over or --ndr");
	if (is_filter() && (ndr || *words == NULL))
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
	if (opts_spools(&spools, &e) == 0)
		return;
	if (e.fault == FAULT_USAGE)
		wrong(e.text);
	trouble(&e);
}

static void
check(const char *const *words)
{
	struct body b;

	open_spools();
	if (*words == NULL) {
		open_stdin(&b);
		check_body(&b, "stdin");
	}
	for (; *words != NULL; words++) {
		if (strcmp(*words, "-") == 0)
			check_stdin();
		else
			check_operand(*words);
	}
	spools_free(&spools);
}

static int
finish(void)
{
	struct err e = {0};

	put_trouble(&first_trouble);
	limits_free(&sizes.by);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
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
	line_end = null ? '\0' : '\n';
	check_options(words);
	if (learn_limits(&e) < 0)
		trouble(&e);
	signal(SIGPIPE, SIG_DFL);	/* `msg-sizecheck -l - | head` */
	if (status == 0 && ndr)
		report(words);
	else if (status == 0)
		check(words);
	return finish();
}
