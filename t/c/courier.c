/*
 * Courier's control file by tables: lines in any number and order, replies of several
 * lines, recipients who are done, damage, and lengths that only an enemy makes.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "../tap.h"
#include "spool/courier.h"

#define ID "0000000000262988.000000006B0469FA.000017B9"
#define FROM "ss@x\nfdns; localhost\n"
#define TOP FROM "M" ID "\n"
#define ONE "ra@y\nR\nN\n"
#define TWO ONE "rb@y\nR\nN\n"
#define SAYS " " ID " <s@x>"

static char dir[4096], file[5000], data[5000];

static void
say(struct buf *b, const struct message *m)
{
	buf_addf(b, "%s %s <%s> %lld@%lld", m->state == STATE_DONE ? "done" : "waits",
	    m->id, m->env.sender, (long long)m->attempts, (long long)m->last_attempt);
	if (m->next_attempt != 0)
		buf_addf(b, " next=%lld", (long long)m->next_attempt);
	if (m->note != NULL)
		buf_addf(b, " [%s]", m->note);
	if (m->env.body == BODY_8BITMIME)
		buf_adds(b, " 8bit");
	if (m->env.smtputf8)
		buf_adds(b, " utf8");
	if (m->env.ret)
		buf_addf(b, " ret=%d", (int)m->env.ret);
	if (m->env.envid != NULL)
		buf_addf(b, " id=%s", m->env.envid);
	for (size_t i = 0; i < m->env.rcpts.n; i++) {
		const struct rcpt *r = &m->env.rcpts.p[i];

		buf_addf(b, " %c%s", r->done ? '-' : '+', r->address);
		if (r->orcpt != NULL)
			buf_addf(b, "(%s)", r->orcpt);
		if (r->notify)
			buf_addf(b, "/%u", r->notify);
		if (r->reason != NULL)
			buf_addf(b, "[%s]", r->reason);
		if (r->status != NULL)
			buf_addf(b, "=%s", r->status);
	}
}

static const struct {
	const char *name, *text, *says;		/* says NULL: damaged */
} files[] = {
	{ "plain", TOP ONE "A5\n", "waits" SAYS " 0@0 next=5 +a@y" },
	{ "the null sender", "s\nM" ID "\n" ONE, "waits " ID " <> 0@0 +a@y" },
	{ "two senders: the last", TOP "st@x\n" ONE, "waits " ID " <t@x> 0@0 +a@y" },
	{ "lines that nobody knows", TOP "OX=1\nulocal\nUu\nTt\np1\nW2\nw\nVx\n\n\n" ONE "~\n",
	    "waits" SAYS " 0@0 +a@y" },
	{ "all that was asked for", TOP "eQ+2B1\ntH\n8\nm\nra@y\nRrfc822;o+2Bx@y\nNSD\nrb@y\nR\n"
	    "NN\nrc@y\nR\nNF\n", "waits" SAYS " 0@0 8bit utf8 ret=2 id=Q+1"
	    " +a@y(rfc822;o+x@y)/10 +b@y/1 +c@y/4" },
	{ "RET=FULL", TOP "tF\n" ONE, "waits" SAYS " 0@0 ret=1 +a@y" },
	{ "a RET that nobody knows", TOP "tX\n" ONE, "waits" SAYS " 0@0 +a@y" },
	{ "what is no xtext", TOP "eQ+zz\nra@y\nRrfc822;o+zz\nN\n", "waits" SAYS " 0@0 +a@y" },
	{ "ORCPT before anybody", TOP "Rrfc822;o@y\nNN\n" ONE, "waits" SAYS " 0@0 +a@y" },
	{ "octets over 0x7f", "s\xc3\xa4@x\nM" ID "\nr\xff@y\n", "waits " ID " <\xc3\xa4@x> 0@0 +\xff@y" },
	{ "addresses as they stand", TOP "rBob B<bob@y>\nrc@y (c)\nr\"a b\"@y\n",
	    "waits" SAYS " 0@0 +Bob B<bob@y> +c@y (c) +\"a b\"@y" },
	{ "the last time counts", TOP ONE "A5\nA6\n", "waits" SAYS " 0@0 next=6 +a@y" },
	{ "times that are none", TOP ONE "A5\nA\nAx\nA99999999999999999999\n",
	    "waits" SAYS " 0@0 next=5 +a@y" },

	{ "refused for now", TOP ONE "I0 P [h]\nI0 S RCPT TO:<a@y>\nI0 T smtp\nI0 R 451 4.2.1 x\n"
	    "D0 7\nC7\nA9\n", "waits" SAYS " 1@7 next=9 +a@y[451 4.2.1 x]=4.2.1" },
	{ "in several lines", TOP ONE "I0 S RCPT TO:<a@y>\nI0 R 451-4.2.1 x\nI0 R 451-4.2.1 y\n"
	    "I0 R 451 4.2.1 z\nD0 7\nC7\n",
	    "waits" SAYS " 1@7 +a@y[451-4.2.1 x 451-4.2.1 y 451 4.2.1 z]=4.2.1" },
	{ "two recipients at once", TOP TWO "I0 P [h]\nI1 P [h]\nI0 R 451-x\nI1 R 452-y\nI0 R 451 z\n"
	    "I1 R 452 w\nD1 7\nD0 8\nC8\n", "waits" SAYS " 1@8 +a@y[451-x 451 z] +b@y[452-y 452 w]" },
	{ "the reply to the last command", TOP ONE "I0 S MAIL\nI0 R 250 ok\nI0 S RCPT\nI0 R 451 no\n"
	    "D0 7\nC7\n", "waits" SAYS " 1@7 +a@y[451 no]" },
	{ "of the last host", TOP ONE "I0 P [g]\nI0 C refused\nI0 P [h]\nI0 C too late\nD0 7\nC7\n",
	    "waits" SAYS " 1@7 +a@y[too late]" },
	{ "no reply", TOP ONE "I0 P [g]\nI0 C Connection refused\nD0 7\nC7\n",
	    "waits" SAYS " 1@7 +a@y[Connection refused]" },
	{ "the last attempt", TOP ONE "I0 R 451 one\nD0 7\nC7\nI0 R 451 two\nD0 8\nC8\n",
	    "waits" SAYS " 2@8 +a@y[451 two]" },
	{ "one without a word", TOP ONE "I0 R 451 one\nD0 7\nC7\nD0 8\nC8\n", "waits" SAYS " 2@8 +a@y" },
	{ "under way", TOP ONE "I0 R 451 one\nD0 7\nC7\nI0 P [h]\nI0 R 451 two\n",
	    "waits" SAYS " 1@7 +a@y[451 one]" },
	{ "a line that is being added", TOP ONE "I0 R 451 one\nD0 7\nC7\nS0 8", "waits" SAYS
	    " 1@7 +a@y[451 one]" },
	{ "delivered, and put off", TOP TWO "I0 R 250 ok\nS0 7\nI1 R 451 x\nD1 7\nC7\n",
	    "waits" SAYS " 1@7 -a@y +b@y[451 x]" },
	{ "failed", TOP TWO "I0 R 550 5.1.1 no\nF0 7\nC7\n", "waits" SAYS " 1@7 -a@y +b@y" },
	{ "all done", TOP TWO "S0 7\nF1 8\nC8\n", "done" SAYS " 1@8 -a@y -b@y" },
	{ "who is done stays so", TOP TWO "S0 7\nI0 R 451 x\nD0 8\n", "waits" SAYS " 0@8 -a@y +b@y" },
	{ "cancelled", TOP ONE "Xroot\nx\n", "waits" SAYS " 0@0 [cancelled] +a@y" },
	{ "who is not there", TOP ONE "S1 7\nS-1 7\nS 7\nS0x 7\nS99999999999999999999 7\nD1 7\nI1 R x\n"
	    "I R x\nI0\nI0 \nI0 R\nI0 R \nS\nD\nF\nI\n", "waits" SAYS " 0@0 +a@y" },
	{ "done, and nobody knows when", TOP ONE "S0\n", "done" SAYS " 0@0 -a@y" },

	{ "no sender", "M" ID "\n" ONE, NULL },
	{ "no ID", FROM ONE, NULL },
	{ "no recipient", TOP, NULL },
	{ "one without an address", TOP ONE "r\n", NULL },
	{ "an ID that is none", FROM "M`reboot`\n" ONE, NULL },
	{ "an empty one", FROM "M\n" ONE, NULL },
	{ "one of one part", FROM "M0000000000262988\n" ONE, NULL },
	{ "one with more behind it", FROM "M" ID "\t1\n" ONE, NULL },
	{ "one that does not end", FROM "M" ID ".\n" ONE, NULL },
	{ "nothing", "", NULL },
};

