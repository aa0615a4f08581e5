/* STARTTLS (RFC 3207), and TLS from the first octet on. */
#ifndef T_SINK_TLS_H
#define T_SINK_TLS_H

#include <stdbool.h>
#include <stdlib.h>

#include "base/buf.h"
#include "net/tls.h"
#include "log.h"
#include "options.h"
#include "session.h"

static struct tls_shared *tls_files;

/* Before anything listens: the files are there, or nothing is. */
static void
tls_read(void)
{
	struct tls_opts o = { .server = true, .ca = tls_ca, .cert = tls_cert };
	struct err e = {0};

	if (tls_cert == NULL && !tls_wrap)
		return;
	if ((tls_files = tls_shared_new(&o, &e)) == NULL ||
	    tls_shared_ready(tls_files, &e) < 0)
		exit(err_exit(&e, "sink"));
}

static bool
tls_offered(const struct session *s)
{
	return tls_files != NULL && s->tls == NULL;
}

/* What came of it, and who the client is where it was asked. */
static void
tls_note(struct session *s)
{
	struct tls_facts f;

	tls_facts(s->tls, &f);
	note_arg("TLS", span_of(f.protocol), NULL);
	if (tls_ca != NULL)
		note_arg("CLIENT", span_of(f.verdict), NULL);
	tls_facts_free(&f);
}

/* The handshake; false: it failed, and the session is over. */
static bool
tls_begin(struct session *s)
{
	struct err e = {0};

	s->tls = must(tls_server(tls_files, &e));
	while (!tls_ready(s->tls))
		if (!hear_tls(s))
			return false;
	tls_note(s);
	s->secure = true;
	if (tls_ext != NULL)	/* one session a process: it is not seen elsewhere */
		ext = tls_ext;
	tls_exporter(s->tls, &s->exporter);
	tls_unique(s->tls, &s->unique);
	return true;
}

/* Says so in TLS, unless it is meant to look like a lost connection. */
static void
tls_part(struct session *s)
{
	if (s->tls != NULL && !s->rude)
		tls_close(s->tls, &s->wire);
	put(s->out, &s->wire);
	tls_free(s->tls);
	buf_free(&s->wire);
}

#endif
