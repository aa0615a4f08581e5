/* Whose password netrc has. */
#include "../tap.h"

#include "net/secret.h"

static const struct {
	const char *name, *text, *host, *user;
	const char *want;	/* NULL: r */
	int r;
} rows[] = {
	{ "one line", "machine mx.test login u password p\n", "mx.test", "u", "p", 1 },
	{ "no newline", "machine mx.test login u password p", "mx.test", "u", "p", 1 },
	{ "many lines", "machine mx.test\n\tlogin u\n\tpassword p\n", "mx.test", "u",
	    "p", 1 },
	{ "CRLF", "machine mx.test\r\nlogin u\r\npassword p\r\n", "mx.test", "u",
	    "p", 1 },
	{ "password first", "machine mx.test password p login u", "mx.test", "u",
	    "p", 1 },
	{ "hosts in either case", "machine MX.Test login u password p", "mx.test",
	    "u", "p", 1 },
	{ "keywords in either case", "MACHINE a Login u PassWord p", "a", "u", "p", 1 },
	{ "users are not", "machine mx.test login U password p", "mx.test", "u",
	    NULL, 0 },
	{ "other host", "machine a login u password p", "b", "u", NULL, 0 },
	{ "other user", "machine a login v password p", "a", "u", NULL, 0 },
	{ "the second user", "machine a login v password q\n"
	    "machine a login u password p", "a", "u", "p", 1 },
	{ "the first that fits", "machine a login u password p\n"
	    "machine a login u password q", "a", "u", "p", 1 },
	{ "no login: everybody", "machine a password p", "a", "u", "p", 1 },
	{ "no password", "machine a login u\nmachine b password p", "a", "u",
	    NULL, 0 },
	{ "any user", "machine a login v password p", "a", NULL, "p", 1 },
	{ "default", "machine a login u password q\ndefault login u password p", "b",
	    "u", "p", 1 },
	{ "default, other user", "default login v password p", "b", "u", NULL, 0 },
	{ "default is not reached", "machine a login u password p\n"
	    "default login u password q", "a", "u", "p", 1 },
	{ "no host: default only", "machine a password q default password p", NULL,
	    "u", "p", 1 },
	{ "account", "machine a login u account x password p", "a", "u", "p", 1 },
	{ "a value that is a keyword", "machine a login password password machine",
	    "a", "password", "machine", 1 },
	{ "empty", "", "a", "u", NULL, 0 },
	{ "blanks", " \n\t\r\n", "a", "u", NULL, 0 },

	{ "comment", "# machine a password q\nmachine a # it\npassword p # is\n",
	    "a", "u", "p", 1 },
	{ "# in a value", "machine a password #p\n", "a", "u", "#p", 1 },
	{ "an odd number of quotes in a comment", "# it\"s\nmachine a password p",
	    "a", "u", "p", 1 },

	{ "quoted", "machine a password \"two words\"", "a", "u", "two words", 1 },
	{ "quoted \\", "machine a password \"\\\"\\\\\\x\\t\"", "a", "u", "\"\\x\t",
	    1 },
	{ "quoted user", "machine a login \"u v\" password p", "a", "u v", "p", 1 },
	{ "quoted keyword is none", "machine a \"password\" p", "a", "u", NULL, -1 },
	{ "quoted #", "machine a password \"#\"", "a", "u", "#", 1 },
	{ "a \\ as any other", "machine a password a\\b", "a", "u", "a\\b", 1 },
	{ "quotes inside", "machine a password a\"b", "a", "u", "a\"b", 1 },
	{ "nothing quoted", "machine a password \"\"", "a", "u", "", 1 },

	{ "macro", "machine a password p\nmacdef init\nmachine b password q\n\n"
	    "machine b password r\n", "b", "u", "r", 1 },
	{ "macro, CRLF", "macdef init\r\ncd x\r\n\r\nmachine b password r\r\n", "b",
	    "u", "r", 1 },
	{ "macro to the end", "macdef init\nmachine b password q", "b", "u", NULL, 0 },
	{ "macro within an entry", "machine a login u\nmacdef m\nbin\n\npassword p",
	    "a", "u", "p", 1 },

	{ "not a keyword", "machine a password two words", "a", "u", NULL, -1 },
	{ "before a machine", "password p machine a", "a", "u", NULL, -1 },
	{ "ends at password", "machine a password", "a", "u", NULL, -1 },
	{ "ends at machine", "machine", "a", "u", NULL, -1 },
	{ "ends at macdef", "macdef\n", "a", "u", NULL, -1 },
	{ "open quotation", "machine a password \"p\n", "a", "u", NULL, -1 },
	{ "open quotation at \\", "machine a password \"p\\", "a", "u", NULL, -1 },
	{ "what follows does not matter", "machine a password p\nmachine b \"", "a",
	    "u", "p", 1 },
};

static void
test_odd(void)
{
	struct buf found = {0}, text = {0};
	struct err e = {0};

	ok(netrc_find((struct span){ "machine a password p\0q", 22 }, "a", "u",
	    &found, &e) == -1 && e.fault == FAULT_CONFIG, "a NUL: %s", e.text);
	buf_adds(&text, "machine a password ");
	for (int i = 0; i < 20000; i++)
		buf_addc(&text, 'x');
	ok(netrc_find(buf_span(&text), "a", "u", &found, &e) == -1 &&
	    e.fault == FAULT_CONFIG, "a long word: %s", e.text);
	ok(netrc_find(SPAN("machine b\n\n password secret stuff"), "a", "u", &found,
	    &e) == -1 && strstr(e.text, "line 3") && !strstr(e.text, "stuff"),
	    "the line is told, its words are not: %s", e.text);
	ok(netrc_find((struct span){ NULL, 0 }, "a", "u", &found, &e) == 0,
	    "nothing at all");
	ok(found.n == 0, "nothing is appended then");
	buf_adds(&found, "before ");
	netrc_find(SPAN("default password p"), "a", "u", &found, &e);
	is(buf_str(&found), "before p", "what is found is appended");
	buf_free(&found);
	buf_free(&text);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf found = {0};
		struct err e = {0};
		int r = netrc_find(span_of(rows[i].text), rows[i].host,
		    rows[i].user, &found, &e);

		ok(r == rows[i].r && (r < 0) == (e.fault == FAULT_CONFIG),
		    "%s: %d %s", rows[i].name, r, e.text);
		is(r > 0 ? buf_str(&found) : NULL, rows[i].want, "what is found");
		buf_wipe(&found);
	}
	test_odd();
	return done_testing();
}
