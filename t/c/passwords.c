/* The file of passwords: what it may hold, and that nothing of it is told. */
#include "../tap.h"

#include <sys/stat.h>
#include <unistd.h>

#include "net/passwords.h"

#define KEYS "4096,bWl0IFNhbHo=,C3HEx8UwMOBiQvZKZUWHjg5dWUJ+JhXXSDyNPnRuYyE=," \
	"gGXrrTfYhmK1lSCQyVnTz1VqRdX0nEYGYqF7BWYXnNA="

static const char *path;

static int
read_text(struct passwords *v, const char *text, mode_t mode, struct err *e)
{
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
	chmod(path, mode);
	err_clear(e);
	return passwords_read(v, path, e);
}

#define SIXTY "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
/* longer than any that the server's side has room for */
#define SALT SIXTY SIXTY SIXTY SIXTY SIXTY SIXTY SIXTY SIXTY SIXTY

static const struct { const char *text, *says; } wrong[] = {
	{ "alice\n", "line 1" }, { "alice:hunter2\n", "line 1" },
	{ ":{PLAIN}hunter2\n", "line 1" },
	{ "# x\nalice:{MD5}hunter2\n", "line 2" },
	{ "alice:{PLAIN}\n", "line 1" },
	{ "alice:{SCRAM-SHA-256}hunter2\n", "line 1" },
	{ "alice:{SCRAM-SHA-256}4096,hunter2\n", "line 1" },
	{ "alice:{SCRAM-SHA-256}0,aaaa,aaaa,aaaa\n", "line 1" },
	{ "alice:{SCRAM-SHA-256}-1,aaaa,aaaa,aaaa\n", "line 1" },
	{ "alice:{SCRAM-SHA-256}4096,a!aa,aaaa,aaaa\n", "line 1" },
	{ "alice:{SCRAM-SHA-256}4096,bWl0IFNhbHo=,C3HEx8UwMOA=,C3HEx8UwMOA=\n", "line 1" },
	{ "a:{PLAIN}hunter2\na:{PLAIN}hunter3\n", "line 2" },
	{ "a:{SCRAM-SHA-256}4096," SALT ",WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"
	    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=\n", "line 1" },
};

int
main(void)
{
	char name[] = "/tmp/tidegate.passwords.XXXXXX";
	struct passwords v;
	const struct password *p;
	struct err e = {0};

	close(mkstemp(name));
	path = name;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		ok(read_text(&v, wrong[i].text, 0600, &e) < 0 &&
		    e.fault == FAULT_CONFIG && strstr(e.text, wrong[i].says),
		    "%zu is refused: %s", i, e.text);
		ok(!strstr(e.text, "hunter"), "and nothing of it is told");
		passwords_free(&v);
	}
	ok(read_text(&v, "# users\n\nann:{PLAIN}se: cret \nbob:{SCRAM-SHA-256}" KEYS "\n",
	    0600, &e) == 0, "two users: %s", e.text);
	p = passwords_find(&v, "ann");
	ok(p && span_eq(buf_span(&p->secret), SPAN("se: cret ")), "a secret, as it stands");
	p = passwords_find(&v, "bob");
	ok(p && p->secret.n == 0 && p->iterations == 4096, "keys");
	is(p ? p->salt : NULL, "bWl0IFNhbHo=", "the salt");
	ok(passwords_find(&v, "Ann") == NULL && passwords_find(&v, "") == NULL, "nobody else");
	ok(passwords_plain(&v), "CRAM-MD5 is possible for one");
	passwords_free(&v);
	ok(read_text(&v, "bob:{SCRAM-SHA-256}" KEYS "\n", 0600, &e) == 0 &&
	    !passwords_plain(&v), "and for none");
	passwords_free(&v);
	for (mode_t mode = 0640; mode <= 0644; mode += 4) {
		ok(read_text(&v, "ann:{PLAIN}x\n", mode, &e) < 0 && e.fault == FAULT_CONFIG,
		    "others can read it: %s", e.text);
		passwords_free(&v);
	}
	unlink(path);
	err_clear(&e);
	ok(passwords_read(&v, path, &e) < 0 && e.fault != FAULT_CONFIG, "not there: %s", e.text);
	passwords_free(&v);
	done_testing();
}
