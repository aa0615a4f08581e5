/*
 * Who is asked in DNS and what: libresolv's part of dns_ask.h's work, the reading
 * of resolv.conf and the writing of a question.
 */
#ifndef NET_DNS_CONF_H
#define NET_DNS_CONF_H

#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/err.h"

#define DNS_SERVERS 3		/* libresolv's MAXNS */
#define DNS_QUESTION_MAX 512
#define DNS_OPT_N 11		/* of an EDNS record without options */

struct dns_server {
	struct sockaddr_storage at;
	socklen_t n;
};

struct dns_conf {
	struct dns_server servers[DNS_SERVERS];
	size_t n;
	int rounds;
	int64_t wait_ms;	/* for the first server */
	bool by_tcp;
	bool trusted;		/* the AD bit of their answers */
	unsigned char question[DNS_QUESTION_MAX];
	size_t question_n;	/* without the OPT record that stands behind it */
};

/*
 * 0; -1: 68 a name that cannot be asked for, 78 $TIDEGATE_NAMESERVER is no
 * address, 75 no resolver.
 */
int dns_conf(struct dns_conf *, const char *name, int type, struct err *);

#endif
