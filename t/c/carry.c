/*
 * Conversations of an MTA (near) with a customer (far) through what carries them, in
 * bites of 1, 7 and all octets.
 *
 *	F: LINE, N: LINE	he says this; lines that stand together come together
 *	f: LINE, n: LINE	he hears this next; \ is an octet as in C
 *	F-: N-: f-: n-:		without CRLF
 *	M, m, O, o		as N and n: two other sessions of the MTA
 *	begin, end		a session of the MTA; begin M, end M
 *	quit			to the customer
 *	keep, keep M		the MTA may lose its patience
 *	= free, = busy, = over, = lost, = proto, = torn
 */
#include "../tap.h"

#include "smtp/carry.h"

#define HELLO "F: 220 cust.test\nf: EHLO isp.test\nF: 250-cust.test hello\n" \
	"F: 250-PIPELINING\nF: 250-STARTTLS\nF: 250-AUTH PLAIN\nF: 250-ETRN\n" \
	"F: 250-LIMITS MAILMAX=3 RCPTMAX=9\n" \
	"F: 250-CHUNKING\nF: 250-XFOO\nF: 250 SIZE 1000\n= free\nbegin\n" \
	"n: 220 cust.test ESMTP\nN: EHLO mx.test\nn: 250-cust.test\n" \
	"n: 250-PIPELINING\nn: 250-CHUNKING\nn: 250-LIMITS RCPTMAX=9\n" \
	"n: 250-SIZE 1000\nn: 250 HELP\n"
#define TEN "0123456789"
#define WORDS_100 TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define WORDS_505 WORDS_100 WORDS_100 WORDS_100 WORDS_100 WORDS_100 "abcde"
#define PLAIN "F: 220 cust.test\nf: EHLO isp.test\nF: 250 cust.test\nbegin\n" \
	"n: 220 cust.test ESMTP\nN: EHLO mx.test\nn: 250-cust.test\nn: 250 HELP\n"
#define MAIL "N: MAIL FROM:<a@x.test>\nf: MAIL FROM:<a@x.test>\nF: 250 ok\nn: 250 ok\n"
#define RCPT "N: RCPT TO:<b@c.test>\nf: RCPT TO:<b@c.test>\nF: 250 ok\nn: 250 ok\n"
#define DATA "N: DATA\nf: DATA\nF: 354 go\nn: 354 go\n"

/* to a customer who has both CHUNKING and PIPELINING, one who has no CHUNKING */
#define FAST "F: 220 cust.test\nf: EHLO isp.test\nF: 250-cust.test hello\n" \
	"F: 250-PIPELINING\nF: 250-CHUNKING\nF: 250 LIMITS RCPTMAX=3\n= free\n"
#define SLOW "F: 220 cust.test\nf: EHLO isp.test\nF: 250-cust.test hello\n" \
	"F: 250 PIPELINING\n= free\n"
#define STEPS "F: 220 cust.test\nf: EHLO isp.test\nF: 250 cust.test hello\n= free\n"
#define ENTER(N, n) "begin " N "\n" n ": 220 cust.test ESMTP\n" N ": LHLO mx.test\n" \
	n ": 250-cust.test\n" n ": 250-PIPELINING\n" \
	n ": 250-ENHANCEDSTATUSCODES\n"
#define LHLO(N, n) ENTER(N, n) n ": 250 HELP\n"
#define LHLO3(N, n) ENTER(N, n) n ": 250-LIMITS RCPTMAX=3\n" n ": 250 HELP\n"
#define NOTE(N, n, who) N ": MAIL FROM:<" who "@x.test>\n" n ": 250 2.1.0 noted\n" \
	N ": RCPT TO:<" who "@c.test>\n" n ": 250 2.1.5 noted\n"
#define SENT(who) "f: MAIL FROM:<" who "@x.test>\nf: RCPT TO:<" who "@c.test>\n"

