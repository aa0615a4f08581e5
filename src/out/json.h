/*
 * JSON as it is written: values one after the other into a buf, commas by
 * themselves.
 *
 * `key` is NULL inside an array.  Bytes that are not UTF-8 become U+FFFD, and
 * the value then stands whole in a second member KEY_hex (where there is a key).
 */
#ifndef OUT_JSON_H
#define OUT_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

void json_open(struct buf *, const char *key, char bracket);	/* { or [ */
void json_close(struct buf *, char bracket);			/* } or ] */

void json_string(struct buf *, const char *key, struct span);
void json_number(struct buf *, const char *key, int64_t);
void json_bool(struct buf *, const char *key, bool);

#endif
