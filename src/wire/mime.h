/* What a MIME entity says of itself: RFC 2045 sections 5 and 6. */
#ifndef WIRE_MIME_H
#define WIRE_MIME_H

#include <stdbool.h>

#include "base/buf.h"

#define MIME_BOUNDARY_MAX 255	/* RFC 2046 section 5.1.1 allows 70 */

enum mime_type {
	MIME_TEXT,		/* any, and what cannot be read */
	MIME_OTHER,
	MIME_MULTIPART,
	MIME_DIGEST,		/* multipart/digest */
	MIME_MESSAGE,		/* one whose body is a message */
	MIME_FRAGMENT,		/* another message/: not to be encoded */
};

enum mime_encoding {
	MIME_7BIT,		/* said, or nothing */
	MIME_8BIT,
	MIME_BINARY,
	MIME_QP,
	MIME_BASE64,
	MIME_UNKNOWN,
};

struct mime_content {
	enum mime_type type;
	char boundary[MIME_BOUNDARY_MAX + 1];	/* "": none or too long */
};

/* Read the body of Content-Type and of Content-Transfer-Encoding. */
void mime_content(struct mime_content *, struct span body);
enum mime_encoding mime_encoding(struct span body);

#endif
