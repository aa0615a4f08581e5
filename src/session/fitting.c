#include "session/fitting.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "out/fit.h"
#include "out/screen.h"
#include "session/pick.h"
#include "session/stdin.h"

void
fitting_trouble(struct fitting *f, const struct err *e)
{
	if (f->first.fault == FAULT_NONE)
		f->first = *e;
	err_print(e, f->tool);
	f->status = f->status == FITTING_OVER ? (int)e->fault :
	    status_worse(f->status, (int)e->fault);
}

void
fitting_is_over(struct fitting *f)
{
	if (f->status == 0)
		f->status = FITTING_OVER;
}

void
fitting_put(struct buf *line)
{
	screen_put(buf_span(line));
	buf_free(line);
}

/* A message for one recipient; NULL: nobody knows for whom it is. */
static bool
judge(const struct fitting *f, const char *ref, const char *rcpt, int64_t size)
{
	int64_t limit = sizes_limit(&f->sizes, rcpt);
	struct fit fit = { ref, rcpt, size, limit };
	struct buf line = {0};

	if (f->json || f->list) {
		fit_show(&line, &fit, f->json, f->end);
		fitting_put(&line);
	}
	return !fit_over(size, limit);
}

/* ---- what is checked ---- */

bool
fitting_filters(const struct fitting *f)
{
	return f->pass || f->over;
}

/* What is left of the line: the record itself, or the selected ones. */
static void
narrow(const struct fitting *f, const struct record *r, const struct message *m,
    bool all)
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
	record_add(&line, &left, f->end);
	fitting_put(&line);
	vec_free(&left.rcpts);
}

/* The selected recipients of a message, each by its limit. */
static void
judge_all(struct fitting *f, const struct record *r, struct message *m, int64_t size)
{
	bool all = true, any = false, fits;

	for (size_t i = 0; i < m->env.rcpts.n; i++) {
		struct rcpt *to = &m->env.rcpts.p[i];

		if (!to->selected)
			continue;
		fits = judge(f, r->ref, to->address, size);
		if (!fits && !fitting_filters(f))
			fitting_is_over(f);
		to->selected = fits == f->pass;
		any = any || to->selected;
		all = all && to->selected;
	}
	if (m->env.rcpts.n == 0) {
		fits = judge(f, r->ref, NULL, size);
		if (!fits && !fitting_filters(f))
			fitting_is_over(f);
		any = fits == f->pass;
	}
	if (fitting_filters(f) && any)
		narrow(f, r, m, all);
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
check_queued(struct fitting *f, const struct record *r, struct err *e)
{
	struct spool *s = NULL;
	struct entry at = {0};
	struct message m = {0};
	struct body b = {0};
	int64_t size;
	int found = pick_message(&f->spools, r, &s, &at, &m, &b, e);

	/* a message whose recipients nobody knows is one, too */
	if (found == PICK_GONE && m.ref != NULL && m.env.rcpts.n == 0)
		found = PICK_OK;
	if (found == PICK_OK)
		found = measure(s, &at, &b, &size, e);
	if (found == 1)
		judge_all(f, r, &m, size);
	body_close(&b);
	message_free(&m);
	buf_free(&at.ref);
	return found == PICK_CHANGED ? 0 : found;
}

/* A message in a file, or on stdin: takes the body. */
static void
check_body(struct fitting *f, struct body *b, const char *name)
{
	struct err e = {0};
	int64_t size;

	if (body_measure(b, &size, &e) < 0) {
		err_in(&e, "%s", name);
		fitting_trouble(f, &e);
	} else if (!judge(f, b->fd == STDIN_FILENO ? "-" : name, NULL, size)) {
		fitting_is_over(f);
	}
	body_close(b);
}

void
fitting_open_stdin(struct body *b)
{
	off_t at = lseek(STDIN_FILENO, 0, SEEK_CUR);

	body_stream(b, STDIN_FILENO, NEVER);
	if (at >= 0)
		body_file(b, STDIN_FILENO, at, -1);
}

void
fitting_stdin(struct fitting *f)
{
	struct body b;

	fitting_open_stdin(&b);
	check_body(f, &b, "stdin");
}

static void
check_file(struct fitting *f, const char *name)
{
	struct err e = {0};
	struct body b;
	struct stat st;
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0) {
		err_sys(&e, "open %s", name);
		fitting_trouble(f, &e);
		return;
	}
	if (S_ISREG(st.st_mode)) {
		body_file(&b, fd, 0, -1);
		check_body(f, &b, name);
		return;
	}
	body_stream(&b, fd, NEVER);
	check_body(f, &b, name);
	close(fd);
}

/* A path that lies in a queue, or else a file with a message. */
void
fitting_operand(struct fitting *f, const char *name)
{
	char *path = realpath(name, NULL), *ref = ref_absolute(name);
	struct err e = {0};
	struct record r = { .ref = path != NULL ? path : ref };
	bool queued = spool_of(&f->spools, r.ref, &e) != NULL;
	int found;

	if (!queued && e.fault == FAULT_DATA && !fitting_filters(f)) {
		check_file(f, name);
	} else {
		found = queued ? check_queued(f, &r, &e) : -1;
		if (found == 0)
			err_set(&e, FAULT_UNAVAILABLE, "%s: no such message", name);
		if (found <= 0)
			fitting_trouble(f, &e);
	}
	free(path);
	free(ref);
}

/* ---- records on stdin ---- */

/* Trouble upstream is passed on by a filter; it is ours as well. */
static void
upstream(struct fitting *f, const struct record *r)
{
	struct err e = {0};
	struct buf line = {0};

	if (fitting_filters(f)) {
		trouble_add(&line, r->exit, r->text, f->end);
		fitting_put(&line);
		f->status = status_worse(f->status, r->exit);
		return;
	}
	err_set(&e, (enum fault)r->exit, "stdin: %.600s", r->text);
	fitting_trouble(f, &e);
}

static void
check_record(struct fitting *f, const struct record *r)
{
	struct err e = {0};

	if (strcmp(r->ref, "!") == 0)
		upstream(f, r);
	else if (check_queued(f, r, &e) < 0)
		fitting_trouble(f, &e);
}

void
fitting_records(struct fitting *f)
{
	struct lines in = { .end = f->end };
	struct record record = {0};
	struct err e = {0};
	int r = 1;

	while (r > 0 && !ferror(stdout)) {
		r = lines_record(&in, &record, &e);
		if (r == LINES_EMPTY_HANDED) {
			fflush(stdout);
			r = lines_fill(&in, &e);
		} else if (r == LINES_BAD) {
			fitting_trouble(f, &e);
		} else if (r == 1) {
			check_record(f, &record);
		}
		record_free(&record);
	}
	if (r < 0)
		fitting_trouble(f, &e);
	lines_free(&in);
}
