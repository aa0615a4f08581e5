/*
 * Exim's files by tables: every line of -H that means something, journals, logs
 * as Exim 4.96 wrote them, damage, and names that are no messages.
 */
#include <time.h>

#include "../tap.h"
#include "spool/exim.h"

#define ID "1xWVxK-0002qv-01"
#define TOP ID "-H\nann 0 0\n<s@x>\n7 0\n"
#define HEAD "\n020  Subject: 0123456789\n"
#define ONE "XX\n1\na@Y.test\n" HEAD

static void
say(struct buf *b, const struct message *m, const struct exim_header *h)
{
	buf_addf(b, "%lld <%s>", (long long)m->arrival, m->env.sender);
	if (h->frozen)
		buf_addf(b, " frozen=%lld", (long long)h->frozen_at);
	if (h->wireformat)
		buf_adds(b, " wire");
	if (m->env.smtputf8)
		buf_adds(b, " utf8");
	if (m->env.envid != NULL)
		buf_addf(b, " id=%s", m->env.envid);
	if (m->env.ret)
		buf_addf(b, " ret=%d", (int)m->env.ret);
	for (size_t i = 0; i < m->env.rcpts.n; i++) {
		const struct rcpt *r = &m->env.rcpts.p[i];

		buf_addf(b, " %c%s", r->done ? '-' : '+', r->address);
		if (r->orcpt != NULL)
			buf_addf(b, "(%s)", r->orcpt);
		if (r->notify)
			buf_addf(b, "/%u", r->notify);
	}
	buf_addf(b, " %lld", (long long)h->octets);
}

/* ---- -H and -J ---- */

