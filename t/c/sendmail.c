/*
 * Sendmail's qf by tables: lines that may stand there more than once, flags, folded
 * lines, addresses as people write them, octets over 0x7f, damage, and lengths that
 * only an enemy makes.
 */
#include <sys/resource.h>

#include "../tap.h"
#include "spool/sendmail.h"

#define TOP "V8\nT7\nK5\nN2\nP30031\n"
#define FROM "S<s@x>\n"
#define TO "RPFD:<a@y>\n"
#define END "H??Subject: x\n.\n"

static void
say(struct buf *b, const struct message *m, const struct sm_file *f)
{
	buf_addf(b, "%lld <%s>", (long long)m->arrival, m->env.sender);
	if (m->attempts >= 0)
		buf_addf(b, " %lld@%lld", (long long)m->attempts,
		    (long long)m->last_attempt);
	if (m->note != NULL)
		buf_addf(b, " [%s]", m->note);
	if (m->env.body != BODY_UNKNOWN)
		buf_adds(b, m->env.body == BODY_7BIT ? " 7bit" : " 8bit");
	if (m->env.smtputf8)
		buf_adds(b, " utf8");
	if (m->env.ret)
		buf_addf(b, " ret=%d", (int)m->env.ret);
	if (m->env.envid != NULL)
		buf_addf(b, " id=%s", m->env.envid);
	if (f->df.n > 0)
		buf_addf(b, " df=%.*s", (int)f->df.n, f->df.p);
	for (size_t i = 0; i < m->env.rcpts.n; i++) {
		const struct rcpt *r = &m->env.rcpts.p[i];

		buf_addf(b, " +%s", r->address);
		if (r->orcpt != NULL)
			buf_addf(b, "(%s)", r->orcpt);
		if (r->notify)
			buf_addf(b, "/%u", r->notify);
		if (r->reason != NULL)
			buf_addf(b, "[%s]", r->reason);
		if (r->status != NULL)
			buf_addf(b, "=%s", r->status);
	}
	if (!f->ended)
		buf_adds(b, " open");
}

