#include "base/seen.h"

#include <search.h>
#include <stdlib.h>

#include "base/err.h"

struct inode {
	dev_t dev;
	ino_t ino;
	int64_t born;
	off_t within;
};

static int
compare(const void *a, const void *b)
{
	const struct inode *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	if (x->born != y->born)
		return x->born < y->born ? -1 : 1;
	return (x->within > y->within) - (x->within < y->within);
}

bool
seen_first(struct seen *s, dev_t dev, ino_t ino, int64_t born, off_t within)
{
	struct inode *one = must(malloc(sizeof *one));
	struct inode *const *at;

	*one = (struct inode){ dev, ino, born, within };
	at = must(tsearch(one, &s->tree, compare));
	if (*at == one)
		return true;
	free(one);
	return false;
}

bool
seen_has(const struct seen *s, dev_t dev, ino_t ino, int64_t born, off_t within)
{
	struct inode key = { dev, ino, born, within };

	return tfind(&key, &s->tree, compare) != NULL;
}

void
seen_free(struct seen *s)
{
	while (s->tree != NULL) {
		struct inode *one = *(struct inode *const *)s->tree;

		tdelete(one, &s->tree, compare);
		free(one);
	}
}
