/* The connection options that smtp-send and etrn-request share. */
#ifndef OPTS_CONNECT_H
#define OPTS_CONNECT_H

#include "opts/opts.h"
#include "session/session.h"

extern struct poptOption opts_connect[];

/*
 * The servers and how to reach them.  0; -1: 64 a value that is wrong, 68, 75
 * --mx found nothing.
 * `others_only`: --mx leaves out this host itself.
 */
int opts_dial(struct servers *, struct dial *, bool others_only,
    struct err *);

/* Forgets the secrets. */
void opts_dial_free(void);

/* The port where PEER names none, and --port does not: instead of 25. */
void opts_dial_port(struct dial *, const char *port);

/* Were --server or --mx given? */
bool opts_server_given(void);

#endif
