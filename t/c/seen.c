/* base/seen: which files were met before. */
#include "../tap.h"

#include "base/seen.h"

static const struct {
	const char *name;
	dev_t dev;
	ino_t ino;
	int64_t born;
	off_t within;
	bool first;
} rows[] = {
	{ "one", 1, 10, 100, 0, true },
	{ "the same", 1, 10, 100, 0, false },
	{ "its inode elsewhere", 2, 10, 100, 0, true },
	{ "another inode", 1, 11, 100, 0, true },
	{ "its inode, later", 1, 10, 101, 0, true },
	{ "its inode, earlier", 1, 10, -1, 0, true },
	{ "another message in it", 1, 10, 100, 7, true },
	{ "that again", 1, 10, 100, 7, false },
	{ "the first again", 1, 10, 100, 0, false },
};

int
main(void)
{
	struct seen s = {0};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ok(seen_has(&s, rows[i].dev, rows[i].ino, rows[i].born,
		    rows[i].within) !=
		    rows[i].first, "%s: known", rows[i].name);
		ok(seen_first(&s, rows[i].dev, rows[i].ino, rows[i].born,
		    rows[i].within) ==
		    rows[i].first, "%s: met", rows[i].name);
	}
	seen_free(&s);
	ok(!seen_has(&s, 1, 10, 100, 0), "nothing is left");
	seen_free(&s);
	return done_testing();
}
