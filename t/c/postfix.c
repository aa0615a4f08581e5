/*
 * Postfix queue files made by hand and real ones broken: every record, damage,
 * cuts at every octet.
 */
#include "postfix_file.h"

/* All of the text; false when it is damaged. */
static bool
text_of(const char *ref, struct buf *text, struct err *e)
{
	struct span piece;
	struct body b;
	int r;

	if (spool.kind->body(&spool, ref, &b, e) != 1)
		return false;
	while ((r = b.next(&b, &piece, e)) > 0)
		buf_addspan(text, piece);
	body_close(&b);
	return r == 0;
}

static void
say(struct buf *b, const struct message *m)
{
	const struct envelope *v = &m->env;

	buf_addf(b, "%s %lld <%s>", state_name(m->state), (long long)m->arrival,
	    v->sender ? v->sender : "?");
	if (v->envid)
		buf_addf(b, " id=%s", v->envid);
	if (v->ret)
		buf_addf(b, " ret=%d", (int)v->ret);
	if (v->body)
		buf_addf(b, " %dbit", v->body == BODY_7BIT ? 7 : 8);
	if (v->smtputf8)
		buf_adds(b, " utf8");
	for (size_t i = 0; i < v->rcpts.n; i++) {
		const struct rcpt *r = &v->rcpts.p[i];

		buf_addf(b, " %c%s", r->done ? '-' : '+', r->address);
		if (r->orcpt)
			buf_addf(b, "(%s)", r->orcpt);
		if (r->notify)
			buf_addf(b, "/%u", r->notify);
	}
}

