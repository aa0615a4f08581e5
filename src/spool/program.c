#include "spool/program.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/vec.h"
#include "spool/file.h"

#define PATIENCE_MS 60000
#define OUTPUT_MAX (16 << 20)
#define ARGS_MAX 16
#define RUNS 4			/* at once: one that is stuck stops not all */
#define WORDS_MAX 20000		/* of one: a command line has an end */
#define MOMENT_MS 1000		/* what is quick is done by then, or says no */

bool
program_find(const char *name, struct buf *path)
{
	struct buf places = {0};
	struct span rest, dir;
	bool found = false;

	if (getenv("PATH") != NULL)
		buf_adds(&places, getenv("PATH"));
	buf_adds(&places, ":/usr/sbin:/usr/local/sbin:/sbin");
	rest = buf_span(&places);
	while (!found && span_cut(&rest, ':', &dir)) {
		if (dir.n == 0 || *dir.p != '/')
			continue;
		buf_clear(path);
		buf_addspan(path, dir);
		buf_addf(path, "/%s", name);
		found = access(buf_str(path), X_OK) == 0;
	}
	buf_free(&places);
	return found;
}

/* The number in the first line; 0: none. */
static long long
pid_in(const char *pid_file)
{
	struct buf text = {0};
	struct span line;
	struct err none = {0};
	long long pid = 0;

	file_read(pid_file, 4096, &text, &none);
	line = buf_span(&text);
	line.n = span_find(line, '\n');
	span_number(span_trim(line), &pid);
	buf_free(&text);
	return pid;
}

bool
program_runs(const char *pid_file)
{
	long long pid = pid_in(pid_file);

	return pid > 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

bool
program_runs_with(const char *pid_file, const char *option)
{
	struct buf path = {0}, line = {0};
	struct span rest, word;
	struct err none = {0};
	bool yes = false;

	buf_addf(&path, "/proc/%lld/cmdline", pid_in(pid_file));
	file_read(buf_str(&path), 1 << 20, &line, &none);
	rest = buf_span(&line);
	while (span_cut(&rest, '\0', &word))
		yes = yes || span_starts(word, option);
	buf_free(&path);
	buf_free(&line);
	return yes;
}

int
program_failed(const char *name, int status, struct span words, struct err *e)
{
	enum fault fault = status == FAULT_PERM ? FAULT_PERM :
	    status == FAULT_CONFIG ? FAULT_CONFIG :
	    status == FAULT_UNAVAILABLE || status == FAULT_TEMP ? FAULT_TEMP :
	    FAULT_IO;
	struct span last = {0};

	words = span_trim(words);
	while (span_cut(&words, '\n', &last))
		;	/* the fatal one; it names itself */
	if (last.n == 0)
		return err_set(e, fault, "%s: ended with status %d", name,
		    status);
	return err_set(e, fault, "%.*s", (int)last.n, last.p);
}

static int
run(const char *name, const char *const args[], struct span input, struct buf *out,
    int (*child)(const char *const [], struct span, struct buf *, struct buf *, size_t,
    int64_t, struct err *), int64_t deadline, struct err *e)
{
	const char *argv[ARGS_MAX];
	struct buf path = {0}, words = {0};
	int status = -1, n = 0;

	if (program_find(name, &path)) {
		argv[n++] = buf_str(&path);
		for (; args[n - 1] != NULL && n < ARGS_MAX - 1; n++)
			argv[n] = args[n - 1];
		argv[n] = NULL;
		status = child(argv, input, out, &words, OUTPUT_MAX, deadline, e);
	} else {
		err_set(e, FAULT_UNAVAILABLE, "%s: is not on this host", name);
	}
	if (status > 0)
		program_failed(name, status, buf_span(&words), e);
	buf_free(&path);
	buf_free(&words);
	return status;
}

int
program_run(const char *name, const char *const args[], struct span input,
    struct buf *out, struct err *e)
{
	return run(name, args, input, out, child_run, clock_in(PATIENCE_MS), e);
}

int
program_tell(const char *name, const char *const args[], struct span input,
    int64_t deadline, struct err *e)
{
	struct buf said = {0};
	int r = run(name, args, input, &said, child_tell,
	    clock_sooner(deadline, clock_in(PATIENCE_MS)), e);

	buf_free(&said);
	return r;
}

static size_t
runs_for(size_t n)
{
	size_t most = n / WORDS_MAX >= RUNS ? n / WORDS_MAX + 1 : RUNS;

	return n < most ? n : most;
}

/* With every `runs'th of the words from `at' on. */
static int
start_one(struct child *c, const char *const argv[], const char *const shared[], size_t at,
    size_t n, size_t runs, struct err *e)
{
	VEC(const char *) words = {0};
	int r;

	for (; *argv != NULL; argv++)
		*vec_add(&words) = *argv;
	for (; at < n; at += runs)
		*vec_add(&words) = shared[at];
	*vec_add(&words) = NULL;
	r = child_start(c, words.p, CHILD_ALONE, e);
	vec_free(&words);
	return r;
}

size_t
program_share(const char *const argv[], const char *const shared[], size_t n,
    struct err *e)
{
	size_t runs = runs_for(n), not = 0;
	struct child *run = must(calloc(runs, sizeof *run));
	int64_t until;
	int status;

	for (size_t i = 0; i < runs; i++)
		if (start_one(&run[i], argv, shared, i, n, runs, e) < 0)
			not += (n - i + runs - 1) / runs;
	until = clock_in(MOMENT_MS);
	for (size_t i = 0; i < runs; i++) {
		if (run[i].pid == 0 || child_wait(&run[i], until, &status) < 0 ||
		    status == 0)
			continue;
		err_set(e, FAULT_IO, "%s: ended with status %d", ref_name(argv[0]),
		    child_status(status));
		not += (n - i + runs - 1) / runs;
	}
	free(run);
	return not;
}
