/*
 * sink: a small SMTP server for the tests and the demo, not a product.
 *
 * It is strict where a client may err: commands and text end in CRLF, nothing
 * else; nothing is pipelined that RFC 2920 section 3.1 forbids; parameters only
 * of extensions that were offered; no line over 998 octets, no undeclared 8 bits.
 * What it refuses besides, and where it hangs or goes away, the options say.
 *
 *	--listen=ADDRESS:PORT	127.0.0.1:0; the port goes to stdout, or
 *	--port-file=FILE	into FILE, which appears when it listens
 *	--stdio			one session on stdin and stdout instead
 *	--maildir=DIR		a file a message in DIR/new, which is a spool then
 *	--log=FILE		a line an event: VERB ARGUMENT CODE PARAMETERS
 *	--ext=LIST		what EHLO offers; CHUNKING makes BDAT work
 *	--no-ehlo		502 to EHLO
 *	--ehlo-reply=REPLY	to EHLO, when it is to fail
 *	--banner=TEXT		`220 TEXT', or all of it if it begins with a code
 *	--refuse=PATTERN:REPLY	to RCPT (repeatable, as the next three are)
 *	--refuse-mail=PATTERN:REPLY		to MAIL
 *	--refuse-data=PATTERN:REPLY		to DATA and BDAT
 *	--final=PATTERN:REPLY	after the text; like --refuse-data it looks at the
 *				sender and at each accepted recipient
 *	--etrn-reply=PATTERN:REPLY		to ETRN; the pattern is the node's
 *	--etrn=PROGRAM		after 250 to ETRN: PROGRAM NODE, in the background
 *	--max-rcpt=N		452 to further ones
 *	--max-mail=N[:REPLY]	452, or REPLY, to further MAIL in a session; after a
 *				421, here and everywhere, it closes
 *	--lmtp			LHLO instead of EHLO; a reply to the text for each
 *				recipient, --final looks at him alone; whatever it
 *				says the letter is kept, if only for one
 *	--8-bit-clean		takes 8 bits although nothing was said of them
 *	--helo-line		the client's EHLO name is kept with its letters, in a
 *				line `X-Helo:' before the message
 *	--drop-verdict=N	closes after N of these replies
 *	--drop-after=N		answers N commands and closes at the next
 *	--hang-at=POINT --drop-at=POINT		answers nothing more, or closes, at a
 *				verb, at BANNER, within the TEXT, or at the DOT:
 *				there the letter is kept, and nobody is told; TLS is
 *				behind the 220 to STARTTLS.  Within TLS it closes
 *				without close_notify
 *	--tls-cert=FILE		offers STARTTLS with this certificate, chain and key
 *	--tls-wrap		TLS before the banner instead
 *	--tls-ca=FILE		asks for a client's certificate, and notes whether this
 *				CA makes it good: CLIENT VERDICT
 *	--starttls-reply=REPLY	to STARTTLS; not 2xx: no TLS
 *	--starttls-inject=TEXT	a line in the clear, in one piece with the 220
 *	--tls-ext=LIST		what EHLO offers within TLS, if that is not --ext
 *	--auth=MECH,MECH	EHLO offers AUTH; MAIL may have AUTH=
 *	--auth-tls		but only in TLS
 *	--user=NAME:PASSWORD	who may; a token is a password, too
 *	--auth-reply=REPLY	what AUTH ends with, whoever it is
 *	--auth-refuse=PATTERN:REPLY	to AUTH with such a mechanism, at once
 *	--auth-no-proof		235 to SCRAM at once: no signature
 *	--auth-proof-in-235	SCRAM's signature as text of the 235, not in a 334
 *	--need-auth		530 to MAIL before AUTH
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "base/vec.h"
#include "sink/auth.h"
#include "sink/options.h"
#include "sink/server.h"
#include "sink/session.h"
#include "sink/tls.h"

#define LINE_MAX_IN 4096

static const char *
rule_for_letter(const struct rules *r, struct session *s)
{
	const char *reply = rule_for(r, buf_str(&s->from));

	for (size_t i = 0; i < s->to.n && reply == NULL; i++)
		reply = rule_for(r, s->to.p[i]);
	return reply;
}

static bool
start_letter(struct session *s)
{
	FILE *f;

	if (!letter_open(&s->letter, maildir))
		return false;
	s->text = (struct text){ .at = START };
	f = s->letter.f;
	fprintf(f, "Return-Path: <%s>\n", buf_str(&s->from));
	for (size_t i = 0; i < s->to.n; i++)
		fprintf(f, "Delivered-To: %s\n", s->to.p[i]);
	if (helo_line)
		fprintf(f, "X-Helo: %s\n", buf_str(&s->helo));
	return true;
}

static void
forget(struct session *s)
{
	letter_drop(&s->letter);
	for (size_t i = 0; i < s->to.n; i++)
		free(s->to.p[i]);
	s->to.n = s->asked = 0;
	buf_clear(&s->from);
	s->mail = s->eight = s->utf8 = s->chunks = false;
}

static const char *
judge(struct session *s)
{
	const struct text *t = &s->text;
	const char *reply;

	if (t->bare || t->at == CR)
		return "554 5.5.2 bare CR or LF in the text";
	if (t->overlong)
		return "554 5.6.0 a line of over 998 octets";
	if (t->eight && !s->eight && !eight_clean)
		return "554 5.6.3 8-bit text without BODY=8BITMIME";
	if (size_limit() > 0 && t->octets > size_limit())
		return "552 5.3.4 too big";
	if (!lmtp && (reply = rule_for_letter(&final, s)) != NULL)
		return reply;
	return letter_keep(&s->letter) ? "250 2.0.0 kept" : "451 4.3.0 cannot keep it";
}

/* RFC 2033 section 4.2: in the order of RCPT; false: it closes among them. */
static bool
say_verdicts(struct session *s, const struct names *to, const char *all)
{
	const char *own;

	for (size_t i = 0; i < to->n; i++) {
		if ((long long)i >= atoll(drop_verdict)) {
			notef("DROP", NULL, "VERDICT");
			s->rude = true;
			return false;
		}
		own = *all == '2' ? rule_for(&final, to->p[i]) : NULL;
		note_arg("FOR", span_of(to->p[i]), own != NULL ? own : all);
		say(s, own != NULL ? own : all);
	}
	return true;
}