static void
put(const char *path, struct span text)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fwrite(text.p, 1, text.n, f) != text.n || fclose(f) != 0)
		exit(1);
}

/* Reads the message with this control file. */
static int
reads(struct span text, struct message *m, struct err *e)
{
	struct spool s = { .kind = &spool_courier, .dir = dir };
	struct entry at = { .state = STATE_DEFERRED };
	int r;

	put(file, text);
	buf_adds(&at.ref, file);
	r = spool_courier.read(&s, &at, READ_REASONS, m, e);
	buf_free(&at.ref);
	return r;
}

static void
read_files(void)
{
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct message m = {0};
		struct buf said = {0};
		struct err e = {0};
		int r = reads(span_of(files[i].text), &m, &e);

		if (r == 1)
			say(&said, &m);
		is(r == 1 ? buf_str(&said) : NULL, files[i].says, files[i].name);
		if (files[i].says == NULL)
			ok(r == -1 && e.fault == FAULT_DATA && strstr(e.text, file) != NULL,
			    "%s: is damaged, and which", files[i].name);
		else if (r < 0)
			printf("# %s\n", e.text);
		buf_free(&said);
		message_free(&m);
	}
}

/* A NUL ends strings in C, and no address. */
static void
read_nul(void)
{
	static const struct span with[] = {
		{ TOP "ra@y\0.z\n", sizeof TOP "ra@y\0.z\n" - 1 },
		{ TOP "r\0\n", sizeof TOP "r\0\n" - 1 },
		{ TOP ONE "st\0@x\n", sizeof TOP ONE "st\0@x\n" - 1 },
		{ FROM "M" ID "\0x\n" ONE, sizeof FROM "M" ID "\0x\n" ONE - 1 },
	};

	for (size_t i = 0; i < sizeof with / sizeof *with; i++) {
		struct message m = {0};
		struct err e = {0};

		ok(reads(with[i], &m, &e) == -1 && e.fault == FAULT_DATA,
		    "NUL %zu: is damaged", i);
		message_free(&m);
	}
}

