/* Where Postfix's files lie: found, walked, owned; and the logs beside them. */
#include "postfix_file.h"

static void
link_in(const char *target, const char *name)
{
	struct buf path = {0};

	buf_addf(&path, "%s/%s", spool.dir, name);
	if (symlink(target, buf_str(&path)) < 0)
		perror(path.p);
	buf_free(&path);
}

static void
places(void)
{
	static const struct { const char *id, *at; enum state state; } in[] = {
		{ "111111", "hold/111111", STATE_HOLD },
		{ "222222", "incoming/222222", STATE_INCOMING },
		{ "AB3333", "active/A/AB3333", STATE_ACTIVE },
		{ "AB4444", "deferred/A/B/AB4444", STATE_DEFERRED },
		{ "4jY9Wf63hvzFgXB", "deferred/D/0/4jY9Wf63hvzFgXB",
		    STATE_DEFERRED },
		{ "none00", NULL, 0 }, { "../hold/111111", NULL, 0 },
		{ "A", NULL, 0 }, { "", NULL, 0 }, { "x/y", NULL, 0 },
	};
	static const char *const made[] = { "active/A", "deferred/A",
	    "deferred/A/B", "deferred/D", "deferred/D/0", NULL };
	struct entry at = {0};
	struct err e = {0};
	int r;

	dirs(made);
	for (size_t i = 0; i < sizeof in / sizeof *in; i++) {
		if (in[i].at != NULL)
			write_file(in[i].at, "", 0, 0700);
		r = spool.kind->find(&spool, in[i].id, &at, &e);
		ok(in[i].at == NULL ? r == 0 : r == 1 &&
		    at.state == in[i].state &&
		    strcmp(buf_str(&at.ref) + strlen(spool.dir) + 1,
		    in[i].at) == 0, "find `%s'", in[i].id);
	}
	buf_free(&at.ref);
}

static void
owned(void)
{
	static const struct { const char *ref; int want; } refs[] = {
		{ "deferred/ABCDEF", 1 }, { "deferred/A/B/ABCDEF", 1 },
		{ "saved/ABCDEF", 1 }, { "maildrop/ABCDEF", 1 },
		{ "defer/ABCDEF", 0 }, { "other/ABCDEF", 0 },
		{ "deferred/A", 0 }, { "deferred/AB/ABCDEF", 0 },
		{ "deferred/../deferred/ABCDEF", 0 },
		{ "deferred/./ABCDEF", 0 }, { "deferred//ABCDEF", 0 },
		{ "deferred/AB.CDEF", 0 }, { "deferred/AB CDEF", 0 },
		{ "deferred/LINKED", 0 }, { "deferred/L/ABCDEF", 0 },
		{ "ABCDEF", 0 },
	};
	struct buf ref = {0}, dir = {0};

	link_in("ABCDEF", "deferred/LINKED");
	link_in("A", "deferred/L");
	for (size_t i = 0; i < sizeof refs / sizeof *refs; i++) {
		buf_clear(&ref);
		buf_clear(&dir);
		buf_addf(&ref, "%s/%s", spool.dir, refs[i].ref);
		ok(spool.kind->owns(buf_str(&ref), &dir) == refs[i].want &&
		    (!refs[i].want || span_is(buf_span(&dir), spool.dir)),
		    "%s %s", refs[i].ref, refs[i].want ? "ours" : "not ours");
	}
	ok(!spool.kind->owns("deferred/ABCDEF", &dir) &&
	    !spool.kind->owns("/deferred/ABCDEF", &dir), "no queue at all");
	buf_free(&ref);
	buf_free(&dir);
}

/* Links and strange names are passed by; so are files half made. */
static void
walked(void)
{
	struct buf b = {0};
	struct entry at = {0};
	struct err e = {0};
	struct walk *w;
	int n = 0, strange = 0;

	records(&b, TOP "Ra@y|" TEXT);
	write_file("deferred/123.456", b.p, b.n, 0700);
	write_file("deferred/ABCDE#FIX", b.p, b.n, 0700);
	write_file("hold/x", b.p, b.n, 0700);
	w = spool.kind->walk(&spool, STATES_ALL, &e);
	while (spool.kind->next(w, &at, &e) > 0) {
		const char *name = ref_name(buf_str(&at.ref));
		struct message m = {0};

		n++;
		strange += strpbrk(name, ".#") != NULL || name[1] == '\0';
		if (strcmp(name, "LINKED") == 0)
			ok(spool.kind->read(&spool, &at, 0, &m, &e) == 0,
			    "a link is no message");
		message_free(&m);
	}
	ok(n == 6 && strange == 0 && e.fault == FAULT_NONE, "%d walked", n);
	spool.kind->walk_end(w);
	buf_free(&at.ref);
	buf_free(&b);
}

static void
reasons(void)
{
	/* T at 0, S at 5, R at 10, 15 and 20, D at 25 */
	static const char log[] = "\n<a@y>: old words\nrecipient=a@y\noffset=10\n"
	    "status=4.0.1\nreason=first\n\n\n<a@y>: x\nrecipient=a@y\n"
	    "offset=15\nstatus=4.0.2\nreason=second\n\n\nrecipient=a@y\n"
	    "offset=10\nstatus=4.0.3\nreason=later\n\n\nrecipient=z@y\n"
	    "offset=99\nreason=nobody's\n\n\nrecipient=a@y\noffset=25\n"
	    "reason=too late\n\n\n<b@y>: only this\n\n"
	    "garbage\n=\n\0\noffset=xyz\n";
	struct buf b = {0};
	struct message m = {0};
	struct err e = {0};

	records(&b, TOP "Ra@y|Ra@y|Rb@y|Da@y|" TEXT);
	write_file("deferred/EEEEEE", b.p, b.n, 0700);
	write_file("defer/EEEEEE", log, sizeof log - 1, 0600);
	if (ok(read_at("deferred/EEEEEE", STATE_DEFERRED, &m, &e) == 1,
	    "read with its log %s", e.text)) {
		is(m.env.rcpts.p[0].reason, "later", "the last one counts");
		is(m.env.rcpts.p[0].status, "4.0.3", "and its status");
		is(m.env.rcpts.p[1].reason, "second", "by offset");
		is(m.env.rcpts.p[2].reason, "only this", "the oldest form");
		is(m.env.rcpts.p[3].reason, NULL, "none of what is done");
	}
	message_free(&m);
	buf_free(&b);
}

int
main(void)
{
	make_spool();
	places();
	owned();
	walked();
	reasons();
	remove_spool();
	return done_testing();
}