static bool
finish(struct session *s, const char *verb)
{
	struct names to = s->to;
	const char *reply = judge(s);
	struct buf size = {0};
	bool on;

	buf_addf(&size, "%lld", s->text.octets);
	notef(verb, reply, buf_str(&size));
	buf_free(&size);
	if (lmtp)
		s->to = (struct names){0};
	forget(s);
	on = !stuck(s, "DOT");
	if (!lmtp) {
		if (on)
			say(s, reply);
		return on;
	}
	on = on && say_verdicts(s, &to, reply);
	for (size_t i = 0; i < to.n; i++)
		free(to.p[i]);
	vec_free(&to);
	return on;
}

/* MAIL and RCPT */

/* Reads `KEY<path>' into `path'; what is left of `arg' are parameters. */
static bool
cut_path(struct span *arg, const char *key, struct buf *path)
{
	bool quoted = false;
	size_t i = strlen(key);

	buf_clear(path);
	if (arg->n <= i || strncasecmp(arg->p, key, i) != 0 || arg->p[i] != '<')
		return false;
	for (i++; i < arg->n && (quoted || arg->p[i] != '>'); i++) {
		if (arg->p[i] == '"')
			quoted = !quoted;
		if (quoted && arg->p[i] == '\\' && i + 1 < arg->n)
			buf_addc(path, arg->p[i++]);
		if ((unsigned char)arg->p[i] < ' ')
			return false;
		buf_addc(path, arg->p[i]);
	}
	if (i == arg->n)
		return false;
	*arg = span_from(*arg, i + 1);
	return arg->n == 0 || arg->p[0] == ' ';
}

static const struct {
	const char *keyword, *ext;
	bool rcpt;
} params[] = {
	{ "SIZE", "SIZE", false },
	{ "BODY", "8BITMIME", false },
	{ "SMTPUTF8", "SMTPUTF8", false },
	{ "RET", "DSN", false },
	{ "ENVID", "DSN", false },
	{ "AUTH", "AUTH", false },
	{ "NOTIFY", "DSN", true },
	{ "ORCPT", "DSN", true },
};