static const struct {
	const char *name, *text, *journal, *says;	/* says NULL: damaged */
} files[] = {
	{ "plain", TOP ONE, "", "7 <s@x> +a@Y.test 20" },
	{ "the null sender", ID "-H\nann 0 0\n<>\n7 0\n" ONE, "", "7 <> +a@Y.test 20" },
	{ "a sender with blanks and quotes", ID "-H\na b 0 -1\n<\"o >dd\"@x>\n7 1\n" ONE, "",
	    "7 <\"o >dd\"@x> +a@Y.test 20" },
	{ "frozen", TOP "-frozen 99\n" ONE, "", "7 <s@x> frozen=99 +a@Y.test 20" },
	{ "options that nobody knows", TOP "-new_thing\n-other 1 2\n" ONE, "",
	    "7 <s@x> +a@Y.test 20" },
	{ "values from outside", TOP "--helo_name -x\n--(pgsql)dsn_envid Q+2B\n" ONE, "",
	    "7 <s@x> id=Q+ +a@Y.test 20" },
	{ "an ENVID that is no xtext", TOP "-dsn_envid Q+zz\n" ONE, "",
	    "7 <s@x> +a@Y.test 20" },
	{ "RET and SMTPUTF8", TOP "-dsn_ret 2\n-smtputf8\n-spool_file_wireformat\n" ONE, "",
	    "7 <s@x> wire utf8 ret=2 +a@Y.test 20" },
	{ "a variable of what looks like the rest", TOP "-aclm 0 9\n-frozen 1\n" ONE, "",
	    "7 <s@x> +a@Y.test 20" },
	{ "one with XX and line ends", TOP "--aclc _n 6\nXX\n1\nz\n" ONE, "",
	    "7 <s@x> +a@Y.test 20" },
	{ "one with a lookup's name", TOP "--(ldap)aclm x 3\nXX\n\n" ONE, "",
	    "7 <s@x> +a@Y.test 20" },
	{ "an old one", TOP "-acl 3 1\nx\n" ONE, "", "7 <s@x> +a@Y.test 20" },
	{ "an empty one", TOP "-aclm 0 0\n\n" ONE, "", "7 <s@x> +a@Y.test 20" },
	{ "one longer than the file", TOP "-aclm 0 999\nx\n" ONE, "", NULL },
	{ "one of another length", TOP "-aclm 0 1\nxx\n" ONE, "", NULL },
	{ "one without a length", TOP "-aclm\nx\n" ONE, "", NULL },
	{ "one of less than nothing", TOP "-aclm 0 -1\nx\n" ONE, "", NULL },
	{ "one as long as all that is left", TOP "-aclm 0 0\n", "", NULL },
	{ "one that swallows the rest", TOP "-aclm 0 45\nx\n" ONE, "", NULL },
	{ "one that ends in what looks like another", TOP "-aclm 0 11\n-aclm 9 999\n" ONE, "",
	    "7 <s@x> +a@Y.test 20" },
	{ "one after another", TOP "-aclc 0 1\n\n\n-aclm_x y 2\n--aclm 9 1\nX\n-frozen 8\n" ONE, "",
	    "7 <s@x> frozen=8 +a@Y.test 20" },
	{ "one with a name of two words", TOP "-aclm a b 2\nXX\n" ONE, "",
	    "7 <s@x> +a@Y.test 20" },
	{ "what begins as one, and is none", TOP "-aclmnop 0 9\n" ONE, "",
	    "7 <s@x> +a@Y.test 20" },
	{ "dashes alone", TOP "-\n--\n---\n--(\n--()\n--(x\n" ONE, "",
	    "7 <s@x> +a@Y.test 20" },
	{ "a value from outside that says it is frozen", TOP "--helo_name -frozen 1\n" ONE, "",
	    "7 <s@x> +a@Y.test 20" },
	{ "frozen at no time", TOP "-frozen x\n" ONE, "", "7 <s@x> frozen=0 +a@Y.test 20" },
	{ "one whose length is no number", TOP "-aclm 0 9999999999999999999999\nx\n" ONE, "", NULL },

	{ "done in the tree, domains in either case", TOP "NN a@y.test\n1\na@Y.test\n" HEAD, "",
	    "7 <s@x> -a@Y.test 20" },
	{ "local parts to the letter", TOP "NN A@y.test\n1\na@Y.test\n" HEAD, "",
	    "7 <s@x> +a@Y.test 20" },
	{ "a tree of three", TOP "YY m@y\nNN a@y\nNN z@y\n4\na@y\nb@y\nm@y\nz@y\n" HEAD, "",
	    "7 <s@x> -a@y +b@y -m@y -z@y 20" },
	{ "a tree that ends early", TOP "YY m@y\nNN a@y\n1\na@y\n" HEAD, "", NULL },
	{ "a tree that is none", TOP "YX m@y\n1\na@y\n" HEAD, "", NULL },
	{ "children in the tree", TOP "NY kid@y\nNN |/bin/x\n1\na@y\n" HEAD, "",
	    "7 <s@x> +a@y 20" },
	{ "done in the journal", TOP "XX\n2\na@Y.test\nb@y\n" HEAD, "a@y.test\n",
	    "7 <s@x> -a@Y.test +b@y 20" },
	{ "a line that was being written", TOP "XX\n2\na@y\nb@y\n" HEAD, "b@y\na@y",
	    "7 <s@x> +a@y -b@y 20" },
	{ "both", TOP "NN a@y\n3\na@y\nb@y\nc@y\n" HEAD, "c@y\n",
	    "7 <s@x> -a@y +b@y -c@y 20" },

	{ "ORCPT and NOTIFY", TOP "XX\n1\na@y rfc822;o+2Bx@y 14,8  0,-1#3\n" HEAD, "",
	    "7 <s@x> +a@y(rfc822;o+x@y)/4 20" },
	{ "never", TOP "XX\n1\na@y  0,2  0,-1#3\n" HEAD, "", "7 <s@x> +a@y/1 20" },
	{ "one_time, with its errors-to", TOP "XX\n1\na@y e@z 3,0#1\n" HEAD, "",
	    "7 <s@x> +a@y 20" },
	{ "an address with blanks", TOP "XX\n1\n\"a b\"@y  0,4 e@z 3,2#3\n" HEAD, "",
	    "7 <s@x> +\"a b\"@y/2 20" },
	{ "one that ends like the rest", TOP "XX\n1\n\"a 1,2#3\"@y\n" HEAD, "",
	    "7 <s@x> +\"a 1,2#3\"@y 20" },
	{ "of early releases", TOP "XX\n2\na@y 0\nb@y 0,-1,0\n" HEAD, "",
	    "7 <s@x> +a@y +b@y 20" },
	{ "of Exim 3, each with a one_time parent", TOP "XX\n3\na@y 2,7,0\n\"b c\"@y 0,0,-1\nd@y -1\n" HEAD, "",
	    "7 <s@x> +a@y +\"b c\"@y +d@y 20" },
	{ "a number of itself", TOP "XX\n1\n12\n" HEAD, "", "7 <s@x> +12 20" },
	{ "a bit that nobody knows", TOP "XX\n1\na@y#8\n" HEAD, "", "7 <s@x> +a@y#8 20" },
	{ "lengths of less than nothing", TOP "XX\n1\na@y e@z -1,0#1\n" HEAD, "", NULL },
	{ "a length of everything", TOP "XX\n1\na@y 4,0#1\n" HEAD, "", NULL },
	{ "options of no such length", TOP "XX\n1\na@y e@z 99,0#1\n" HEAD, "", NULL },
	{ "no address", TOP "XX\n1\n\n" HEAD, "", NULL },
	{ "fewer than it says", TOP "XX\n2\na@y\n" HEAD, "", NULL },
	{ "more than it says", TOP "XX\n1\na@y\nb@y\n" HEAD, "", NULL },
	{ "more than anybody has", TOP "XX\n99999999\na@y\n" HEAD, "", NULL },
	{ "none", TOP "XX\n0\n" HEAD, "", "7 <s@x> 20" },

	{ "fields that are gone", TOP "XX\n1\na@y\n\n003* a\n\n004  b:\n\n", "",
	    "7 <s@x> +a@y 4" },
	{ "a long one", TOP "XX\n1\na@y\n\n0004F b:\n\n", "", "7 <s@x> +a@y 4" },
	{ "no header at all", TOP "XX\n1\na@y\n\n", "", "7 <s@x> +a@y 0" },
	{ "one cut off", TOP "XX\n1\na@y\n\n020  Subject", "", NULL },
	{ "one without a length", TOP "XX\n1\na@y\n\nSubject: x\n", "", NULL },

	{ "nothing", "", "", NULL },
	{ "the name of another", "1xWVxK-0002qv-02-H\nann 0 0\n<>\n7 0\n" ONE, "", NULL },
	{ "more behind its name", ID "-H-H\nann 0 0\n<>\n7 0\n" ONE, "", NULL },
	{ "an ID that goes on", ID "23-H\nann 0 0\n<>\n7 0\n" ONE, "", NULL },
	{ "no sender", ID "-H\nann 0 0\ns@x\n7 0\n" ONE, "", NULL },
	{ "no time", ID "-H\nann 0 0\n<>\nx 0\n" ONE, "", NULL },
	{ "options alone", TOP "-frozen 1\n", "", NULL },
};