static const struct {
	const char *name, *records;
	int want;		/* of read; 65: -1 with that fault */
	const char *says, *text;
} rows[] = {
	{ "plain", TOP "Ra@y|" TEXT, 1, "deferred 7 <s@x> +a@y", "hi\r\n" },
	{ "old time", "T9|Ss@x|Ra@y|" TEXT, 1, "deferred 9 <s@x> +a@y", NULL },
	{ "first time, first sender", TOP "T8|Sz@z|Ra@y|" TEXT, 1,
	    "deferred 7 <s@x> +a@y", NULL },
	{ "null sender", "T7|S|Ra@y|" TEXT, 1, "deferred 7 <> +a@y", NULL },
	{ "raw addresses", "T7|So dd@x|Ra@b@y|" TEXT, 1,
	    "deferred 7 <\"o dd\"@x> +\"a@b\"@y", NULL },
	{ "after the text", TOP "M|Nhi|X|Ra@y|Db@y|E", 1,
	    "deferred 7 <s@x> +a@y -b@y", "hi\r\n" },
	{ "all done", TOP "Da@y|Db@y|" TEXT, 1, "done 7 <s@x> -a@y -b@y", NULL },
	{ "nobody", TOP TEXT, 1, "done 7 <s@x>", NULL },
	{ "cancelled", TOP "Oq@q|on;q|n1|/c@y|Ra@y|" TEXT, 1,
	    "deferred 7 <s@x> +a@y", NULL },
	{ "attributes", TOP "Aenvelope_id=e+1|Aret_flags=2|Aencoding=8bit|"
	    "Adsn_orig_rcpt=rfc822;o@y|Anotify_flags=6|Ra@y|Rb@y|" TEXT, 1,
	    "deferred 7 <s@x> id=e+1 ret=2 8bit +a@y(rfc822;o@y)/6 +b@y", NULL },
	{ "in records of their own", TOP "ie|<1|orfc822;o@y|n1|Ra@y|" TEXT, 1,
	    "deferred 7 <s@x> id=e ret=1 +a@y(rfc822;o@y)/1", NULL },
	{ "before rewriting", TOP "Oo@y|Da@y|Rb@y|O|Rc@y|" TEXT, 1,
	    "deferred 7 <s@x> -a@y(rfc822;o@y) +b@y +c@y", NULL },
	{ "encoding behind the text", TOP "Aencoding=8bit|Ra@y|"
	    "M|Nhi|X|Aencoding=7bit|E", 1, "deferred 7 <s@x> 7bit +a@y", NULL },
	{ "unknown records", TOP "Zwhat|Ahmm|Akey=v|Ra@y|" TEXT, 1,
	    "deferred 7 <s@x> +a@y", NULL },
	{ "padding", TOP "w****|Ra@y|M|wxx|Nhi|X|E", 1,
	    "deferred 7 <s@x> +a@y", "hi\r\n" },
	{ "UTF-8", TOP "R\303\274@y|" TEXT, 1,
	    "deferred 7 <s@x> +\303\274@y", NULL },
	{ "few numbers", "C  90  38|" TOP "Ra@y|" TEXT, 1,
	    "deferred 7 <s@x> +a@y", "hi\r\n" },
	{ "numbers that lie", "C  7  99999999999999  1  0|" TOP "Ra@y|" TEXT, 1,
	    "deferred 7 <s@x> +a@y", "hi\r\n" },
	{ "pointer not yet used", TOP "Ra@y|p              0|" TEXT, 1,
	    "deferred 7 <s@x> +a@y", NULL },
	/* 44: behind the E; 27: back to the M */
	{ "pointers", TOP "p             44|M|Nhi|X|w*5.|E|Ra@y|p             27",
	    1, "deferred 7 <s@x> +a@y", "hi\r\n" },
	{ "pointer in the text", TOP "Ra@y|M|Nold|p             45|Nskip|Nnew|X|E",
	    1, "deferred 7 <s@x> +a@y", "old\r\nnew\r\n" },
	{ "parts", TOP "Ra@y|M|La|Lb|Nc|Ld|X|E", 1, "deferred 7 <s@x> +a@y",
	    "abc\r\nd\r\n" },
	{ "no text", TOP "Ra@y|M|X|E", 1, "deferred 7 <s@x> +a@y", "" },
	{ "empty recipient", TOP "R|" TEXT, 1,
	    "deferred 7 <s@x> +MAILER-DAEMON", NULL },

	{ "no E", TOP "Ra@y|M|Nhi|X", 0, NULL, NULL },
	{ "no X", TOP "Ra@y|M|Nhi", 0, NULL, NULL },
	{ "no M", TOP "Ra@y", 0, NULL, NULL },
	{ "nothing", "", 0, NULL, NULL },
	{ "no sender", "T7|Ra@y|" TEXT, 65, NULL, NULL },
	{ "no time", "Ss@x|Ra@y|" TEXT, 65, NULL, NULL },
	{ "no numbers", "Cx|" TOP TEXT, 65, NULL, NULL },
	{ "no flags", TOP "nx|Ra@y|" TEXT, 65, NULL, NULL },
	{ "E too early", TOP "Ra@y|E", 65, NULL, NULL },
	{ "E in the text", TOP "Ra@y|M|E", 65, NULL, NULL },
	{ "two texts", TOP "Ra@y|M|X|M|X|E", 65, NULL, NULL },
	{ "recipient in the text", TOP "M|Ra@y|X|E", 65, NULL, NULL },
	{ "endless address", TOP "R*2049a|" TEXT, 65, NULL, NULL },
	{ "pointer to itself", TOP "p             10|" TEXT, 65, NULL, NULL },
	{ "pointer beyond", TOP "p          99999|" TEXT, 65, NULL, NULL },
	{ "pointer to nothing", TOP "pxyz|" TEXT, 65, NULL, NULL },
	{ "pointer below 0", TOP "p             -1|" TEXT, 65, NULL, NULL },
};

static void
rows_read(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf b = {0}, said = {0}, text = {0};
		struct message m = {0};
		struct err e = {0};
		int r;

		records(&b, rows[i].records);
		write_file("deferred/ABCDEF", b.p, b.n, 0700);
		r = read_at("deferred/ABCDEF", STATE_DEFERRED, &m, &e);
		ok(r == (rows[i].want == 65 ? -1 : rows[i].want) &&
		    (r >= 0 || (int)e.fault == rows[i].want), "%s: %d %s",
		    rows[i].name, r, e.text);
		if (r == 1) {
			say(&said, &m);
			is(buf_str(&said), rows[i].says, rows[i].name);
		}
		if (r == 1 && rows[i].text != NULL) {
			ok(text_of(m.ref, &text, &e), "text %s", e.text);
			is(buf_str(&text), rows[i].text, "text");
		}
		message_free(&m);
		buf_free(&b);
		buf_free(&said);
		buf_free(&text);
	}
}