/* Lines of a megabyte, and very many of them. */
static void
read_long(void)
{
	struct message m = {0};
	struct buf text = {0}, x = {0};
	struct err e = {0};

	for (int i = 0; i < 1000000; i++)
		buf_addc(&x, 'x');
	buf_addf(&text, TOP "r%s@y\nR%s\nN%s\n", buf_str(&x), x.p, x.p);
	for (int i = 1; i < 100000; i++)
		buf_addf(&text, "rr%d@y\nR\nN\n", i);
	for (int i = 0; i < 10; i++)
		buf_addf(&text, "I7 R %s\n", x.p);
	for (int i = 0; i < 100000; i++)
		buf_addf(&text, "D%d 7\n", i);
	buf_addf(&text, "I99999 R 451 no\nD99999 8\n");
	if (ok(reads(buf_span(&text), &m, &e) == 1 && m.env.rcpts.n == 100000,
	    "100,000 recipients")) {
		ok(strlen(m.env.rcpts.p[0].address) == 1000002, "one of a megabyte");
		ok(strlen(m.env.rcpts.p[7].reason) == 10000009, "a reason of ten");
		is(m.env.rcpts.p[99999].reason, "451 no", "the reason of the last");
	}
	message_free(&m);
	buf_free(&text);
	buf_free(&x);
}

/* Without its text it is gone. */
static void
read_gone(void)
{
	struct message m = {0};
	struct err e = {0};

	unlink(data);
	ok(reads(SPAN(TOP ONE), &m, &e) == 0 && e.fault == FAULT_NONE,
	    "one whose text is not there is none");
	message_free(&m);
}

int
main(void)
{
	const char *top = getenv("TMPDIR");
	static const char *const subs[] = { "msgs", "msgs/0" };
	static char sub[2][4200];

	snprintf(dir, sizeof dir, "%s/tidegate-courier.XXXXXX", top != NULL ? top : "/tmp");
	if (mkdtemp(dir) == NULL)
		return 1;
	for (int i = 0; i < 2; i++) {
		snprintf(sub[i], sizeof sub[i], "%s/%s", dir, subs[i]);
		if (mkdir(sub[i], 0700) < 0)
			return 1;
	}
	snprintf(file, sizeof file, "%s/C2501000", sub[1]);
	snprintf(data, sizeof data, "%s/D2501000", sub[1]);
	put(data, SPAN("hi\n"));
	read_files();
	read_nul();
	read_long();
	read_gone();
	unlink(file);
	rmdir(sub[1]);
	rmdir(sub[0]);
	rmdir(dir);
	return done_testing();
}