static void
read_files(void)
{
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct message m = { .id = span_dup(SPAN(ID)) };
		struct exim_header h;
		struct buf said = {0};
		struct err e = {0};
		int r = exim_parse(&h, span_of(files[i].text),
		    span_of(files[i].journal), &m, &e);

		if (r == 0)
			say(&said, &m, &h);
		is(r == 0 ? buf_str(&said) : NULL, files[i].says, files[i].name);
		if (r < 0 && files[i].says == NULL)
			ok(e.fault == FAULT_DATA, "%s: is damaged", files[i].name);
		else if (r < 0)
			printf("# %s\n", e.text);
		buf_free(&said);
		message_free(&m);
	}
}

/* An ID of 4.97 or later is as long as its file's name says, no more and no less. */
static void
read_long_id(void)
{
	static const struct { const char *id, *first; bool good; } rows[] = {
		{ "1xWVxK-00000002qvA-01Zz", "1xWVxK-00000002qvA-01Zz-H", true },
		{ "1xWVxK-00000002qvA-01Zz", "1xWVxK-00000002qvA-01Z-H", false },
		{ "1xWVxK-00000002qvA-01Zz", ID "-H", false },
		{ ID, "1xWVxK-00000002qvA-01Zz-H", false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct message m = { .id = span_dup(span_of(rows[i].id)) };
		struct exim_header h;
		struct buf text = {0};
		struct err e = {0};

		buf_addf(&text, "%s\nann 0 0\n<s@x>\n7 0\n" ONE, rows[i].first);
		ok((exim_parse(&h, buf_span(&text), (struct span){0}, &m, &e) == 0) ==
		    rows[i].good, "%s in the file of %s", rows[i].first, rows[i].id);
		buf_free(&text);
		message_free(&m);
	}
}

/* A tree as deep as it is long takes no stack. */
static void
read_deep(void)
{
	struct message m = { .id = span_dup(SPAN(ID)) };
	struct exim_header h;
	struct buf text = {0};
	struct err e = {0};

	buf_adds(&text, TOP);
	for (int i = 0; i < 300000; i++)
		buf_addf(&text, "YN %d@y\n", i);
	buf_adds(&text, "NN z@y\n2\n7@y\nq@y\n" HEAD);
	ok(exim_parse(&h, buf_span(&text), (struct span){0}, &m, &e) == 0 &&
	    m.env.rcpts.p[0].done && !m.env.rcpts.p[1].done,
	    "a tree of one branch, 300,000 deep");
	buf_free(&text);
	message_free(&m);
}

/* ---- the log ---- */

#define D "2026-11-26 13:27:1"
#define RECEIVED D "6 Received from <> U=root P=local S=266\n"
#define SMTP "SMTP error from remote mail server after RCPT TO:<a@y>: "
#define H "H=h [192.0.2.1]"

/* a@y and b@y are there; TZ is UTC, D is at 1795699630 */
static const struct {
	const char *name, *log;
	const char *a, *b;	/* reasons */
	int attempts;
	long long last;		/* seconds after D; 0 none */
} logs[] = {
	{ "nothing yet", RECEIVED, NULL, NULL, 0, 0 },
	{ "no log", "", NULL, NULL, -1, 0 },
	{ "refused for now", RECEIVED D "7 " H " " SMTP "451 4.2.1 later\n"
	    D "7 a@y R=r T=t defer (-44) " H ": " SMTP "451 4.2.1 later\n",
	    H ": " SMTP "451 4.2.1 later", NULL, 1, 7 },
	{ "three runs in three seconds", RECEIVED D "6 a@y R=r T=t defer (111): one\n"
	    D "6 b@y R=r T=t defer (111): one\n" D "7 b@y R=r T=t defer (111): two\n"
	    D "7 a@Y R=r T=t defer (111): two\n" D "8 a@y R=r T=t defer (111): three\n",
	    "three", "two", 3, 8 },
	{ "milliseconds and a zone", D "6.110 +0000 Received from s@x\n"
	    D "8.913 +0100 a@y R=r defer (-1) DT=0.001s: why\n", "why", NULL, 1, 8 - 3600 },
	{ "a zone in the west", D "6 -0330 Received from s@x\n"
	    D "8 -0330 a@y R=r defer (-1): why\n", "why", NULL, 1, 8 + 12600 },
	{ "of a child", RECEIVED D "7 kid@z <a@y> R=r T=t defer (111): why\n"
	    D "7 kid2@z <a@y> R=r T=t defer (111): why\n", "why", NULL, 1, 7 },
	{ "of a grandchild", RECEIVED D "7 k@z (j@z, i@z) <a@y> R=r T=t defer (111): why\n",
	    "why", NULL, 1, 7 },
	{ "of a pipe", RECEIVED D "7 |/bin/false <a@y> R=r T=pipe defer (0): 1 from\n",
	    "1 from", NULL, 1, 7 },
	{ "one child has it", RECEIVED D "7 kid@z <a@y>: t transport succeeded\n",
	    NULL, NULL, 0, 0 },
	{ "in a queue with a name", RECEIVED D "7 a@y Q=slow R=r T=t defer (111): why\n",
	    "why", NULL, 1, 7 },
	{ "its domain is held", RECEIVED D "7 a@y defer (-23): domain is held\n",
	    "domain is held", NULL, 0, 0 },
	{ "only routed at first, in several releases' words", RECEIVED
	    D "7 a@y R=r T=t defer (-1): first-pass only routing due to -odqs, queue_smtp_domains or control=queue\n"
	    D "7 b@y R=r T=t defer (-1): domain matches queue_smtp_domains, or -odqs set\n",
	    "first-pass only routing due to -odqs, queue_smtp_domains or control=queue",
	    "domain matches queue_smtp_domains, or -odqs set", 0, 0 },
	{ "its domain is queued", RECEIVED
	    D "7 a@y routing defer (-56): domain is in queue_domains\n",
	    "domain is in queue_domains", NULL, 0, 0 },
	{ "a remote host says that it is held", RECEIVED
	    D "7 a@y R=r T=t defer (-44) " H ": " SMTP "451 domain is held\n",
	    H ": " SMTP "451 domain is held", NULL, 1, 7 },
	{ "not yet time, and never was", RECEIVED
	    D "7 a@y R=r T=t defer (-54): retry time not reached for any host for 'y'\n",
	    "retry time not reached for any host for 'y'", NULL, 0, 0 },
	{ "not yet time is no reason while there is another", RECEIVED
	    D "6 a@y R=r T=t defer (111): Connection refused\n"
	    D "7 a@y R=r T=t defer (-54): retry time not reached for any host for 'y'\n",
	    "Connection refused", NULL, 1, 6 },
	{ "and time then", RECEIVED
	    D "6 a@y R=r T=t defer (-54): retry time not reached for any host for 'y'\n"
	    D "7 a@y R=r T=t defer (111): Connection refused\n",
	    "Connection refused", NULL, 1, 7 },
	{ "a bounce that was refused", RECEIVED D "7 " H " " SMTP "550 5.1.1 nobody\n"
	    D "7 a@y R=r T=t " H ": " SMTP "550 5.1.1 nobody\n*** Frozen (delivery error message)\n",
	    H ": " SMTP "550 5.1.1 nobody", NULL, 1, 7 },
	{ "the same with all that can be logged", RECEIVED
	    D "7 a@y F=<o dd@z> P=<> R=r T=t " H ":25 I=[192.0.2.2]:1: " SMTP "550 no DT=0.0s\n",
	    H ":25 I=[192.0.2.2]:1: " SMTP "550 no DT=0.0s", NULL, 1, 7 },
	{ "a router says no", RECEIVED D "7 a@y F=<> R=failing: nobody here\n",
	    "nobody here", NULL, 1, 7 },
	{ "no router says anything", RECEIVED
	    D "7 routing failed for a@y F=<>: Unrouteable address\n",
	    "Unrouteable address", NULL, 1, 7 },
	{ "of somebody else", RECEIVED D "7 aa@y R=r T=t defer (111): why\n"
	    D "7 a@yy R=r T=t defer (111): why\n", NULL, NULL, 0, 0 },
	{ "no line of Exim's", RECEIVED "a@y R=r T=t defer (111): why\n"
	    "2026-11-26 a@y R=r T=t defer (111): why\n", NULL, NULL, 0, 0 },
	{ "a subject that looks like a line", D "6 Received from <> S=1 T=\"x <b@y> defer (1): lie\"\n"
	    D "7 a@y R=r T=t defer (111): why\n", "why", NULL, 1, 7 },
	{ "a reply that looks like one", RECEIVED
	    D "7 " H " " SMTP "451 <b@y> R=r T=t defer (1): lie\n"
	    D "7 a@y R=r T=t defer (-44) " H ": " SMTP "451 <b@y> R=r T=t defer (1): lie\n",
	    H ": " SMTP "451 <b@y> R=r T=t defer (1): lie", NULL, 1, 7 },
	{ "a last line that does not end", RECEIVED D "7 a@y R=r T=t defer (111): w",
	    "w", NULL, 1, 7 },
};

static void
read_logs(void)
{
	for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
		const char *name = logs[i].name;
		struct message m = { .attempts = -1 };

		envelope_add(&m.env, span_dup(SPAN("a@y")));
		envelope_add(&m.env, span_dup(SPAN("b@y")));
		exim_log_read(&m, span_of(logs[i].log), true);
		is(m.env.rcpts.p[0].reason, logs[i].a, name);
		is(m.env.rcpts.p[1].reason, logs[i].b, name);
		if (!ok(m.attempts == logs[i].attempts && m.last_attempt ==
		    (logs[i].last != 0 ? 1795699630 + logs[i].last : 0),
		    "%s: attempts and the last", name))
			printf("# %lld, %lld\n", (long long)m.attempts,
			    (long long)m.last_attempt);
		message_free(&m);
	}
}