/* Octets that no record() makes. */
static void
damage(void)
{
	static const struct {
		const char *name;
		struct span file;
	} bad[] = {
		{ "NUL", SPAN("T\0017S\003s@xR\004a\0@yM\0X\0E\0") },
		{ "type NUL", SPAN("T\0017\0\0") },
		{ "length without end", SPAN("T\377\377\377\377\377\377\377") },
		{ "length beyond the file", SPAN("T\377\377\377\177xx") },
		{ "length cut", SPAN("T\0017S\200") },
	};
	struct message m = {0};
	struct err e = {0};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		write_file("deferred/ABCDEF", bad[i].file.p, bad[i].file.n, 0700);
		ok(read_at("deferred/ABCDEF", STATE_DEFERRED, &m, &e) == -1 &&
		    e.fault == FAULT_DATA && strstr(e.text, "deferred/ABCDEF"),
		    "%s: %s", bad[i].name, e.text);
	}
	ok(read_at("corrupt/ABCDEF", STATE_CORRUPT, &m, &e) == 0, "gone");
	write_file("corrupt/ABCDEF", bad[0].file.p, bad[0].file.n, 0700);
	ok(read_at("corrupt/ABCDEF", STATE_CORRUPT, &m, &e) == 1,
	    "of a corrupt one what can be had");
	is(m.env.sender, "s@x", "its sender");
	message_free(&m);
}

/* A line over 998 octets as smtp(8) breaks it. */
static void
long_lines(void)
{
	static const struct {
		const char *name, *records;
		size_t want;
	} lines[] = {
		{ "997", "N*997x", 999 }, { "998", "N*998x", 1000 },
		{ "999", "N*999x", 1004 }, { "1995", "N*1995x", 2000 },
		{ "1996", "N*1996x", 2004 },
		{ "in parts", "L*998x|N", 998 + 3 + 2 },
		{ "part at the end", "L*998x", 998 + 3 + 2 },
		{ "long parts", "L*2048x|L*2048x|N*904x", 5000 + 6 * 3 - 1 },
	};

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct buf b = {0}, text = {0}, ref = {0};
		struct err e = {0};
		size_t width = 0, widest = 0;

		records(&b, TOP "Ra@y|M");
		records(&b, lines[i].records);
		records(&b, "X|E");
		write_file("deferred/ABCDEF", b.p, b.n, 0700);
		buf_addf(&ref, "%s/deferred/ABCDEF", spool.dir);
		text_of(buf_str(&ref), &text, &e);
		for (size_t k = 0; k < text.n; k++) {
			width = text.p[k] == '\n' ? 0 : width + 1;
			widest = width > widest ? width : widest;
		}
		ok(text.n == lines[i].want && widest <= 999 && width == 0,
		    "%s: %zu octets", lines[i].name, text.n);
		buf_free(&b);
		buf_free(&text);
		buf_free(&ref);
	}
}

static void
modes(void)
{
	static const struct { mode_t mode; int want; enum state state; } m[] = {
		{ 0700, 1, STATE_DEFERRED }, { 0740, 1, STATE_DEFERRED },
		{ 0710, 1, STATE_DEFERRED }, { 0744, 1, STATE_DEFERRED },
		{ 0400, 1, STATE_CORRUPT }, { 0600, 0, 0 }, { 0500, 0, 0 },
	};
	struct buf b = {0}, path = {0};

	buf_addf(&path, "%s/deferred/FEDCBA", spool.dir);
	records(&b, TOP "Ra@y|" TEXT);
	for (size_t i = 0; i < sizeof m / sizeof *m; i++) {
		struct message got = {0};
		struct err e = {0};
		int r;

		write_file("deferred/FEDCBA", b.p, b.n, m[i].mode);
		r = read_at("deferred/FEDCBA", STATE_DEFERRED, &got, &e);
		ok(r == m[i].want && (r == 0 || got.state == m[i].state) &&
		    got.forced_expire == (m[i].mode == 0710),
		    "mode %o", (unsigned)m[i].mode);
		message_free(&got);
		unlink(buf_str(&path));	/* only root may write over it */
	}
	buf_free(&b);
	buf_free(&path);
}