static const struct {
	const char *name, *text, *says;		/* says NULL: damaged */
} files[] = {
	{ "plain", TOP FROM TO END, "7 <s@x> 2@5 +a@y" },
	{ "never tried", "V8\nT7\nK0\nN0\n" FROM TO END, "7 <s@x> 0@0 +a@y" },
	{ "without a number of tries", "V8\nT7\n" FROM TO END, "7 <s@x> +a@y" },
	{ "the last number counts", TOP "N3\nK6\nN4\n" FROM TO END, "7 <s@x> 4@6 +a@y" },
	{ "lines that nobody knows", TOP "I8/1/2\n$_me\n${daemon_flags}c u\n!1 2\nAs@x\nL5\n"
	    FROM TO "Yes\n" END, "7 <s@x> 2@5 +a@y" },
	{ "of the first version", "T7\nSs@x\nRa@y\n" END, "7 <s@x> +a@y" },
	{ "of the next", "V9\nT7\n" FROM TO END, NULL },
	{ "a time that is none", "V8\nTsoon\n" FROM TO END, NULL },
	{ "one beyond all numbers", "V8\nT99999999999999999999\n" FROM TO END, NULL },
	{ "tries beyond all numbers", "V8\nT7\nN99999999999999999999\n" FROM TO END, NULL },
	{ "no time", "V8\n" FROM TO END, NULL },
	{ "no sender", TOP TO END, NULL },
	{ "no recipient any more", TOP FROM END, "7 <s@x> 2@5" },

	{ "another directory", TOP "d/q/df\n" FROM TO END, "7 <s@x> 2@5 df=/q/df +a@y" },
	{ "two: the last", TOP "d/q/1\nd/q/2\n" FROM TO END, "7 <s@x> 2@5 df=/q/2 +a@y" },

	{ "the null sender", TOP "S<>\n" TO END, "7 <> 2@5 +a@y" },
	{ "by its name", TOP "SMAILER-DAEMON\n" TO END, "7 <> 2@5 +a@y" },
	{ "two senders: the last", TOP FROM "S<t@x>\n" TO END, "7 <t@x> 2@5 +a@y" },
	{ "a sender with his name", TOP "SAnn A <ann@x>\n" TO END, "7 <ann@x> 2@5 +a@y" },
	{ "a sender with octets over 0x7f", TOP "S<\xc3\xa4\xff@x>\n" TO END,
	    "7 <\xc3\xa4\xff@x> 2@5 +a@y" },
	{ "a local one", TOP "Sann\n" TO END, "7 <ann> 2@5 +a@y" },

	{ "all flags", TOP FROM "RPNSFD:<a@y>\nRPNF:<b@y>\nRNDAB:<c@y>\n" END,
	    "7 <s@x> 2@5 +a@y/14 +b@y/4 +c@y/8" },
	{ "NOTIFY=NEVER", TOP FROM "RPN:<a@y>\n" END, "7 <s@x> 2@5 +a@y/1" },
	{ "Sendmail's own choice is nobody's wish", TOP FROM "RPFD:<a@y>\n" END,
	    "7 <s@x> 2@5 +a@y" },
	{ "no flags", TOP FROM "R:<a@y>\n" END, "7 <s@x> 2@5 +a@y" },
	{ "colons and quotes", TOP FROM "RPFD:<\"N: b@c <d>\"@y>\n" END,
	    "7 <s@x> 2@5 +\"N: b@c <d>\"@y" },
	{ "an address literal", TOP FROM "RPFD:<u@[IPv6:::1]>\n" END,
	    "7 <s@x> 2@5 +u@[IPv6:::1]" },
	{ "the same without brackets and flags", "T7\n" FROM "Ru@[IPv6:::1]\n" END,
	    "7 <s@x> +u@[IPv6:::1]" },
	{ "with a name", TOP FROM "RPFD:Bob B <bob@y>\n" END, "7 <s@x> 2@5 +bob@y" },
	{ "with one in quotes", TOP FROM "RPFD:\"<b, \\\"c\" <bob@y>\n" END,
	    "7 <s@x> 2@5 +bob@y" },
	{ "with a comment", TOP FROM "RPFD:c@y (C: <x@z> (\\)))\n" END, "7 <s@x> 2@5 +c@y" },
	{ "with one in front", TOP FROM "RPFD:(C) c@y\n" END, "7 <s@x> 2@5 +c@y" },
	{ "quotes without brackets", TOP FROM "RPFD:\"a:b <c> (d)\"@y\n" END,
	    "7 <s@x> 2@5 +\"a:b <c> (d)\"@y" },
	{ "a route", TOP FROM "RPFD:<@r1,@r2:dora@y>\n" END, "7 <s@x> 2@5 +dora@y" },
	{ "local ones", TOP FROM "RPFD:bob\nRPFDA:\"|/bin/p a\"\nRPFD:/var/f\nRPFD:x!y\n" END,
	    "7 <s@x> 2@5 +bob +\"|/bin/p a\" +/var/f +x!y" },
	{ "brackets that do not end", TOP FROM "RPFD:<a@y\n" END, "7 <s@x> 2@5 +<a@y" },
	{ "quotes that do not end", TOP FROM "RPFD:\"a <b@y>\n" END, "7 <s@x> 2@5 +\"a <b@y>" },
	{ "no address", TOP FROM "RPFD:\n" END, NULL },
	{ "brackets without one", TOP FROM "RPFD:<>\n" END, NULL },
	{ "a comment without one", TOP FROM "RPFD: (x)\n" END, NULL },
	{ "nothing at all", TOP FROM "R\n" END, NULL },
	{ "one of two lines", TOP FROM "RPFD:<a@y>\n\t<b@y>\n" END, NULL },
	{ "a sender of two lines", TOP "S<s@x>\n x\n" TO END, NULL },

	{ "controlling users change nothing", TOP FROM "Cann\n" TO "C:bob\nRPFD:<b@y>\nC\n"
	    "RPFD:<c@y>\n" END, "7 <s@x> 2@5 +a@y +b@y +c@y" },
	{ "ORCPT is for the next one", TOP FROM "Qrfc822;o+2Bx@y\n" TO "RPFD:<b@y>\n" END,
	    "7 <s@x> 2@5 +a@y(rfc822;o+x@y) +b@y" },
	{ "two: the last", TOP FROM "Qrfc822;1@y\nQrfc822;2@y\n" TO END,
	    "7 <s@x> 2@5 +a@y(rfc822;2@y)" },
	{ "one that is no xtext", TOP FROM "Qrfc822;1@y\nQx+zz\n" TO END, "7 <s@x> 2@5 +a@y" },
	{ "with all the others", TOP FROM "Mwhy\nCann\nQrfc822;o@y\nrRFC822; a@y\nRPN:<a@y>\n"
	    "RPFD:<b@y>\n" END, "7 <s@x> 2@5 +a@y(rfc822;o@y)/1[why] +b@y" },

	{ "a reason for all", TOP "Mall 451 4.2.1 x\n" FROM TO "RPFD:<b@y>\n" END,
	    "7 <s@x> 2@5 [all 451 4.2.1 x] +a@y[all 451 4.2.1 x]=4.2.1"
	    " +b@y[all 451 4.2.1 x]=4.2.1" },
	{ "one of his own", TOP "Mall\n" FROM "Mhis\n" TO "RPFD:<b@y>\n" END,
	    "7 <s@x> 2@5 [all] +a@y[his] +b@y[all]" },
	{ "two: the last", TOP "M1\nM2\n" FROM "M3\nM4\n" TO "M5\nRPFD:<b@y>\nM6\n" END,
	    "7 <s@x> 2@5 [2] +a@y[4] +b@y[5]" },
	{ "octets over 0x7f", TOP "M\xff\xe4\n" FROM TO END, "7 <s@x> 2@5 [\xff\xe4] +a@y[\xff\xe4]" },
	{ "a quarantine", TOP "qspam?\n" FROM TO END, "7 <s@x> 2@5 [spam?] +a@y" },
	{ "two, and a reason", TOP "Mall\nqone\n" FROM TO "qtwo\n" END,
	    "7 <s@x> 2@5 [two] +a@y[all]" },
	{ "a quarantine without a reason", TOP "q\n" FROM TO END, "7 <s@x> 2@5 [] +a@y" },

	{ "8BITMIME", TOP "B8BITMIME\nF8\n" FROM TO END, "7 <s@x> 2@5 8bit +a@y" },
	{ "its flag alone", TOP "F8bs\n" FROM TO END, "7 <s@x> 2@5 8bit +a@y" },
	{ "7BIT", TOP "B7BIT\n" FROM TO END, "7 <s@x> 2@5 7bit +a@y" },
	{ "RET and SMTPUTF8", TOP "Fwrde\n" FROM TO END, "7 <s@x> 2@5 utf8 ret=1 +a@y" },
	{ "RET=HDRS", TOP "Fnd\n" FROM TO END, "7 <s@x> 2@5 ret=2 +a@y" },
	{ "n alone is no RET", TOP "Fn\n" FROM TO END, "7 <s@x> 2@5 +a@y" },
	{ "flags of two lines", TOP "Fde8\nFw\n" FROM TO END, "7 <s@x> 2@5 8bit utf8 ret=1 +a@y" },
	{ "a mailbox's first line", TOP "From me Thu Nov 26\n" FROM TO END, NULL },
	{ "an ENVID", TOP "ZQ+2B1\n" FROM TO END, "7 <s@x> 2@5 id=Q+1 +a@y" },
	{ "one that is no xtext", TOP "ZQ+zz\n" FROM TO END, "7 <s@x> 2@5 +a@y" },

	{ "folded fields with letters", TOP FROM "H??X: a\n Rx@y\n\tSt@x\n" TO END,
	    "7 <s@x> 2@5 +a@y" },
	{ "empty lines", TOP "\n" FROM "\n\n" TO END, "7 <s@x> 2@5 +a@y" },
	{ "folded before anything", " x\n" TOP FROM TO END, "7 <s@x> 2@5 +a@y" },
	{ "being written", TOP FROM TO, "7 <s@x> 2@5 +a@y open" },
	{ "the last line, too", TOP FROM TO "RPFD:<b@", "7 <s@x> 2@5 +a@y open" },
	{ "up to its point", TOP FROM TO ".", "7 <s@x> 2@5 +a@y open" },
	{ "more behind the end", TOP FROM TO ".\nRPFD:<b@y>\n", NULL },
	{ "a folded end", TOP FROM TO ".\n x\nRPFD:<b@y>\n.\n", NULL },
	{ "an end that goes on", TOP FROM TO ".x\nRPFD:<b@y>\n.\n", NULL },
	{ "nothing", "", NULL },
};