/* One message of these recipients and this log. */
static struct message
told(const char *a, const char *b, const char *log, bool whole)
{
	struct message m = { .attempts = -1, .note = span_dup(SPAN("frozen")) };

	envelope_add(&m.env, span_dup(span_of(a)));
	envelope_add(&m.env, span_dup(span_of(b)));
	exim_log_read(&m, span_of(log), whole);
	return m;
}

static void
read_more_of_logs(void)
{
	struct message m = told("a@y", "b@y", RECEIVED D "7 a@y R=r T=t " H ": " SMTP
	    "550 5.1.1 nobody\n*** Frozen (delivery error message)\n", true);

	is(m.note, "frozen (delivery error message)", "why it is frozen");
	is(m.env.rcpts.p[0].status, "5.1.1", "the status of a refusal");
	message_free(&m);
	m = told("a@y", "b@y", D "9 a@y R=r T=t defer (111): Connection refused\n", false);
	ok(m.attempts == -1, "nobody knows how many in a log without its beginning");
	is(m.env.rcpts.p[0].status, NULL, "a reason without a status has none");
	message_free(&m);
	m = told("a@y", "a@Y", D "9 a@y R=r T=t defer (111): why\n", true);
	is(m.env.rcpts.p[0].reason, "why", "one that is there twice");
	is(m.env.rcpts.p[1].reason, "why", "hears it twice");
	message_free(&m);
	m = told("\"a b\"@y", "postmaster", D "8 a b@y <\"a b\"@y> R=r defer (1): why\n"
	    D "9 postmaster R=r defer (1): too\n", true);
	is(m.env.rcpts.p[0].reason, "why", "one in quotes");
	is(m.env.rcpts.p[1].reason, "too", "one without a domain");
	message_free(&m);
}

