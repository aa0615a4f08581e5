/* base/seen: which files were met before. */
#include "../tap.h"

#include "base/seen.h"

static const struct {
	const char *name;
	dev_t dev;
	ino_t ino;
	int64_t born;
	bool first;
} rows[] = {
	{ "one", 1, 10, 100, true },
	{ "the same", 1, 10, 100, false },
	{ "its inode elsewhere", 2, 10, 100, true },
	{ "another inode", 1, 11, 100, true },
	{ "its inode, later", 1, 10, 101, true },
	{ "its inode, earlier", 1, 10, -1, true },
	{ "the first again", 1, 10, 100, false },
};

int
main(void)
{
	struct seen s = {0};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ok(seen_has(&s, rows[i].dev, rows[i].ino, rows[i].born) !=
		    rows[i].first, "%s: known", rows[i].name);
		ok(seen_first(&s, rows[i].dev, rows[i].ino, rows[i].born) ==
		    rows[i].first, "%s: met", rows[i].name);
	}
	seen_free(&s);
	ok(!seen_has(&s, 1, 10, 100), "nothing is left");
	seen_free(&s);
	return done_testing();
}
