/*
 * Which Postfix is here: postconf, postmulti and postqueue played by scripts on
 * PATH.
 */
#include "../tap.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "spool/spool.h"

static char tmp[4096];

static char *
at(const char *name)
{
	struct buf b = {0};

	buf_addf(&b, "%s/%s", tmp, name);
	return buf_str(&b);
}

static void
script(const char *name, const char *text)
{
	char *path = at(name);
	FILE *f = fopen(path, "w");

	fputs("#!/bin/sh\n", f);
	fputs(text, f);
	fclose(f);
	chmod(path, 0755);
	free(path);
}

static void
sh(const char *text)
{
	const char *const argv[] = { "sh", "-ec", text, tmp, NULL };
	struct err e = {0};

	if (child_run(argv, (struct span){0}, NULL, NULL, 4096,
	    clock_in(60000), &e) != 0)
		printf("# %s: %s\n", text, e.text);
}

/* Two instances, the second known to postmulti only. */
static const char postconf[] =
    "dir=${0%/*}/..\n"
    "conf=$dir/etc\n"
    "[ \"$1\" != -c ] || { conf=$2; shift 2; }\n"
    "queue=$dir/q1\n"
    "case $conf in *two) queue=$dir/q2;; *bad) echo 'postconf: warning: x' >&2\n"
    "echo 'postconf: fatal: open main.cf' >&2; exit 1;; esac\n"
    "case $* in\n"
    "'-xh queue_directory') echo \"$queue\";;\n"
    "*) echo \"config_directory = $conf\"; echo \"queue_directory = $queue\";;\n"
    "esac\n";

static const char postmulti[] =
    "echo \"-               -               y         ${0%/*}/../etc\"\n"
    "echo \"two             -               y         ${0%/*}/../two\"\n";

static void
opened(const char *dir, const char *queue, const char *conf)
{
	struct buf spec = {0};
	struct err e = {0};
	struct spool s;
	char *want = at(queue);

	buf_adds(&spec, dir ? "postfix:" : "postfix");
	if (dir != NULL)
		buf_addf(&spec, "%s/%s", tmp, dir);
	if (ok(spool_open(&s, buf_str(&spec), &e) == 0, "open %s %s",
	    dir ? dir : "the default", e.text)) {
		is(s.dir, want, "the queue");
		ok(s.live == (conf != NULL), conf ? "live" : "not live");
		if (conf != NULL)
			ok(s.conf && span_ends(span_of(s.conf), conf),
			    "its configuration");
		spool_close(&s);
	}
	free(want);
	buf_free(&spec);
}

static void
not_opened(const char *dir, int fault, const char *words)
{
	struct buf spec = {0};
	struct err e = {0};
	struct spool s;

	buf_addf(&spec, dir ? "postfix:%s/%s" : "postfix", tmp, dir);
	ok(spool_open(&s, buf_str(&spec), &e) < 0 && (int)e.fault == fault &&
	    strstr(e.text, words), "%d %s", (int)e.fault, e.text);
	buf_free(&spec);
}

/* What postqueue says: n messages read, and the end of it. */
static void
listed(const char *text, int want, int end, int fault)
{
	struct buf spec = {0};
	struct message m = {0};
	struct err e = {0};
	struct spool s;
	struct walk *w;
	int n = 0, r;

	script("bin/postqueue", text);
	buf_addf(&spec, "postfix:%s/q1", tmp);
	if (spool_open(&s, buf_str(&spec), &e) < 0)
		return;
	w = s.kind->listing(&s, &e);
	while (w != NULL && (r = s.kind->listed(w, &m, &e)) > 0) {
		n++;
		ok(span_starts(span_of(m.ref), s.dir) && m.arrival > 0 &&
		    m.env.rcpts.n > 0, "%s", m.ref);
		message_free(&m);
	}
	ok(w != NULL && n == want && r == end && (int)e.fault == fault,
	    "%d listed, then %d %s", n, (int)e.fault, e.text);
	if (w != NULL)
		s.kind->listing_end(w);
	spool_close(&s);
	buf_free(&spec);
}