static bool
known(const struct session *s, struct span keyword, bool rcpt)
{
	for (size_t i = 0; i < sizeof params / sizeof *params; i++)
		if (span_ieq(keyword, span_of(params[i].keyword)))
			return params[i].rcpt == rcpt && s->esmtp &&
			    (offered(params[i].ext) ||
			    (strcmp(params[i].ext, "AUTH") == 0 &&
			    auth_offered(s)));
	return false;
}

/* NULL when all parameters may be there, otherwise the reply. */
static const char *
take_params(struct session *s, struct span all, bool rcpt)
{
	struct span one, value;
	long long size;

	for (all = span_from(all, 1); span_cut(&all, ' ', &one);) {
		value = span_from(one, span_find(one, '=') + 1);
		one.n = span_find(one, '=');
		if (!known(s, one, rcpt))
			return "555 5.5.4 a parameter that was not offered";
		s->eight |= span_ieq(value, SPAN("8BITMIME"));
		s->utf8 |= span_ieq(one, SPAN("SMTPUTF8"));
		if (!span_ieq(one, SPAN("SIZE")))
			continue;
		if (!span_number(value, &size))
			return "501 5.5.4 SIZE is no number";
		if (size_limit() > 0 && size > size_limit())
			return "552 5.3.4 too big";
	}
	return NULL;
}

/* The log line of MAIL and RCPT, and the reply. */
static bool
tell(struct session *s, const char *verb, struct buf *path, const char *reply,
    struct span more)
{
	struct buf what = {0};

	buf_addf(&what, "%s <%s>", verb, buf_str(path));
	note(buf_span(&what), reply, span_trim(more));
	buf_free(&what);
	say(s, reply);
	return true;
}

static const char *
utf8_fault(const struct session *s, const struct buf *path)
{
	return text_is_ascii(buf_span(path)) || s->utf8 ? NULL :
	    "553 5.6.7 not ASCII, and no SMTPUTF8";
}

/* NULL while the session has room for another one. */
static const char *
mails_over(struct session *s)
{
	const char *colon = strchr(max_mail, ':');

	if (s->mails++ < atoll(max_mail))
		return NULL;
	return colon != NULL ? colon + 1 : "452 4.5.1 enough for one session";
}

static bool
on_mail(struct session *s, struct span arg)
{
	const char *reply;

	if (!s->greeted || s->mail)
		return answer(s, "MAIL", "503 5.5.1 not now");
	if ((reply = auth_missing(s)) != NULL)
		return answer(s, "MAIL", reply);
	if (!cut_path(&arg, "FROM:", &s->from))
		return answer(s, "MAIL", "501 5.5.4 MAIL FROM:<address>");
	reply = take_params(s, arg, false);
	if (reply == NULL)
		reply = utf8_fault(s, &s->from);
	if (reply == NULL)
		reply = mails_over(s);
	if (reply == NULL)
		reply = rule_for(&refuse_mail, buf_str(&s->from));
	s->mail = reply == NULL || *reply == '2';
	tell(s, "MAIL", &s->from, reply ? reply : "250 2.1.0 ok", arg);
	if (!s->mail)
		forget(s);
	return true;
}

static bool
on_rcpt(struct session *s, struct span arg)
{
	struct buf to = {0};
	const char *reply;
	long long limit = atoll(max_rcpt);

	if (!s->mail || s->chunks)
		return answer(s, "RCPT", "503 5.5.1 not now");
	s->asked++;
	if (!cut_path(&arg, "TO:", &to) || to.n == 0) {
		buf_free(&to);
		return answer(s, "RCPT", "501 5.5.4 RCPT TO:<address>");
	}
	reply = take_params(s, arg, true);
	if (reply == NULL)
		reply = utf8_fault(s, &to);
	if (reply == NULL && (long long)s->to.n >= limit)
		reply = "452 4.5.3 too many recipients";
	if (reply == NULL)
		reply = rule_for(&refuse, buf_str(&to));
	if (reply == NULL || *reply == '2')
		*vec_add(&s->to) = span_dup(buf_span(&to));
	tell(s, "RCPT", &to, reply ? reply : "250 2.1.5 ok", arg);
	buf_free(&to);
	return true;
}

