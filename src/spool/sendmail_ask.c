/*
 * Asking Sendmail, for queue-list --why.  Postfix, Exim and others have programs that
 * are called sendmail, too, and to some of them -bv means to send mail: only what
 * was found to be Sendmail's own is ever run.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "spool/program.h"
#include "spool/sendmail.h"

#define CF_MAX (4 << 20)
#define PROGRAM_MAX (64 << 20)
#define PIECE 65536
#define OUTPUT_MAX (1 << 20)
#define PATIENCE_MS 60000
#define ROUTES_MAX 200
#define MINUTE 60
#define DAY 86400

/* ---- the program ---- */

/* An option that nobody else's program knows by name. */
static bool
is_sendmails(const char *path)
{
	static const char mark[] = "DontBlameSendmail";
	struct buf text = {0};
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	size_t all = 0;
	bool yes = false;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (!yes && all < PROGRAM_MAX &&
	    (n = read(fd, buf_room(&text, PIECE), PIECE)) > 0) {
		if (all == 0 && n > 1 && memcmp(text.p, "#!", 2) == 0)
			break;		/* a script that only speaks of it */
		all += (size_t)n;
		text.n += (size_t)n;
		yes = memmem(text.p, text.n, mark, sizeof mark) != NULL;
		if (text.n > sizeof mark)
			buf_drop(&text, text.n - sizeof mark);
	}
	buf_free(&text);
	close(fd);
	return yes;
}

/* Where it is while `sendmail' may be somebody's wrapper. */
static void
find_program(struct sm_own *own)
{
	static const char *const places[] = {
		"/usr/libexec/sendmail/sendmail", "/usr/lib/sm.bin/sendmail",
		"/usr/sbin/sendmail.sendmail", "/usr/lib/sendmail",
		"/usr/sbin/sendmail"
	};
	struct buf usual = {0};

	if (program_find("sendmail", &usual) && is_sendmails(buf_str(&usual))) {
		own->program = span_dup(buf_span(&usual));
		own->on_path = true;
	}
	for (size_t i = 0; i < sizeof places / sizeof *places &&
	    own->program == NULL; i++)
		if (access(places[i], X_OK) == 0 && is_sendmails(places[i]))
			own->program = span_dup(span_of(places[i]));
	buf_free(&usual);
}

/* ---- does it run? ---- */

/* Its processes' titles: `sendmail: MTA: accepting connections'. */
static bool
is_title(struct span title)
{
	static const char *const works[] = {
		"accepting connections", "ueue runner", "unning queue"
	};

	if (!span_starts(title, "sendmail: "))
		return false;
	for (size_t i = 0; i < sizeof works / sizeof *works; i++)
		if (memmem(title.p, title.n, works[i], strlen(works[i])) != NULL)
			return true;
	return false;
}

/* 1, 0 no such process, -1: processes cannot be seen here. */
static int
is_among_processes(void)
{
	struct buf path = {0}, title = {0};
	DIR *proc = opendir("/proc");
	int r = proc != NULL && access("/proc/self/cmdline", R_OK) == 0 ? 0 : -1;
	struct dirent *d;
	ssize_t n;
	int fd;

	while (r == 0 && (d = readdir(proc)) != NULL) {
		if (!isdigit((unsigned char)*d->d_name))
			continue;
		buf_clear(&path);
		buf_addf(&path, "/proc/%s/cmdline", d->d_name);
		if ((fd = open(buf_str(&path), O_RDONLY | O_CLOEXEC)) < 0)
			continue;
		n = read(fd, buf_room(&title, 256), 256);
		close(fd);
		r = n > 0 && is_title((struct span){ title.p, (size_t)n });
	}
	if (proc != NULL)
		closedir(proc);
	buf_free(&path);
	buf_free(&title);
	return r;
}

/* Often there is no pid file: it writes none into a directory it calls unsafe. */
static bool
is_down(void)
{
	static const char *const usual[] = {
		"/run/sendmail/mta/sendmail.pid", "/run/sendmail.pid",
		"/var/run/sendmail.pid"
	};
	struct buf path = {0};
	struct err none = {0};
	bool runs = sm_option(SENDMAIL_CF, "PidFile", &path, &none) == 1 &&
	    program_runs(buf_str(&path));

	for (size_t i = 0; i < sizeof usual / sizeof *usual && !runs; i++)
		runs = program_runs(usual[i]);
	buf_free(&path);
	return !runs && is_among_processes() == 0;
}

/* ---- the configuration ---- */

/* `1h30m'; a number alone counts `unit' seconds.  -1: it is no time. */
static int64_t
seconds_of(struct span text, int64_t unit)
{
	static const struct { char letter; int64_t seconds; } units[] = {
		{ 's', 1 }, { 'm', MINUTE }, { 'h', 3600 }, { 'd', DAY },
		{ 'w', 7 * DAY },
	};
	int64_t all = 0;

	while (text.n > 0) {
		size_t digits = 0, u = 0;
		long long n;

		while (digits < text.n && isdigit((unsigned char)text.p[digits]))
			digits++;
		if (digits > 9 || !span_number((struct span){ text.p, digits }, &n))
			return -1;
		text = span_from(text, digits);
		while (text.n > 0 && u < 5 && units[u].letter != *text.p)
			u++;
		if (u == 5)
			return -1;
		all += n * (text.n > 0 ? units[u].seconds : unit);
		text = span_from(text, 1);
	}
	return all;
}

/* The first of these options that is there; else `usual'. */
static int64_t
time_option(const char *conf, const char *const names[], int64_t unit,
    int64_t usual)
{
	struct err none = {0};
	int64_t seconds = usual, n;

	for (size_t i = 0; names[i] != NULL; i++) {
		struct buf value = {0};
		int r = sm_option(conf, names[i], &value, &none);

		n = seconds_of(buf_span(&value), unit);
		buf_free(&value);
		if (r == 1 && n >= 0) {
			seconds = n;
			break;
		}
	}
	return seconds;
}

