/*
 * Growing arrays: `VEC(struct thing) things;`, all zero is an empty one.
 *
 *	vec_add(&v)	a pointer to a new, zeroed last element
 *	vec_free(&v)	the array, not what its elements own
 *
 * Elements move when the array grows: hold an index, not a pointer.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define VEC(type) struct { type *p; size_t n, room; }

#define vec_add(v) \
	(vec_grow_((void **)&(v)->p, (v)->n, &(v)->room, sizeof *(v)->p), \
	    &(v)->p[(v)->n++])

#define vec_free(v) \
	(free((v)->p), (v)->p = NULL, (v)->n = (v)->room = 0)

static inline void
vec_grow_(void **p, size_t n, size_t *room, size_t size)
{
	if (n == *room) {
		*room = n > 0 ? n * 2 : 8;
		*p = must(realloc(*p, *room * size));
	}
	memset((char *)*p + n * size, 0, size);
}

#endif
