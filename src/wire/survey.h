/* What must be known of a text before it is sent. */
#ifndef WIRE_SURVEY_H
#define WIRE_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define TEXT_LINE_MAX 998	/* octets without CRLF, RFC 5321 section 4.5.3.1.6 */

/* All zero at the start.  RFC 1870's size: CRLF line ends, dots not doubled. */
struct survey {
	int64_t size;
	int64_t lines;
	int64_t longest;	/* octets of the longest line, without CRLF */
	int64_t longest_at;	/* its number, from 1 */
	int64_t bare_at;	/* first line with a CR or LF alone; 0 none */
	bool eight_bit;		/* an octet over 0x7f */
	bool eight_bit_header;	/* one in the header: SMTPUTF8 is needed */
	bool in_body;
	int64_t line;		/* octets of the line under way */
	char last;
};

/* Looks at the next piece of the text in its wire form. */
void survey_look(struct survey *, struct span piece);

#endif
