#include "base/seen.h"

#include <search.h>
#include <stdlib.h>

#include "base/err.h"

struct inode {
	dev_t dev;
	ino_t ino;
	int64_t born;
};

static int
compare(const void *a, const void *b)
{
	const struct inode *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return (x->born > y->born) - (x->born < y->born);
}

bool
seen_first(struct seen *s, dev_t dev, ino_t ino, int64_t born)
{
	struct inode *one = must(malloc(sizeof *one));
	struct inode *const *at;

	*one = (struct inode){ dev, ino, born };
	at = must(tsearch(one, &s->tree, compare));
	if (*at == one)
		return true;
	free(one);
	return false;
}

bool
seen_has(const struct seen *s, dev_t dev, ino_t ino, int64_t born)
{
	struct inode key = { dev, ino, born };

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