/* DATA and BDAT */

/* NULL when a text may come, otherwise the reply. */
static const char *
text_fault(struct session *s)
{
	if (s->to.n == 0)
		return s->asked > 0 ? "554 5.5.1 no valid recipients" :
		    "503 5.5.1 RCPT first";
	return rule_for_letter(&refuse_data, s);
}

static bool
on_data(struct session *s, struct span arg)
{
	const char *reply = text_fault(s);
	struct span r;
	size_t i;

	if (arg.n > 0 || s->chunks)
		reply = "503 5.5.1 no DATA here";
	if (reply == NULL && !start_letter(s))
		reply = "451 4.3.0 cannot keep it";
	if (reply != NULL)
		return answer(s, "DATA", reply);
	say(s, "354 go ahead");
	while (!s->text.ended) {
		if (!hear(s)) {
			notef("LOST", NULL, "DATA");
			return false;
		}
		if (stuck(s, "TEXT"))
			return false;
		r = rest(s);
		for (i = 0; i < r.n && !s->text.ended; i++)
			text_octet(&s->text, s->letter.f, (unsigned char)r.p[i],
			    true);
		s->at += i;
	}
	return finish(s, "DATA");
}

/* The octets of a chunk are read whatever becomes of them (RFC 3030 section 4.2). */
static bool
swallow(struct session *s, long long n)
{
	struct span r;

	while (n > 0) {
		r = rest(s);
		if (r.n == 0 && !hear(s)) {
			notef("LOST", NULL, "BDAT");
			return false;
		}
		r = rest(s);
		if ((long long)r.n > n)
			r.n = (size_t)n;
		for (size_t i = 0; i < r.n && s->letter.f; i++)
			text_octet(&s->text, s->letter.f, (unsigned char)r.p[i],
			    false);
		s->at += r.n;
		n -= (long long)r.n;
	}
	return true;
}

static bool
on_bdat(struct session *s, struct span arg)
{
	const char *reply = text_fault(s);
	struct span number = { arg.p, span_find(arg, ' ') };
	struct span last = span_from(arg, number.n + 1);
	long long n;

	if (!offered("CHUNKING"))
		return answer(s, "BDAT", "502 5.5.1 not offered");
	if (!span_number(number, &n) ||
	    (last.n > 0 && !span_ieq(last, SPAN("LAST")))) {
		answer(s, "BDAT", "501 5.5.4 BDAT size [LAST]");
		return false;	/* where the octets end nobody knows */
	}
	if (reply == NULL && !s->chunks && !start_letter(s))
		reply = "451 4.3.0 cannot keep it";
	s->chunks = reply == NULL;
	if (!swallow(s, n) || (last.n > 0 && stuck(s, "TEXT")))
		return false;
	if (reply != NULL) {
		forget(s);
		return answer(s, "BDAT", reply);
	}
	return last.n > 0 ? finish(s, "BDAT") :
	    answer(s, "BDAT", "250 2.0.0 go on");
}

/* The other verbs */

static bool
hello(struct session *s, const char *verb, struct span arg)
{
	struct span all = span_of(ext), one;

	forget(s);
	if (no_ehlo)
		return answer(s, verb, "502 5.5.1 not here");
	if (*ehlo_reply != '2')
		return answer(s, verb, ehlo_reply);
	if (arg.n == 0)
		return answer(s, verb, "501 5.5.4 a name is missing");
	note_arg(verb, arg, "250");
	buf_clear(&s->helo);
	buf_addspan(&s->helo, arg);
	s->greeted = s->esmtp = true;
	s->answered++;
	buf_adds(&s->say, "250-sink.test\r\n");
	if (offered("ETRN"))
		buf_adds(&s->say, "250-ETRN\r\n");
	auth_ehlo(s);
	if (tls_offered(s))
		buf_adds(&s->say, "250-STARTTLS\r\n");
	while (span_cut(&all, ',', &one))
		if (!span_ieq(one, SPAN("ETRN")))
			buf_addf(&s->say, "250-%.*s\r\n", (int)one.n, one.p);
	buf_adds(&s->say, "250 HELP\r\n");
	return true;
}