/* As many recipients and lines as a local user can make. */
static void
read_many(void)
{
	struct message m = { .attempts = -1 };
	struct buf log = {0};

	for (int i = 0; i < 100000; i++) {
		struct buf a = {0};

		buf_addf(&a, "r%d@y.test", i % 50000);
		envelope_add(&m.env, span_dup(buf_span(&a)));
		buf_free(&a);
	}
	for (int i = 0; i < 5000; i++)
		buf_addf(&log, D "9 r%d@y.test R=r defer (1): %d\n", i / 10 * 100, i);
	exim_log_read(&m, buf_span(&log), true);
	is(m.env.rcpts.p[100].reason, "19", "a reason among 100,000 recipients");
	is(m.env.rcpts.p[50100].reason, "19", "and where it is there again");
	is(m.env.rcpts.p[101].reason, NULL, "and no other");
	ok(m.attempts == 10, "ten attempts");
	buf_free(&log);
	message_free(&m);
}

/* Summer time: the hour of the log is the one on the wall. */
static void
read_local(void)
{
	struct message m;

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	m = told("a@y", "b@y", "2026-01-15 12:00:00 a@y R=r defer (1): w\n", true);
	ok(m.last_attempt == 1768474800, "in winter");
	message_free(&m);
	m = told("a@y", "b@y", "2026-07-15 12:00:00 a@y R=r defer (1): w\n", true);
	ok(m.last_attempt == 1784109600, "in summer");
	message_free(&m);
	setenv("TZ", "UTC", 1);
	tzset();
}