/* Read and its text taken: whatever it is, it ends, and damage has words. */
static bool
survives(const char *path)
{
	struct buf text = {0}, ref = {0};
	struct message m = {0};
	struct err e = {0};
	bool good;
	int r = read_at(path, STATE_DEFERRED, &m, &e);

	good = r >= -1 && r <= 1 && (r == -1) == (e.fault != FAULT_NONE);
	buf_addf(&ref, "%s/%s", spool.dir, path);
	err_clear(&e);
	if (!text_of(buf_str(&ref), &text, &e) && r == 1)
		good = good && e.fault == FAULT_DATA;
	good = good && text.n < 1 << 20;
	message_free(&m);
	buf_free(&text);
	buf_free(&ref);
	return good;
}

static void
load(struct buf *b, const char *path)
{
	struct buf full = {0};
	size_t n;
	FILE *f;

	buf_clear(b);
	buf_addf(&full, "%s/%s", tmp, path);
	f = fopen(buf_str(&full), "r");
	while (f != NULL && (n = fread(buf_room(b, 4096), 1, 4096, f)) > 0)
		b->n += n;
	if (f != NULL)
		fclose(f);
	buf_free(&full);
}

static const char *const victims[] = {
	"samples/postfix/default/spool/deferred/D/D52A21BA572",
	"samples/postfix/default/spool/deferred/D/D5E901BA582",
	"samples/postfix/default/spool/hold/E22911BA623",
	"samples/postfix/default/spool/maildrop/027261BA094",
	"samples/postfix/hashed/spool/deferred/C/8/4jY9Wf5qkYzFgX5",
};

static void
cuts(void)
{
	struct buf b = {0}, path = {0};
	struct message m;
	struct err e;
	bool good = true;
	int whole = 0;

	buf_addf(&path, "%s/deferred/CCCCCC", spool.dir);
	for (size_t i = 0; i < sizeof victims / sizeof *victims; i++) {
		load(&b, victims[i]);
		write_file("deferred/CCCCCC", b.p, b.n, 0700);
		for (size_t n = b.n; good && n > 0; n--) {
			good = truncate(buf_str(&path), (off_t)n) == 0 &&
			    survives("deferred/CCCCCC");
			m = (struct message){0};
			whole += read_at("deferred/CCCCCC", STATE_DEFERRED,
			    &m, &e) == 1;
			message_free(&m);
		}
		ok(good && b.n > 100, "%s cut everywhere", victims[i]);
	}
	ok(whole == sizeof victims / sizeof *victims, "none is whole but uncut");
	buf_free(&b);
	buf_free(&path);
}

/* One to four octets changed; the seed is fixed, the numbers are our own. */
static void
garbage(void)
{
	unsigned long x = 2026;
	struct buf b = {0};
	bool good = true;

	for (int i = 0; i < 2000 && good; i++) {
		load(&b, victims[i % 5]);
		for (int k = i % 4; k >= 0; k--) {
			x = x * 6364136223846793005ul + 1442695040888963407ul;
			b.p[(x >> 33) % b.n] = (char)(x >> 20);
		}
		write_file("deferred/DDDDDD", b.p, b.n, 0700);
		good = survives("deferred/DDDDDD");
	}
	ok(good, "garbage");
	buf_free(&b);
}

int
main(void)
{
	struct buf samples = {0};

	make_spool();
	buf_addf(&samples, "%s/samples", tmp);
	run((const char *[]){ "t/samples/unpack", buf_str(&samples), NULL });
	buf_free(&samples);
	rows_read();
	damage();
	long_lines();
	modes();
	cuts();
	garbage();
	remove_spool();
	return done_testing();
}