/* RFC 2033 section 4.1: LMTP knows no EHLO and no HELO. */
static bool
on_ehlo(struct session *s, struct span arg)
{
	if (lmtp)
		return answer(s, "EHLO", "500 5.5.1 this is LMTP");
	return hello(s, "EHLO", arg);
}

static bool
on_lhlo(struct session *s, struct span arg)
{
	if (!lmtp)
		return answer(s, "LHLO", "500 5.5.1 this is SMTP");
	return hello(s, "LHLO", arg);
}

static bool
on_helo(struct session *s, struct span arg)
{
	forget(s);
	if (lmtp)
		return answer(s, "HELO", "500 5.5.1 this is LMTP");
	if (arg.n == 0)
		return answer(s, "HELO", "501 5.5.4 HELO name");
	s->greeted = true;
	s->esmtp = false;
	return answer(s, "HELO", "250 sink.test");
}

static bool
on_rset(struct session *s, struct span arg)
{
	(void)arg;
	forget(s);
	return answer(s, "RSET", "250 2.0.0 ok");
}

static bool
on_noop(struct session *s, struct span arg)
{
	(void)arg;
	return answer(s, "NOOP", "250 2.0.0 ok");
}

static bool
on_quit(struct session *s, struct span arg)
{
	(void)arg;
	answer(s, "QUIT", "221 2.0.0 bye");
	return false;
}

/* No shell: the node is one argument, and looks like one. */
static void
etrn_start(struct session *s, char *node)
{
	sigset_t none;
	pid_t pid;

	flush(s);
	if ((pid = fork()) < 0)
		die("fork");
	if (pid > 0)
		return;
	close(0);
	if (open("/dev/null", O_RDONLY) != 0 || dup2(2, 1) < 0)
		_exit(126);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execlp(etrn, etrn, node, (char *)NULL);
	fprintf(stderr, "sink: %s: %s\n", etrn, strerror(errno));
	_exit(127);
}

static bool
node_good(struct span node)
{
	for (size_t i = 0; i < node.n; i++)
		if (!isalnum((unsigned char)node.p[i]) &&
		    strchr("-._[]:@#", node.p[i]) == NULL)
			return false;
	return node.n > 0 && node.p[0] != '-';
}

static bool
on_etrn(struct session *s, struct span arg)
{
	char *node = span_dup(arg);
	const char *rule = rule_for(&etrn_reply, node), *reply = rule;

	if (!offered("ETRN"))
		reply = "502 5.5.1 not offered";
	else if (s->mail || !s->greeted)
		reply = "503 5.5.1 not now";
	else if (!node_good(arg))
		reply = "501 5.5.4 not a node";
	else if (rule == NULL)
		reply = "250 2.0.0 queuing started";
	note_arg("ETRN", arg, reply);
	say(s, reply);
	if (etrn != NULL && *reply == '2')
		etrn_start(s, node);
	free(node);
	return true;
}

/* What was said in the clear is forgotten (RFC 3207 section 4.2). */
static bool
on_starttls(struct session *s, struct span arg)
{
	if (!tls_offered(s))
		return answer(s, "STARTTLS", "502 5.5.1 not offered");
	if (arg.n > 0)
		return answer(s, "STARTTLS", "501 5.5.4 no parameters");
	if (s->mail || !s->esmtp)
		return answer(s, "STARTTLS", "503 5.5.1 not now");
	answer(s, "STARTTLS", starttls_reply);
	if (*starttls_reply != '2')
		return true;
	if (starttls_inject != NULL)
		buf_addf(&s->say, "%s\r\n", starttls_inject);
	forget(s);
	s->greeted = s->esmtp = false;
	return flush(s) && !stuck(s, "TLS") && tls_begin(s);
}

static const struct verb {
	const char *name;
	bool last;		/* of a group, RFC 2920 section 3.1 */
	bool (*run)(struct session *, struct span arg);
} verbs[] = {
	{ "EHLO", true, on_ehlo },
	{ "HELO", true, on_helo },
	{ "LHLO", true, on_lhlo },
	{ "MAIL", false, on_mail },
	{ "RCPT", false, on_rcpt },
	{ "DATA", true, on_data },
	{ "BDAT", false, on_bdat },
	{ "RSET", false, on_rset },
	{ "NOOP", true, on_noop },
	{ "QUIT", true, on_quit },
	{ "ETRN", true, on_etrn },
	{ "AUTH", true, on_auth },
	{ "STARTTLS", true, on_starttls },
};