static void
read_files(void)
{
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct message m = {0};
		struct sm_file f;
		struct buf said = {0};
		struct err e = {0};
		int r = sm_parse(&f, span_of(files[i].text), &m, &e);

		if (r == 0)
			say(&said, &m, &f);
		is(r == 0 ? buf_str(&said) : NULL, files[i].says, files[i].name);
		if (r < 0 && files[i].says == NULL)
			ok(e.fault == FAULT_DATA, "%s: is damaged", files[i].name);
		else if (r < 0)
			printf("# %s\n", e.text);
		buf_free(&said);
		sm_file_free(&f);
		message_free(&m);
	}
}

/* Octets that end a string in C end no address. */
static void
read_nul(void)
{
	static const char *const with[] = { "S<s\0@x>\n" TO, FROM "RPFD:<a\0b@y>\n",
		FROM "RPFD:\0\n" };
	static const size_t size[] = { sizeof "S<s\0@x>\n" TO, sizeof FROM "RPFD:<a\0b@y>\n",
		sizeof FROM "RPFD:\0\n" };

	for (size_t i = 0; i < sizeof with / sizeof *with; i++) {
		struct message m = {0};
		struct sm_file f;
		struct buf text = {0};
		struct err e = {0};

		buf_adds(&text, TOP);
		buf_add(&text, with[i], size[i] - 1);
		buf_adds(&text, END);
		ok(sm_parse(&f, buf_span(&text), &m, &e) < 0 && e.fault == FAULT_DATA,
		    "NUL %zu: is damaged", i);
		buf_free(&text);
		sm_file_free(&f);
		message_free(&m);
	}
}

