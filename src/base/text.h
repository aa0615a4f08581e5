/* Text that others wrote, made safe to look at. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/*
 * The length of the UTF-8 character at the front of `s` (RFC 3629: shortest
 * form, no surrogates, at most U+10FFFF); 0 when there is none.
 */
size_t text_utf8(struct span s);

/*
 * How many octets at the front are printable ASCII, none of them `a' or `b': what
 * can be copied in one piece where only these two have a meaning.
 */
size_t text_plain(struct span, char a, char b);

/* The front of `s', at most so many octets, without half a UTF-8 character at its end. */
struct span text_front(struct span s, size_t most);

/* In characters: good enough where no font makes one twice as wide. */
size_t text_width(struct span);

bool text_is_utf8(struct span);
bool text_is_ascii(struct span);

/*
 * Appends `s` for a terminal or a log: C0, DEL, C1 and bytes that are not UTF-8
 * as \xHH, so that nobody else's text can move the cursor.
 */
void text_printable(struct buf *, struct span s);

/*
 * Appends `s` as one word of a shell's command line, quoted where it must be.
 * False, and nothing is appended, when no line can show it: text_printable() would
 * change it.
 */
bool text_shell(struct buf *, struct span s);

#endif