static const struct { const char *name, *script; } rows[] = {
	{ "two sessions are one", HELLO MAIL RCPT DATA
	    "N: one\nN: ..two\nN: .\nf: one\nf: ..two\nf: .\nF: 250 2.0.0 kept\n"
	    "n: 250 2.0.0 kept\nN: QUIT\nn: 221 2.0.0 until next time\n= over\n"
	    "end\nf: RSET\n= busy\nF: 250 ok\n= free\nbegin\nn: 220 cust.test ESMTP\n"
	    "N: HELO mx.test\nn: 250 cust.test\n" MAIL
	    "N: QUIT\nn: 221 2.0.0 until next time\nend\nf: RSET\nF: 250 ok\n"
	    "= free\nquit\nf: QUIT\nF: 221 bye\n" },
	{ "pipelined; the next MAIL has a RSET in front", HELLO
	    "N: MAIL FROM:<> SIZE=3\nN: RCPT TO:<b@C.test>\nN: RCPT TO:<c@d.test>\n"
	    "N: DATA\nf: MAIL FROM:<> SIZE=3\nf: RCPT TO:<b@C.test>\nf: DATA\n"
	    "F: 250 ok\nF: 250-2.1.5 two\nF: 250 2.1.5 lines\nF: 354 go\nn: 250 ok\n"
	    "n: 250-2.1.5 two\nn: 250 2.1.5 lines\n"
	    "n: 450 4.7.1 this connection is for another's mail\nn: 354 go\n"
	    "N: .\nN: RSET\nN: MAIL FROM:<a@x.test>\nf: .\nf: RSET\n"
	    "f: MAIL FROM:<a@x.test>\nF: 451 later\nF: 250 ok\nF: 250 ok\n"
	    "n: 451 later\nn: 250 2.0.0 forgotten\nn: 250 ok\n" },
	{ "nobody of ours: no DATA for the customer", HELLO MAIL
	    "N: RCPT TO:<b@sub.c.test>\nN: RCPT TO:<\"b@c.test\"@d.test>\n"
	    "N: RCPT TO:<postmaster>\nN: DATA\n"
	    "n: 450 4.7.1 this connection is for another's mail\n"
	    "n: 450 4.7.1 this connection is for another's mail\n"
	    "n: 450 4.7.1 this connection is for another's mail\n"
	    "n: 554 5.5.1 no valid recipients\n" },
	{ "a route is not a way out", HELLO MAIL
	    "N: RCPT TO:<@evil.test:b@c.test>\nf: RCPT TO:<b@c.test>\nF: 250 ok\n"
	    "n: 250 ok\nN: RCPT TO:<@c.test:b@evil.test>\n"
	    "n: 450 4.7.1 this connection is for another's mail\n" },
	{ "a domain with those below", HELLO MAIL
	    "N: RCPT TO:<b@x.sub.test>\nf: RCPT TO:<b@x.sub.test>\nF: 550 5.1.1 who\n"
	    "n: 550 5.1.1 who\n" },
	{ "without PIPELINING one at a time", PLAIN MAIL RCPT DATA
	    "N: .\nf: .\nF: 250 ok\nn: 250 ok\nN: MAIL FROM:<b@x.test>\n"
	    "N: RCPT TO:<b@c.test>\nf: RSET\nF: 250 ok\nf: MAIL FROM:<b@x.test>\n"
	    "F: 250 ok\nn: 250 ok\nf: RCPT TO:<b@c.test>\n" },
	{ "what is not carried", HELLO "N: STARTTLS\nn: 502 5.5.1 that is not carried\n"
	    "N: XCLIENT ADDR=1\nn: 502 5.5.1 that is not carried\n"
	    "N: MAIL FROM:<a@x.test> BODY=8BITMIME\n"
	    "n: 555 5.5.4 a parameter that is not known here\n" },
	{ "no CR or LF alone ends the text", HELLO MAIL RCPT DATA
	    "N-: a\\n.\\r\\nb\\r.\\r\\n.\\nc\\r\\n.\\rd\\r\\n..\\r\\n.e\\r\\n.\\r\\r\\n\\n.\\n\n"
	    "f-: a\\r\\n..\\r\\nb\\r\\n..\\r\\n..\\r\\nc\\r\\n..\\r\\nd\\r\\n..\\r\\n.e\\r\\n..\\r\\n\\r\\n\\r\\n..\\r\\n\n"
	    "N: .\nf: ..\nN: .\nf: .\nF: 250 ok\nn: 250 ok\n" },
	{ "a NUL passes wherever it stands", HELLO MAIL RCPT DATA
	    "N: \\x00a\\x00\nN: .\\x00\nf: \\x00a\\x00\nf: .\\x00\n" },
	{ "BDAT", HELLO MAIL RCPT "N: BDAT 3\nN-: .\\r\\n\nN: BDAT 2 LAST\nN-: \\n.\n"
	    "f: BDAT 3\nf-: .\\r\\n\nf: BDAT 2 LAST\nf-: \\n.\nF: 250 ok\nF: 250 done\n"
	    "n: 250 ok\nn: 250 done\n" },
	{ "BDAT for nobody is swallowed", HELLO MAIL "N: BDAT 6 LAST\nN-: RSET\\r\\n\n"
	    "N: NOOP\nn: 554 5.5.1 no valid recipients\nn: 250 2.0.0 nothing done\n" },
	{ "BDAT of 2^64+1", HELLO MAIL "N: BDAT 18446744073709551617\nN: NOOP\n"
	    "n: 501 5.5.4 BDAT size [LAST]\n= over\n" },
	{ "a reply with what does not belong there", HELLO "N: MAIL FROM:<a@x.test>\n"
	    "f: MAIL FROM:<a@x.test>\nF-: 250 a\\rb\\x01\\n\nn: 250 a?b?\n" },
	{ "UTF-8 where it was not announced", HELLO MAIL
	    "N: RCPT TO:<b\\xc3\\xbc@c.test>\nn: 553 5.6.7 that address needs SMTPUTF8\n" },
	{ "a reply longer than a line may be", HELLO
	    "N: MAIL FROM:<a@x.test>\nf: MAIL FROM:<a@x.test>\n"
	    "F: 450 " WORDS_505 "\\xc3\\xbc and more\nn: 450 " WORDS_505 "\n" },
	{ "421 is for us", HELLO "N: MAIL FROM:<a@x.test>\nf: MAIL FROM:<a@x.test>\n"
	    "F: 421 gone\n= lost\n" },
	{ "250 to DATA is no 354", HELLO MAIL RCPT
	    "N: DATA\nf: DATA\nF: 250 ok\n= proto\n" },
	{ "3xx is no 250", HELLO "N: MAIL FROM:<a@x.test>\nf: MAIL FROM:<a@x.test>\n"
	    "F: 354 ok\n= proto\n" },
	{ "a reply to nothing", HELLO "F: 250 ok\n= proto\n" },
	{ "no greeting", "F: 554 no\n= lost\n" },
	{ "HELO, if need be", "F: 220 c\nf: EHLO isp.test\nF: 502 what\n"
	    "f: HELO isp.test\nF: 250 c\n= free\nbegin\nn: 220 customer.invalid ESMTP\n" },
	{ "gone within the text", HELLO MAIL RCPT DATA "N: x\nf: x\nend\n= torn\n" },
	{ "gone before the text", HELLO MAIL RCPT "N: DATA\nf: DATA\nend\nF: 354 go\n= lost\n" },
	{ "gone before DATA is refused", HELLO MAIL RCPT "N: DATA\nf: DATA\nend\n= busy\n"
	    "F: 451 no\n= free\nbegin\nn: 220 cust.test ESMTP\nN: MAIL FROM:<>\n"
	    "f: RSET\nf: MAIL FROM:<>\n" },
	{ "gone within a chunk", HELLO MAIL RCPT "N: BDAT 5 LAST\nN-: xy\nf: BDAT 5 LAST\n"
	    "f-: xy\nend\n= torn\n" },
	{ "gone before the verdict: it is waited for", HELLO MAIL RCPT DATA
	    "N: .\nf: .\nend\nf: RSET\n= busy\nF: 250 ok\nF: 250 ok\n= free\nbegin\n"
	    "n: 220 cust.test ESMTP\n" },
	{ "a sender is refused, another comes", HELLO "N: MAIL FROM:<no@x.test>\n"
	    "f: MAIL FROM:<no@x.test>\nF: 550 no\nn: 550 no\nN: MAIL FROM:<a@x.test>\n"
	    "f: RSET\nf: MAIL FROM:<a@x.test>\nF: 250 ok\nF: 250 ok\nn: 250 ok\n" RCPT },
	{ "refused when another has come", HELLO
	    "N: MAIL FROM:<no@x.test>\nN: RSET\nN: MAIL FROM:<a@x.test>\n"
	    "f: MAIL FROM:<no@x.test>\nf: RSET\nf: MAIL FROM:<a@x.test>\n"
	    "F: 550 no\nF: 250 ok\nn: 550 no\nn: 250 2.0.0 forgotten\nF: 250 ok\n"
	    "n: 250 ok\n" RCPT },
	{ "no text, another sender", HELLO MAIL RCPT "N: DATA\nf: DATA\nF: 451 later\n"
	    "n: 451 later\nN: MAIL FROM:<a@x.test>\nf: RSET\nf: MAIL FROM:<a@x.test>\n" },
	{ "but not before", HELLO MAIL "N: MAIL FROM:<b@x.test>\n"
	    "n: 503 5.5.1 there is a sender already\n" },
	{ "LMTP: two at the same time, one behind the other without a reply", FAST
	    LHLO3("N", "n") LHLO3("M", "m") NOTE("N", "n", "a") NOTE("M", "m", "b")
	    "N: DATA\nn: 354 go on\n" SENT("a") "M: DATA\n"
	    "N: ..one\nN: .\nf: BDAT 6 LAST\nf: .one\nf: RSET\n" SENT("b")
	    "m: 354 go on\nM: two\nM: .\nf: BDAT 5 LAST\nf: two\n"
	    "F: 250 ok\nF: 250 ok\nF: 250 2.0.0 first\nF: 250 ok\nn: 250 2.0.0 first\n"
	    "F: 250 ok\nF: 250 ok\nF: 451 4.2.0 second\nm: 451 4.2.0 second\n"
	    "N: QUIT\nn: 221 2.0.0 until next time\n= over\nend\n= busy\nend M\n"
	    "= free\nquit\nf: QUIT\nF: 221 bye\n" },
	{ "LMTP: a reply for each recipient", FAST LHLO3("N", "n") NOTE("N", "n", "a")
	    "N: RCPT TO:<no@c.test>\nn: 250 2.1.5 noted\nN: RCPT TO:<x@other.test>\n"
	    "n: 450 4.7.1 this connection is for another's mail\n"
	    "N: RCPT TO:<c@d.sub.test>\nn: 250 2.1.5 noted\n"
	    "N: RCPT TO:<d@c.test>\nn: 452 4.5.3 too many recipients at once\n"
	    "N: DATA\n" SENT("a") "f: RCPT TO:<no@c.test>\nf: RCPT TO:<c@d.sub.test>\n"
	    "n: 354 go on\nN: x\nN: .\nN: MAIL FROM:<>\nf: BDAT 3 LAST\nf: x\n"
	    "F: 250 ok\nF: 250 ok\nF: 550-5.1.1 no\nF: 550 5.1.1 such user\nF: 250 ok\n"
	    "F: 250 2.0.0 kept\nn: 250 2.0.0 kept\nn: 550-5.1.1 no\n"
	    "n: 550 5.1.1 such user\nn: 250 2.0.0 kept\nn: 250 2.1.0 noted\n" },
	{ "LMTP: far has no CHUNKING", SLOW LHLO("N", "n") LHLO("M", "m")
	    NOTE("N", "n", "a") NOTE("M", "m", "b") "N: DATA\n" SENT("a") "f: DATA\n"
	    "M: DATA\nF: 250 ok\nF: 250 ok\nF: 354 go\nn: 354 go on\n"
	    "N: ..one\nN: .\nf: ..one\nf: .\nf: RSET\n" SENT("b") "f: DATA\n"
	    "F: 250 kept\nn: 250 kept\nF: 250 ok\nF: 250 ok\nF: 450 no\nF: 503 what\n"
	    "m: 354 go on\nM: two\nM: .\nm: 450 no\n" },
	{ "LMTP: far has no PIPELINING either", STEPS LHLO("N", "n") NOTE("N", "n", "a")
	    "N: DATA\nf: MAIL FROM:<a@x.test>\nF: 250 ok\nf: RCPT TO:<a@c.test>\n"
	    "F: 250 ok\nf: DATA\nF: 354 go\nn: 354 go on\nN: x\nN: .\nf: x\nf: .\n"
	    "F: 250 kept\nn: 250 kept\n" NOTE("N", "n", "b")
	    "N: DATA\nf: RSET\nF: 250 ok\nf: MAIL FROM:<b@x.test>\n" },
	{ "LMTP: a sender who is refused, another one", FAST LHLO3("N", "n")
	    NOTE("N", "n", "a") "N: DATA\n" SENT("a") "n: 354 go on\nF: 552 too big\n"
	    "N: x\nN: .\nn: 552 too big\n" NOTE("N", "n", "b") "F: 503 what\n"
	    "N: DATA\nf: RSET\n" SENT("b") "n: 354 go on\nF: 250 ok\nF: 250 ok\nF: 250 ok\n"
	    "N: y\nN: .\nf: BDAT 3 LAST\nf: y\nF: 250 kept\nn: 250 kept\n" },
	{ "LMTP: CR and LF alone, dots", FAST LHLO3("N", "n") NOTE("N", "n", "a")
	    "N: DATA\n" SENT("a") "n: 354 go on\n"
	    "N-: a\\n.\\r\\nb\\r.\\r\\n.\\nc\\r\\n.\\rd\\r\\n..\\r\\n.e\\r\\n.\\r\\n\n"
	    "f-: BDAT 30 LAST\\r\\na\\r\\n.\\r\\nb\\r\\n.\\r\\n.\\r\\nc\\r\\n.\\r\\nd\\r\\n.\\r\\ne\\r\\n\n" },
	{ "LMTP: gone before its turn, in it, and within the text", FAST LHLO3("N", "n")
	    LHLO3("M", "m") LHLO3("O", "o") NOTE("N", "n", "a") NOTE("M", "m", "b")
	    NOTE("O", "o", "c") "N: DATA\nn: 354 go on\n" SENT("a") "M: DATA\nO: DATA\n"
	    "end M\nN: half\nend\nf: RSET\n" SENT("c") "o: 354 go on\nO: .\n"
	    "f: BDAT 0 LAST\nend O\n= busy\nF: 250 ok\nF: 250 ok\nF: 250 ok\n"
	    "F: 250 ok\nF: 250 ok\nF: 250 kept\n= free\n" },
	{ "LMTP: gone within the text behind DATA", SLOW LHLO("N", "n") NOTE("N", "n", "a")
	    "N: DATA\n" SENT("a") "f: DATA\nF: 250 ok\nF: 250 ok\nF: 354 go\n"
	    "n: 354 go on\nend\n= torn\n" },
	{ "LMTP: gone when far is asked", SLOW LHLO("N", "n") LHLO("M", "m")
	    NOTE("N", "n", "a") NOTE("M", "m", "b") "N: DATA\n" SENT("a") "f: DATA\n"
	    "M: DATA\nend\nF: 250 ok\nF: 250 ok\nF: 451 no\nf: RSET\n" SENT("b")
	    "f: DATA\n" },
	{ "LMTP: far asks for what nobody has", SLOW LHLO("N", "n") NOTE("N", "n", "a")
	    "N: DATA\n" SENT("a") "f: DATA\nend\nF: 250 ok\nF: 250 ok\nF: 354 go\n= lost\n" },
	{ "LMTP: he who waits is told so", FAST LHLO3("N", "n") LHLO3("M", "m")
	    NOTE("N", "n", "a") NOTE("M", "m", "b") "keep M\nN: DATA\nn: 354 go on\n"
	    SENT("a") "M: DATA\nkeep\nkeep M\nm: 354-the line is busy\nN: .\n"
	    "f: BDAT 0 LAST\nf: RSET\n" SENT("b") "m: 354 go on\nkeep M\n" },
	{ "LMTP: what is not said there", FAST LHLO3("N", "n") "N: EHLO x\n"
	    "n: 502 5.5.1 that is not carried\nN: RCPT TO:<a@c.test>\n"
	    "n: 503 5.5.1 MAIL comes first\nN: DATA\nn: 503 5.5.1 RCPT comes first\n"
	    "N: MAIL FROM:<a@x.test>\nn: 250 2.1.0 noted\nN: DATA\n"
	    "n: 503 5.5.1 RCPT comes first\nN: MAIL FROM:<>\n"
	    "n: 503 5.5.1 there is a sender already\nN: RSET\nn: 250 2.0.0 forgotten\n"
	    "N: BDAT 2 LAST\nn: 502 5.5.1 not offered\n= over\n" },
	{ "SMTP waits for LMTP, which waits for SMTP", FAST LHLO3("N", "n") NOTE("N", "n", "a")
	    "N: DATA\nn: 354 go on\n" SENT("a") "begin M\nm: 220 cust.test ESMTP\n"
	    "M: HELO x\n" LHLO3("O", "o") NOTE("O", "o", "c") "O: DATA\nN: .\n"
	    "f: BDAT 0 LAST\nF: 250 ok\nF: 250 ok\nF: 250 kept\nn: 250 kept\n"
	    "m: 250 cust.test\nM: MAIL FROM:<b@x.test>\nf: RSET\nf: MAIL FROM:<b@x.test>\n"
	    "F: 250 ok\nF: 250 ok\nm: 250 ok\nM: QUIT\nm: 221 2.0.0 until next time\n"
	    "end M\nf: RSET\n" SENT("c") "o: 354 go on\n" },
	{ "QUIT behind the text", HELLO MAIL RCPT DATA "N: .\nN: QUIT\nf: .\n= busy\n"
	    "F: 250 ok\nn: 250 ok\nn: 221 2.0.0 until next time\n= over\n" },
};