#define ONE "{\"queue_name\": \"deferred\", \"queue_id\": \"E55911BA672\", " \
	"\"arrival_time\": 1795449305, \"message_size\": 421, " \
	"\"forced_expire\": false, \"sender\": \"MAILER-DAEMON\", " \
	"\"recipients\": [{\"address\": \"f@down.example\", " \
	"\"delay_reason\": \"Connection refused\"}]}"

static void
listings(void)
{
	char *queue = at("q1");
	struct err e = {0};
	struct spool s = {
		.kind = &spool_postfix, .dir = queue, .live = false,
	};

	listed("echo '" ONE "'\n", 1, 0, 0);
	listed("", 0, 0, 0);
	listed("i=0; while [ $i -lt 300 ]; do echo '" ONE "'; i=$((i+1)); done\n",
	    300, 0, 0);
	listed("echo 'postqueue: fatal: mail system is down' >&2; exit 69\n",
	    0, -1, FAULT_TEMP);
	listed("echo 'postqueue: fatal: not allowed' >&2; exit 77\n",
	    0, -1, FAULT_PERM);
	listed("echo '" ONE "'; exit 1\n", 1, -1, FAULT_IO);
	listed("echo '" ONE "'; printf '{\"queue_'\n", 1, -1, FAULT_IO);
	listed("echo nonsense\n", 0, -1, FAULT_IO);
	listed("echo '{\"queue_name\": \"deferred\", \"queue_id\": \"../x\", "
	    "\"sender\": \"\"}'\n", 0, -1, FAULT_IO);
	listed("kill -9 $$\n", 0, -1, FAULT_IO);
	ok(s.kind->listing(&s, &e) == NULL && e.fault == FAULT_PERM, "%s",
	    e.text);
	free(queue);
}

static void
discovered(size_t want)
{
	struct spools found = {0};
	struct err e = {0};

	ok(spool_postfix.discover(&found, &e) == 0 && found.n == want,
	    "%zu queues found %s", found.n, e.text);
	for (size_t i = 0; i < found.n; i++)
		ok(found.p[i].live && found.p[i].conf, "%s", found.p[i].dir);
	spools_free(&found);
}

int
main(void)
{
	const char *top = getenv("TMPDIR");
	char *bin, *path;
	struct buf with = {0};

	snprintf(tmp, sizeof tmp, "%s/tidegate.XXXXXX", top ? top : "/tmp");
	if (mkdtemp(tmp) == NULL)
		return 1;
	sh("cd \"$0\"; mkdir bin etc two bad q1 q2 copy none;"
	    "for q in q1 q2 copy; do mkdir $q/deferred $q/hold; done;"
	    "touch etc/main.cf two/main.cf bad/main.cf; ln -s q1 link");
	path = span_dup(span_of(getenv("PATH")));
	bin = at("bin");
	if (access("/usr/sbin/postconf", X_OK) != 0) {
		discovered(0);
		not_opened(NULL, FAULT_IO, "no Postfix queue");
		opened("copy", "copy", NULL);
	}
	buf_addf(&with, "%s:%s", bin, path);
	setenv("PATH", buf_str(&with), 1);
	script("bin/postconf", postconf);
	opened("q1", "q1", "etc");
	opened("q2", "q2", NULL);
	script("bin/postmulti", postmulti);
	opened(NULL, "q1", "etc");
	opened("q2", "q2", "two");
	opened("link", "q1", "etc");
	opened("two", "q2", "two");
	opened("copy", "copy", NULL);
	not_opened("none", FAULT_IO, "is no Postfix queue");
	not_opened("absent", FAULT_IO, "absent");
	not_opened("bad", FAULT_IO, "postconf: fatal");
	discovered(2);
	listings();
	sh("rm -rf \"$0\"");
	free(bin);
	free(path);
	buf_free(&with);
	return done_testing();
}
