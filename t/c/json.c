#include "../tap.h"

#include "out/json.h"
#include "out/table.h"

static const struct {
	const char *name, *text;
	size_t n;
	const char *want;
} strings[] = {
	{ "plain", "a", 1, "\"k\": \"a\"" },
	{ "empty", "", 0, "\"k\": \"\"" },
	{ "quote, backslash", "\"\\", 2, "\"k\": \"\\\"\\\\\"" },
	{ "controls", "\n\t\x1b\x7f", 4, "\"k\": \"\\u000a\\u0009\\u001b\\u007f\"" },
	{ "a NUL", "a\0b", 3, "\"k\": \"a\\u0000b\"" },
	{ "C1", "\xc2\x9b", 2, "\"k\": \"\\u009b\"" },
	{ "UTF-8", "\xc3\xb6\xe2\x82\xac\xf0\x9f\x98\x80", 9,
	    "\"k\": \"\xc3\xb6\xe2\x82\xac\xf0\x9f\x98\x80\"" },
	{ "not UTF-8", "a\xff", 2,
	    "\"k\": \"a\xef\xbf\xbd\", \"k_hex\": \"61ff\"" },
	{ "a surrogate", "\xed\xa0\x80", 3,
	    "\"k\": \"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\", \"k_hex\": \"eda080\"" },
	{ "cut short", "\xe2\x82", 2,
	    "\"k\": \"\xef\xbf\xbd\xef\xbf\xbd\", \"k_hex\": \"e282\"" },
};

static void
test_strings(void)
{
	struct buf b = {0};

	for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
		buf_clear(&b);
		json_string(&b, "k", (struct span){ strings[i].text, strings[i].n });
		is(buf_str(&b), strings[i].want, strings[i].name);
	}
	buf_free(&b);
}

static void
test_commas(void)
{
	struct buf b = {0};

	json_open(&b, NULL, '{');
	json_open(&b, "list", '[');
	json_string(&b, NULL, SPAN("["));
	json_string(&b, NULL, SPAN("{"));
	json_open(&b, NULL, '{');
	json_close(&b, '}');
	json_close(&b, ']');
	json_number(&b, "n", -5);
	json_bool(&b, "yes", true);
	json_open(&b, "none", '[');
	json_close(&b, ']');
	json_close(&b, '}');
	buf_addc(&b, '\n');
	json_open(&b, NULL, '{');
	is(buf_str(&b), "{\"list\": [\"[\", \"{\", {}], \"n\": -5, "
	    "\"yes\": true, \"none\": []}\n{", "commas come by themselves");
	buf_free(&b);
}

static const struct { long long v; const char *size, *age; } numbers[] = {
	{ 0, "0", "0s" }, { -5, "-5", "0s" }, { 99, "99", "99s" },
	{ 100, "100", "1m" }, { 1023, "1023", "17m" }, { 1024, "1.0k", "17m" },
	{ 10188, "9.9k", "2h" }, { 10189, "10k", "2h" },
	{ 172799, "169k", "47h" }, { 172800, "169k", "2d" },
	{ 1048575, "1024k", "12d" }, { 1048576, "1.0M", "12d" },
};

static void
test_numbers(void)
{
	struct buf b = {0};

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		buf_clear(&b);
		table_size(&b, numbers[i].v);
		is(buf_str(&b), numbers[i].size, "a size");
		buf_clear(&b);
		table_age(&b, numbers[i].v);
		is(buf_str(&b), numbers[i].age, "an age");
	}
	buf_free(&b);
}

int
main(void)
{
	test_strings();
	test_commas();
	test_numbers();
	return done_testing();
}