#define NEARS 3

struct play {
	struct carry c;
	struct carry_near n[NEARS];
	struct err e;
	int end;
	struct buf far, near[NEARS];
};

static size_t
nth(char who)
{
	static const char names[] = "NMOnmo";

	return (size_t)(strchr(names, who) - names) % NEARS;
}

static void
octets(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '\\' || i + 1 == s.n) {
			buf_addc(b, s.p[i]);
			continue;
		}
		i++;
		if (s.p[i] == 'x') {
			char hex[3] = { s.p[i + 1], s.p[i + 2], 0 };

			buf_addc(b, (char)strtol(hex, NULL, 16));
			i += 2;
		} else {
			buf_addc(b, s.p[i] == 'r' ? '\r' : '\n');
		}
	}
}

/* What was to be sent is sent. */
static void
send_all(struct play *p)
{
	buf_addspan(&p->far, buf_take(&p->c.to_far));
	for (size_t i = 0; i < NEARS; i++)
		buf_addspan(&p->near[i], buf_take(&p->n[i].to_near));
}

static void
say(struct play *p, struct buf *b, char who, size_t bite)
{
	struct span rest = buf_take(b);

	while (rest.n > 0) {
		struct span s = { rest.p, rest.n < bite ? rest.n : bite };

		if (who != 'F')
			carry_near(&p->c, &p->n[nth(who)], s);
		else if (p->e.fault == FAULT_NONE)
			carry_far(&p->c, s, &p->e);
		send_all(p);
		rest = span_from(rest, s.n);
	}
}

