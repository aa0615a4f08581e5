/* A tally for people, on one screen, or as JSON. */
#ifndef OUT_SUMMARY_H
#define OUT_SUMMARY_H

#include <stdio.h>

#include "out/tally.h"

/*
 * What is stuck: totals, each queue, ages, and the domains with most recipients.
 * `queues` is BY_QUEUE, `domains` BY_DOMAIN; both become sorted.
 */
void summary_print(FILE *, struct tally *queues, struct tally *domains, size_t width);

/* One grouping as a table: by domain and sender with qshape(1)'s columns of age. */
void summary_by(FILE *, struct tally *, size_t width);

/* A JSON object a group, ended by `end`. */
void summary_json(FILE *, struct tally *, char end);

#endif