/* ---- names ---- */

static const struct { const char *name; size_t n; } names[] = {
	{ "1xWVxK-0002qv-01", 16 }, { "1xWVxK-0002qv-01-H", 16 },
	{ "1xWVxK-00000002qvA-01Zz", 23 }, { "1xWVxK-00000002qvA-01Zz-H", 23 },
	{ "", 0 }, { "1xWVxK", 0 }, { "1xWVxK-0002qv-0", 0 }, { "1xWVxK-0002qv-012", 0 },
	{ "1xWVxK-0002qvx-01", 0 }, { "1xWVxK-00000002qvA-01", 0 },
	{ "1xWVxK-00000002qvA-01Zzz", 0 }, { "1xWV.K-0002qv-01", 0 },
	{ "1xWVxK_0002qv_01", 0 }, { "../../-0002qv-01", 0 }, { "1xWV\nK-0002qv-01", 0 },
	{ "hdr.1xWVxK-0002qv-01", 0 }, { "1xWV\xc3\xa4-0002qv-01", 0 },
};

static void
read_names(void)
{
	struct buf b = {0};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		ok(exim_id(names[i].name) == names[i].n, "name %zu is %s", i,
		    names[i].n > 0 ? "an ID" : "none");
	exim_beside(&b, "/s/input/" ID "-H", "msglog");
	is(buf_str(&b), "/s/msglog/" ID, "the log, flat");
	buf_clear(&b);
	exim_beside(&b, "/s/q/input/K/" ID "-H", "msglog");
	is(buf_str(&b), "/s/q/msglog/K/" ID, "the log, split, of a queue with a name");
	buf_clear(&b);
	exim_beside(&b, "/s/Finput/" ID "-H", "msglog");
	is(buf_str(&b), "/s/Fmsglog/" ID, "the log of one that was moved");
	buf_clear(&b);
	exim_beside(&b, "/xt/" ID "-H", "msglog");
	is(buf_str(&b), "", "none where there is no input");
	exim_beside(&b, "/s/input/K/" ID "-H", "J");
	is(buf_str(&b), "/s/input/K/" ID "-J", "the journal");
	buf_free(&b);
}

int
main(void)
{
	setenv("TZ", "UTC", 1);
	read_files();
	read_long_id();
	read_deep();
	read_logs();
	read_more_of_logs();
	read_many();
	read_local();
	read_names();
	return done_testing();
}