static bool
hears(struct buf *b, struct span want)
{
	if (b->n < want.n || !span_eq((struct span){ b->p, want.n }, want)) {
		printf("# got %.*s\n", (int)b->n, b->n > 0 ? b->p : "");
		return false;
	}
	buf_drop(b, want.n);
	return true;
}

static bool
is_so(struct play *p, struct span what)
{
	if (span_is(what, "free") || span_is(what, "busy"))
		return carry_is_free(&p->c) == span_is(what, "free");
	if (span_is(what, "over"))
		return p->n[0].over && p->near[0].n == 0 &&
		    carry_near_over(&p->c, &p->n[0]);
	if (span_is(what, "torn"))
		return p->end < 0;
	return p->e.fault == (span_is(what, "lost") ? FAULT_TEMP : FAULT_PROTO);
}

static bool
line(struct play *p, struct span l, struct span next, struct buf *said, size_t bite)
{
	bool bare = l.n > 1 && l.p[1] == '-', good = true;
	struct span arg = span_from(l, bare ? 4 : 3);
	struct buf want = {0};

	if (span_starts(l, "begin")) {
		carry_begin(&p->c, &p->n[nth(l.n > 6 ? l.p[6] : 'N')]);
		send_all(p);
	} else if (span_starts(l, "end")) {
		p->end = carry_end(&p->c, &p->n[nth(l.n > 4 ? l.p[4] : 'N')], &p->e);
		send_all(p);
	} else if (span_starts(l, "keep")) {
		carry_keep(&p->c, &p->n[nth(l.n > 5 ? l.p[5] : 'N')]);
		send_all(p);
	} else if (span_is(l, "quit")) {
		carry_quit(&p->c);
		send_all(p);
	} else if (l.p[0] == '=') {
		good = is_so(p, span_from(l, 2));
	} else if (strchr("FNMO", l.p[0]) != NULL) {
		octets(said, arg);
		buf_adds(said, bare ? "" : "\r\n");
		if (next.n == 0 || next.p[0] != l.p[0])
			say(p, said, l.p[0], bite);
	} else {
		octets(&want, arg);
		buf_adds(&want, bare ? "" : "\r\n");
		good = hears(l.p[0] == 'f' ? &p->far : &p->near[nth(l.p[0])],
		    buf_span(&want));
	}
	buf_free(&want);
	if (!good)
		printf("# at `%.*s': %s\n", (int)l.n, l.p, p->e.text);
	return good;
}