static void
settings(const char *conf, struct sm_own *own)
{
	static const char *const life[] = {
		"Timeout.queuereturn.normal", "Timeout.queuereturn", NULL
	}, *const report[] = {
		"Timeout.queuereturn.dsn", "Timeout.queuereturn", NULL
	}, *const rest[] = { "MinQueueAge", NULL }, *const longest[] = {
		"MaxQueueAge", NULL
	};

	own->life = time_option(conf, life, DAY, 5 * DAY);
	own->report_life = time_option(conf, report, DAY, 5 * DAY);
	/* with MaxQueueAge it grows from try to try */
	if (time_option(conf, longest, MINUTE, 0) == 0)
		own->rest = time_option(conf, rest, MINUTE, 0);
}

struct sm_own *
sm_kept(struct spool *s)
{
	if (s->own == NULL)
		s->own = must(calloc(1, sizeof(struct sm_own)));
	return s->own;
}

struct sm_own *
sm_own(struct spool *s)
{
	struct sm_own *own = sm_kept(s);

	if (own->known)
		return own;
	own->known = true;
	find_program(own);
	own->down = is_down();
	settings(s->conf != NULL ? s->conf : SENDMAIL_CF, own);
	return own;
}

void
sm_close(struct spool *s)
{
	struct sm_own *own = s->own;

	if (own == NULL)
		return;
	for (size_t i = 0; i < own->asked.n; i++) {
		free(own->asked.p[i].address);
		free(own->asked.p[i].route);
	}
	vec_free(&own->asked);
	sm_due_free(own);
	seen_free(&own->swept);
	free(own->program);
	free(own);
}

/* ---- where an address goes ---- */

/* Nothing that it would look up as a file, a program or an option. */
static bool
is_address(const char *address)
{
	for (const char *p = address; *p != '\0'; p++)
		if (iscntrl((unsigned char)*p))
			return false;
	return *address != '\0' && strchr("-|/:\\\"", *address) == NULL;
}

/* `a@b... deliverable: mailer esmtp, host b., user a@b`, on its last line */
static void
understand(struct span out, struct buf *route)
{
	struct span line, last = {0};
	const char *p;

	while (span_cut(&out, '\n', &line))
		if (span_trim(line).n > 0)
			last = span_trim(line);
	p = last.n > 0 ? memmem(last.p, last.n, "... ", 4) : NULL;
	if (p != NULL)
		last = span_from(last, (size_t)(p - last.p) + 4);
	if (span_starts(last, "deliverable: "))
		last = span_from(last, strlen("deliverable: "));
	buf_addspan(route, last);
}

/* Its status says whether it is deliverable; that is no failure. */
static int
verify(struct spool *s, const char *address, struct buf *route, struct err *e)
{
	const char *const args[] = { sm_own(s)->program,
	    sm_is_client(s) ? "-Ac" : "-Am", "-bv", address, NULL };
	struct buf out = {0}, words = {0};
	int r = child_run(args, (struct span){0}, &out, &words, OUTPUT_MAX,
	    clock_in(PATIENCE_MS), e);

	if (r >= 0)
		understand(buf_span(out.n > 0 ? &out : &words), route);
	buf_free(&out);
	buf_free(&words);
	return r < 0 ? -1 : 0;
}

int
sm_ask(struct spool *s, const char *address, const char **route, struct err *e)
{
	struct sm_own *own = sm_own(s);
	struct sm_asked *a;
	struct buf b = {0};
	int r;

	for (size_t i = 0; i < own->asked.n; i++) {
		a = &own->asked.p[i];
		*route = a->route;
		if (strcmp(a->address, address) == 0)
			return a->route != NULL;
	}
	if (own->program == NULL || !is_address(address) ||
	    own->asked.n == ROUTES_MAX)
		return 0;
	r = verify(s, address, &b, e);
	a = vec_add(&own->asked);
	*a = (struct sm_asked){ .address = span_dup(span_of(address)) };
	if (r == 0 && b.n > 0)
		a->route = span_dup(buf_span(&b));
	buf_free(&b);
	*route = a->route;
	return r < 0 ? -1 : a->route != NULL;
}

/* `Mname, P=..., F=flags, ...`, with lines that go on */
static int
find_flags(struct span text, struct span name, struct buf *flags)
{
	struct span line, part;
	bool ours = false;

	while (span_cut(&text, '\n', &line)) {
		if (!span_starts(line, " ") && !span_starts(line, "\t")) {
			if (ours)
				break;
			ours = span_starts(line, "M") && span_cut(&line, ',', &part) &&
			    span_eq(span_trim(span_from(part, 1)), name);
		}
		while (ours && span_cut(&line, ',', &part)) {
			part = span_trim(part);
			if (span_starts(part, "F=")) {
				buf_addspan(flags, span_from(part, 2));
				return 1;
			}
		}
	}
	return 0;
}

int
sm_mailer(const struct spool *s, const char *route, struct buf *name,
    struct buf *flags)
{
	struct span said = span_of(route), mailer;
	struct buf text = {0};
	struct err none = {0};
	int r = 0;

	if (!span_starts(said, "mailer ") || !span_cut(&said, ',', &mailer))
		return 0;
	buf_addspan(name, span_trim(span_from(mailer, strlen("mailer "))));
	if (file_conf(s->conf != NULL ? s->conf : SENDMAIL_CF, CF_MAX, &text,
	    &none) == 1)
		r = find_flags(buf_span(&text), buf_span(name), flags);
	buf_free(&text);
	return r;
}
