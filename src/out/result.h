/* Results on stdout, as they come: tidegate-records(5). */
#ifndef OUT_RESULT_H
#define OUT_RESULT_H

#include "wire/record.h"

/* Appends it as a line or as a JSON object, ending in `end`. */
void result_show(struct buf *, const struct result *, bool json, char end);

#endif