static bool
nothing_left(const struct buf *b)
{
	if (b->n > 0)
		printf("# left: %.*s\n", (int)b->n, b->p);
	return b->n == 0;
}

static void
play_free(struct play *p)
{
	carry_free(&p->c);
	buf_free(&p->far);
	for (size_t i = 0; i < NEARS; i++)
		buf_free(&p->near[i]);
}

static void
play(const char *name, const char *script, size_t bite)
{
	struct play p = {0};
	struct span rest = span_of(script), l;
	struct buf said = {0};
	bool good = true;

	carry_start(&p.c, "isp.test", SPAN("c.test @sub.test"));
	while (good && span_cut(&rest, '\n', &l))
		good = line(&p, l, rest, &said, bite);
	for (size_t i = 0; good && i < NEARS; i++)
		good = nothing_left(&p.near[i]);
	good = good && nothing_left(&p.far);
	ok(good, "%s, in bites of %zu", name, bite);
	play_free(&p);
	buf_free(&said);
}

/* Far has greeted, and a session of the MTA has said this. */
static void
begin(struct play *p, const char *far, const char *near)
{
	*p = (struct play){0};
	carry_start(&p->c, "isp.test", SPAN("c.test"));
	carry_far(&p->c, span_of(far), &p->e);
	carry_begin(&p->c, &p->n[0]);
	carry_near(&p->c, &p->n[0], span_of(near));
}