static const struct {
	const char *name, *text, *header;
} headers[] = {
	{ "for all", "H??A: 1\nH??B: 2\n", "A: 1\nB: 2\n" },
	{ "of old files", "HA: 1\n", "A: 1\n" },
	{ "folded", "H??A: 1\n\t2\n 3\n", "A: 1\n\t2\n 3\n" },
	{ "for flags that SMTP mailers have", "H?F?A: 1\nH?D?B: 2\nH?M?C: 3\nH?xM?D: 4\n",
	    "A: 1\nB: 2\nC: 3\nD: 4\n" },
	{ "for those that they have not", "H?P?A: 1\nH?x?B: 2\nH??C: 3\n", "C: 3\n" },
	{ "where a macro is set", "$rESMTP\n${hdr}yes\nH?$r?A: 1\nH?${hdr}?B: 2\n", "A: 1\nB: 2\n" },
	{ "where none is", "${FDM}\n${hdrs}x\nH?${FDM}?A: 1\nH?${hdr}?B: 2\nH?$F?C: 3\nH??D: 4\n",
	    "D: 4\n" },
	{ "octets over 0x7f", "H??A: \xe4\xff\n", "A: \xe4\xff\n" },
	{ "flags that do not end", "H?F\nH??A: 1\n", "A: 1\n" },
	{ "question marks", "H??A: ?x?\n", "A: ?x?\n" },
	{ "empty ones", "H??\nHA: 1\nH\nH?F?\nH?\n", "A: 1\n" },
	{ "none", "", "" },
};

static void
read_headers(void)
{
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		struct message m = {0};
		struct sm_file f;
		struct buf text = {0}, b = {0};
		struct err e = {0};

		buf_addf(&text, TOP FROM TO "%s.\n", headers[i].text);
		if (ok(sm_parse(&f, buf_span(&text), &m, &e) == 0, "%s", headers[i].name))
			sm_header(&b, &f);
		is(buf_str(&b), headers[i].header, headers[i].name);
		buf_free(&b);
		buf_free(&text);
		sm_file_free(&f);
		message_free(&m);
	}
}

/* ---- where the body is ---- */

#define Q "/s/mqueue"