static bool
execute(struct session *s, struct span line)
{
	struct span name = { line.p, span_find(line, ' ') };
	struct span arg = span_from(line, name.n + 1);
	const struct verb *v = verbs, *end = v + sizeof verbs / sizeof *verbs;

	while (v < end && !span_ieq(name, span_of(v->name)))
		v++;
	if (v == end) {
		note_arg("UNKNOWN", line, "500");
		say(s, "500 5.5.2 unknown command");
		return true;
	}
	if (s->answered >= atoll(drop_after)) {
		s->rude = true;
		notef("DROP", NULL, v->name);
		return false;
	}
	if (rest(s).n > 0 && v->run != on_bdat &&
	    (v->last || !s->esmtp || !offered("PIPELINING"))) {
		notef("EARLY", "554", v->name);
		say(s, "554 5.5.1 more came before this was answered");
		return false;
	}
	return !stuck(s, v->name) && v->run(s, arg) && !s->over;
}

/* One command; false when the session is over. */
static bool
command(struct session *s)
{
	struct span r = rest(s), line;
	size_t n;
	bool more;

	while ((n = span_find(r, '\n')) == r.n &&
	    r.n < auth_line_max(r, LINE_MAX_IN)) {
		if (!hear(s)) {
			notef("CLOSED", NULL, "");
			return false;
		}
		r = rest(s);
	}
	if (n >= auth_line_max(r, LINE_MAX_IN)) {
		notef("LONG", "500", "");
		say(s, "500 5.5.2 line too long");
		return false;
	}
	s->at += n + 1;
	if (n == 0 || r.p[n - 1] != '\r' ||
	    memchr(r.p, '\r', n - 1) || memchr(r.p, '\0', n)) {
		note_arg("BARE", (struct span){ r.p, n }, "554");
		say(s, "554 5.5.2 bare CR or LF, or a NUL");
		return true;
	}
	line = (struct span){ span_dup((struct span){ r.p, n - 1 }), n - 1 };
	more = execute(s, line);
	free((char *)(uintptr_t)line.p);
	return more;
}

/*
 * The last words and the end go in one piece: so it is always this side that
 * closed first and has the connection in TIME_WAIT, where those who watch
 * /proc/net/tcp for sessions see the shortest one, too.
 */
static void
part(struct session *s)
{
	char rest_of[4096];
	int on = 1;

	setsockopt(s->out, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
	flush(s);
	tls_part(s);
	shutdown(s->out, SHUT_WR);
	/* unread octets would make the kernel throw the 421 away */
	while (s->over && read(s->in, rest_of, sizeof rest_of) > 0)
		;
}

static void
session(int in, int out)
{
	struct session s = { .in = in, .out = out };
	bool whole = isdigit((unsigned char)banner[0]);

	notef("CONNECT", NULL, "");
	if ((!tls_wrap || tls_begin(&s)) && !stuck(&s, "BANNER")) {
		buf_addf(&s.say, "%s%s\r\n", whole ? "" : "220 ", banner);
		while (command(&s))
			;
	}
	forget(&s);
	part(&s);
	vec_free(&s.to);
	buf_free(&s.got);
	buf_free(&s.say);
	buf_free(&s.helo);
	buf_free(&s.from);
	buf_free(&s.exporter);
	buf_free(&s.unique);
	buf_free(&s.letter.tmp);
	buf_free(&s.letter.new);
}

int
main(int argc, char *argv[])
{
	for (int i = 1; i < argc; i++)
		if (!option(argv[i])) {
			fprintf(stderr, "sink: what is %s?\n", argv[i]);
			return FAULT_USAGE;
		}
	signal(SIGPIPE, SIG_IGN);
	tls_read();
	if (maildir != NULL)
		maildir_make(maildir);
	if (log_file != NULL && (log_fd = open(log_file,
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) < 0)
		die(log_file);
	if (!use_stdio) {
		serve(bind_to(at_address), port_file, session);
		return 0;
	}
	session(0, 1);
	close(0);
	close(1);
	while (wait(NULL) > 0)
		;
	return 0;
}