/* Who takes nothing stops the other one, and the memory stays as it is. */
static void
test_bounds(void)
{
	static const char far[] = "220 c.test\r\n250-c.test\r\n250 PIPELINING\r\n",
	    fast[] = "220 c.test\r\n250-c.test\r\n250-CHUNKING\r\n250 PIPELINING\r\n";
	static char much[60000];
	struct play p = {0};
	struct carry_near *n = &p.n[0];
	size_t most = 0;

	memset(much, 'x', sizeof much);
	begin(&p, far, "MAIL FROM:<>\r\nRCPT TO:<a@c.test>\r\nDATA\r\n");
	carry_far(&p.c, SPAN("250 1\r\n250 2\r\n354 3\r\n"), &p.e);
	ok(p.e.fault == FAULT_NONE, "the text may come");
	for (int i = 0; i < 100 && !carry_near_full(n); i++)
		carry_near(&p.c, n, (struct span){ much, sizeof much });
	most = n->in.n + p.c.to_far.n;
	ok(carry_near_full(n) && most < 400000, "the text waits: %zu octets", most);
	play_free(&p);
	begin(&p, far, "");
	for (int i = 0; i < 1000000 && !carry_near_full(n); i++)
		carry_near(&p.c, n, SPAN("NOOP\r\n"));
	ok(carry_near_full(n) && n->to_near.n < 200000, "so do replies");
	play_free(&p);
	begin(&p, far, "MAIL FROM:<>\r\n");
	for (int i = 0; i < 1000000 && !carry_near_full(n); i++) {
		carry_near(&p.c, n, SPAN("RCPT TO:<a@c.test>\r\n"));
		send_all(&p);
	}
	ok(carry_near_full(n) && p.c.owed.n <= CARRY_DUE, "so do commands");
	play_free(&p);
	begin(&p, fast, "LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@c.test>\r\nDATA\r\n");
	for (int i = 0; i < 100 && !carry_near_full(n); i++)
		carry_near(&p.c, n, (struct span){ much, sizeof much });
	most = n->in.n + n->chunk.n + p.c.to_far.n;
	ok(carry_near_full(n) && most < 400000, "in LMTP, too: %zu octets", most);
	play_free(&p);
	begin(&p, fast, "LHLO x\r\nMAIL FROM:<>\r\n");
	for (int i = 0; i < 5000; i++) {
		carry_near(&p.c, n, SPAN("RCPT TO:<a@c.test>\r\n"));
		send_all(&p);
	}
	ok(n->v.rcpts.n == CARRY_RCPTS, "and no more recipients than it is asked for");
	play_free(&p);
}

int
main(void)
{
	static const size_t bites[] = { 1, 7, 100000 };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (size_t k = 0; k < 3; k++)
			play(rows[i].name, rows[i].script, bites[k]);
	test_bounds();
	return done_testing();
}
