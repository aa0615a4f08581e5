#include "session/hand.h"

#include <stdlib.h>
#include <string.h>

void
hand_init(struct hand *h, size_t room)
{
	*h = (struct hand){ .room = room };
	h->slot = must(calloc(room, sizeof *h->slot));
}

size_t
hand_add(struct hand *h, const struct record *r)
{
	struct given *g;
	size_t i = 0;

	while (h->slot[i].left > 0)
		i++;
	g = &h->slot[i];
	g->ref = span_dup(span_of(r->ref));
	for (size_t k = 0; k < r->rcpts.n; k++)
		*vec_add(&g->rcpts) = span_dup(span_of(r->rcpts.p[k]));
	g->left = g->rcpts.n;
	h->n++;
	return i;
}

bool
hand_find(const struct hand *h, const char *ref, size_t *i)
{
	for (*i = 0; *i < h->room; ++*i)
		if (h->slot[*i].left > 0 && strcmp(h->slot[*i].ref, ref) == 0)
			return true;
	return false;
}

size_t
hand_open(const struct hand *h, size_t i, const char *address)
{
	const struct given *g = &h->slot[i];
	size_t n = g->rcpts.n;

	for (size_t k = 0; k < n; k++) {
		size_t at = g->next + k < n ? g->next + k : g->next + k - n;
		const char *one = g->rcpts.p[at];

		if (one != NULL && (address == NULL || strcmp(one, address) == 0))
			return at;
	}
	return n;
}

static void
clear(struct given *g)
{
	for (size_t k = 0; k < g->rcpts.n; k++)
		free(g->rcpts.p[k]);
	vec_free(&g->rcpts);
	free(g->ref);
	*g = (struct given){0};
}

char *
hand_settle(struct hand *h, size_t i, size_t k)
{
	struct given *g = &h->slot[i];
	char *address = g->rcpts.p[k];

	g->rcpts.p[k] = NULL;
	g->next = k + 1;
	if (--g->left == 0) {
		clear(g);
		h->n--;
	}
	return address;
}

size_t
hand_left(const struct hand *h)
{
	size_t n = 0;

	for (size_t i = 0; i < h->room; i++)
		n += h->slot[i].left;
	return n;
}

void
hand_free(struct hand *h)
{
	for (size_t i = 0; i < h->room; i++)
		clear(&h->slot[i]);
	free(h->slot);
	*h = (struct hand){0};
}