static const struct {
	const char *ref, *other, *df;
} bodies[] = {
	{ Q "/qfI", "", Q "/dfI" },
	{ Q "/q1/qfI", "", Q "/q1/dfI" },
	{ Q "/q1/qf/qfI", "", Q "/q1/df/dfI" },
	{ Q "/q1/hfI", "", Q "/q1/dfI" },
	{ Q "/q1/qfI", Q "/q2", Q "/q2/dfI" },
	{ Q "/q1/qfI", Q, Q "/dfI" },
	{ Q "/q1/qf/qfI", Q "/q2/df", Q "/q2/df/dfI" },
	{ Q "/q1/qf/qfI", Q "/q2", Q "/q2/df/dfI" },
	/* the queue of another host: its last part counts */
	{ Q "/q1/qfI", "/var/spool/mqueue/q2", Q "/q2/dfI" },
	{ Q "/q1/qfI", "q2", Q "/q2/dfI" },
	/* nothing leads out of the queue */
	{ Q "/q1/qfI", Q "/../../etc", Q "/etc/dfI" },
	{ Q "/q1/qfI", Q "/q2/..", Q "/q1/dfI" },
	{ Q "/q1/qfI", "..", Q "/q1/dfI" },
	{ Q "/q1/qfI", "/etc/..", Q "/q1/dfI" },
	{ Q "/q1/qfI", "/etc/.", Q "/q1/dfI" },
	{ Q "/q1/qfI", "/etc/", Q "/q1/dfI" },
	{ Q "/q1/qfI", Q "-client", Q "/mqueue-client/dfI" },
};

static void
find_bodies(void)
{
	struct spool s = { .kind = &spool_sendmail, .dir = span_dup(SPAN(Q)) };

	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		struct buf path = {0};

		sm_df(&s, bodies[i].ref, span_of(bodies[i].other), &path);
		is(buf_str(&path), bodies[i].df, bodies[i].other);
		buf_free(&path);
	}
	free(s.dir);
}

/* ---- lengths ---- */

/* Text of a megabyte each time; it takes no longer than a small one, and no more. */
static void
read_long(void)
{
	struct message m = {0};
	struct sm_file f;
	struct buf text = {0}, b = {0}, deep = {0};
	struct err e = {0};

	for (int i = 0; i < 1000000; i++)
		buf_addc(&b, 'x');
	for (int i = 0; i < 500000; i++)
		buf_adds(&deep, "(\\");
	buf_addf(&text, TOP "M%s\nq%s\n" FROM "RPFD:<%s@y>\n", b.p, b.p, buf_str(&b));
	buf_addf(&text, "RPFD:%s%s\n", buf_str(&deep), buf_str(&b));
	buf_addf(&text, "RPFD:\"%s\nH??%s: x\n\t%s\n.\n", b.p, b.p, b.p);
	ok(sm_parse(&f, buf_span(&text), &m, &e) == 0 && m.env.rcpts.n == 3 &&
	    strlen(m.env.rcpts.p[0].address) == 1000002 && f.fields.n == 1,
	    "lines of a megabyte");
	sm_file_free(&f);
	message_free(&m);
	buf_free(&text);
	buf_free(&deep);
	buf_free(&b);
}

/* One reason for very many is not kept once for each of them. */
static void
read_many(void)
{
	struct message m = {0};
	struct sm_file f;
	struct buf text = {0};
	struct err e = {0};
	struct rusage before, after;

	buf_adds(&text, TOP "M");
	for (int i = 0; i < 100000; i++)
		buf_adds(&text, "too long ");
	buf_adds(&text, "\n" FROM);
	for (int i = 0; i < 100000; i++)
		buf_addf(&text, "RPFD:<r%d@y>\n", i);
	buf_adds(&text, END);
	getrusage(RUSAGE_SELF, &before);
	ok(sm_parse(&f, buf_span(&text), &m, &e) == 0 && m.env.rcpts.n == 100000,
	    "100,000 recipients");
	is(m.env.rcpts.p[99999].address, "r99999@y", "the last of them");
	getrusage(RUSAGE_SELF, &after);
	ok(after.ru_maxrss - before.ru_maxrss < 200 * 1024,
	    "a long reason for all of them takes no gigabytes");
	sm_file_free(&f);
	message_free(&m);
	buf_free(&text);
}

int
main(void)
{
#ifndef __SANITIZE_ADDRESS__
	/* what grows without an end shall end here, not the machine */
	static const struct rlimit most = { (rlim_t)4 << 30, (rlim_t)4 << 30 };

	setrlimit(RLIMIT_AS, &most);
#endif
	read_files();
	read_nul();
	read_headers();
	find_bodies();
	read_long();
 	read_many();
	return done_testing();
}
