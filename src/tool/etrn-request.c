/* etrn-request: asks servers to send the mail they keep for us. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/unit.h"
#include "opts/connect.h"
#include "opts/spool.h"
#include "out/json.h"
#include "out/screen.h"
#include "session/etrn_wait.h"
#include "wire/domain.h"

#define NAME "etrn-request"
#define IDLE "60s"
#define SMTP_PORT "25"

static const char *nodes_from;
static const char *wait_time, *idle_time, *wait_port;
static const char **wait_from;
static int local_domains, results, json, quiet, force, dry_run;

static struct poptOption waiting[] = {
	{ "wait", 0, POPT_ARG_STRING, &wait_time, 0,
	    "for a first session from a server asked", "TIME" },
	{ "idle", 0, POPT_ARG_STRING, &idle_time, 0,
	    "then until there was none for so long (60s)", "TIME" },
	{ "wait-from", 0, POPT_ARG_ARGV, &wait_from, 0,
	    "also from here; may be given more than once", "ADDRESS[/BITS]" },
	{ "wait-port", 0, POPT_ARG_STRING, &wait_port, 0,
	    "the port of ours that they come to (25)", "PORT" },
	POPT_TABLEEND
};

static struct poptOption options[] = {
	{ "nodes-from", 0, POPT_ARG_STRING, &nodes_from, 0,
	    "more nodes, one a line; - is stdin", "FILE" },
	{ "local-domains", 0, POPT_ARG_NONE, &local_domains, 0,
	    "the domains the local MTA says are its own", NULL },
	{ "force", 0, POPT_ARG_NONE, &force, 0,
	    "ask although the server does not offer ETRN", NULL },
	{ "results", 0, POPT_ARG_NONE, &results, 0,
	    "a line for each answer: SERVER NODE CODE COUNT TEXT", NULL },
	{ "json", 'j', POPT_ARG_NONE, &json, 0, "the same as JSON", NULL },
	{ "dry-run", 'n', POPT_ARG_NONE, &dry_run, 0,
	    "say who would be asked for what", NULL },
	{ "quiet", 'q', POPT_ARG_NONE, &quiet, 0,
	    "refusals count but are not told", NULL },
	OPTS_TABLE(waiting, "Waiting until the mail has come:"),
	OPTS_TABLE(opts_connect, "Connection:"),
	OPTS_TABLE(opts_spool, "Queue (for --local-domains):"),
	OPTS_END
};

static int
add_node(struct nodes *v, const char *what, const char *text, struct err *e)
{
	char *node = *text == '-' ? NULL : node_parse(what, text, e);

	if (*text == '-')
		return err_set(e, FAULT_USAGE, "%s: `%s' is no node", what, text);
	if (node == NULL)
		return -1;
	*vec_add(v) = node;
	return 0;
}

/* One node a line; blanks around it, empty lines and # comments do not count. */
static int
read_nodes(struct nodes *v, struct err *e)
{
	bool stdin_too = strcmp(nodes_from, "-") == 0;
	FILE *f = stdin_too ? stdin : fopen(nodes_from, "re");
	char *line = NULL, *node;
	size_t room = 0;
	ssize_t n;
	int r = 0;

	if (f == NULL)
		return err_sys(e, "--nodes-from: open %s", nodes_from);
	while (r == 0 && (n = getline(&line, &room, f)) >= 0) {
		struct span s = span_trim((struct span){ line, (size_t)n });

		/* `# words` is a comment, `#queue` is a node */
		if (s.n == 0 || (s.p[0] == '#' && (s.n == 1 || s.p[1] == ' ' ||
		    s.p[1] == '#' || s.p[1] == '\t')))
			continue;
		node = span_dup(s);
		r = add_node(v, nodes_from, node, e);
		free(node);
	}
	if (r == 0 && ferror(f))
		r = err_sys(e, "--nodes-from: read %s", nodes_from);
	free(line);
	if (!stdin_too)
		fclose(f);
	return r;
}

static int
ask_mta(struct nodes *v, struct err *e)
{
	struct buf names = {0};
	struct span rest, name;
	int r = opts_local_domains(&names, "--local-domains", e);

	rest = buf_span(&names);
	while (r == 0 && span_cut(&rest, '\n', &name)) {
		char *text = span_dup(name);

		r = add_node(v, "--local-domains", text, e);
		free(text);
	}
	buf_free(&names);
	return r;
}

static int
gather(struct nodes *v, const char *const *words, struct err *e)
{
	for (; *words != NULL; words++)
		if (add_node(v, "node", *words, e) < 0)
			return -1;
	if (nodes_from != NULL && read_nodes(v, e) < 0)
		return -1;
	if (local_domains && ask_mta(v, e) < 0)
		return -1;
	if (v->n == 0)
		return err_set(e, FAULT_USAGE,
		    "no node: name a domain, --nodes-from or --local-domains");
	return 0;
}

static void
as_json(const struct etrn_answer *a)
{
	struct buf b = {0};

	json_open(&b, NULL, '{');
	json_string(&b, "server", span_of(a->server));
	json_string(&b, "node", span_of(a->node));
	if (a->code > 0)
		json_number(&b, "code", a->code);
	if (a->count >= 0)
		json_number(&b, "count", a->count);
	json_string(&b, "text", span_of(a->text));
	json_number(&b, "status", a->status);
	json_close(&b, '}');
	buf_addc(&b, '\n');
	screen_put(buf_span(&b));
	buf_free(&b);
}

static void
as_line(const struct etrn_answer *a)
{
	struct buf b = {0};

	field_add(&b, span_of(a->server));
	buf_addc(&b, '\t');
	field_add(&b, span_of(a->node));
	if (a->code > 0)
		buf_addf(&b, "\t%d\t", a->code);
	else
		buf_adds(&b, "\t-\t");
	if (a->count >= 0)
		buf_addf(&b, "%lld\t", (long long)a->count);
	else
		buf_adds(&b, "-\t");
	field_add(&b, *a->text ? span_of(a->text) : SPAN("-"));
	buf_addc(&b, '\n');
	screen_put(buf_span(&b));
	buf_free(&b);
}

static struct err unheard;	/* why answers could not be written */

static void
told(void *wait, const struct etrn_answer *a)
{
	if (wait_time != NULL)
		etrn_wait_answer(wait, a);
	if (json)
		as_json(a);
	else if (results)
		as_line(a);
	if ((json || results) && (fflush(stdout) != 0 || ferror(stdout)) &&
	    unheard.fault == FAULT_NONE)
		err_sys(&unheard, "write");
	if (a->status != 0 && !quiet)
		warn(NAME, "%s: ETRN %s: %s%s", a->server, a->node, a->text,
		    etrn_hint(a));
}

/* What came, in the form of the answers. */
static void
tell_came(const struct etrn_wait *w, int status)
{
	int64_t octets = arrivals_octets(&w->arrivals);
	struct buf text = {0}, b = {0};

	etrn_wait_text(w, &text);
	json_open(&b, NULL, '{');
	json_number(&b, "sessions", (int64_t)arrivals_count(&w->arrivals));
	if (octets >= 0)
		json_number(&b, "octets", octets);
	json_string(&b, "text", buf_span(&text));
	json_number(&b, "status", status);
	json_close(&b, '}');
	if (json)
		printf("%s\n", buf_str(&b));
	else if (results)
		printf("-\t-\t-\t-\t%s\n", buf_str(&text));
	buf_free(&b);
	buf_free(&text);
}

static int
await(struct etrn_wait *w, const struct dial *dial)
{
	struct err e = {0};
	int status = 0;

	if (etrn_wait(w, dial->deadline, &e) < 0)
		status = err_exit(&e, NAME);
	tell_came(w, status);
	return status;
}

static int
read_waiting(struct etrn_wait *w, struct err *e)
{
	int port;

	if (wait_time == NULL)
		return 0;
	if ((port = unit_port("--wait-port", wait_port != NULL ? wait_port :
	    SMTP_PORT, e)) < 0)
		return -1;
	w->tool = NAME;
	w->first = wait_time;
	w->idle = idle_time != NULL ? idle_time : IDLE;
	w->port = (uint16_t)port;
	for (size_t i = 0; wait_from != NULL && wait_from[i] != NULL; i++)
		if (range_parse(&w->arrivals.from, "--wait-from", wait_from[i],
		    e) < 0)
			return -1;
	return unit_wait("--wait", w->first, &w->first_ms, e) < 0 ||
	    unit_wait("--idle", w->idle, &w->idle_ms, e) < 0 ? -1 : 0;
}

static int
open_waiting(struct etrn_wait *w, const struct servers *servers,
    const struct dial *dial, struct err *e)
{
	if (wait_time == NULL || dry_run)
		return 0;
	w->verbose = dial->verbose;
	return etrn_wait_open(w, servers, dial, e);
}

static int
ask(struct servers *servers, const struct dial *dial, struct nodes *nodes,
    struct etrn_wait *w)
{
	int status = 0;

	for (size_t i = 0; i < servers->n; i++) {
		if (dry_run) {
			for (size_t k = 0; k < nodes->n; k++)
				printf("%s\tETRN %s\n",
				    servers->p[i].peer.text, nodes->p[k]);
			continue;
		}
		status = status_worse(status, etrn_ask(&servers->p[i], dial,
		    nodes, force, told, w));
	}
	if (wait_time != NULL && !dry_run)
		status = status_worse(status, await(w, dial));
	return status;
}

int
main(int argc, char *argv[])
{
	struct err e = {0};
	struct servers servers = {0};
	struct nodes nodes = {0};
	struct etrn_wait wait = {0};
	struct dial dial;
	const char *const *words;
	int status;

	opts_read(NAME, argc, argv, options, "NODE...", &words, NULL);
	if (wait_time == NULL && (wait_from != NULL || idle_time != NULL ||
	    wait_port != NULL))
		opts_wrong(NAME, "--idle, --wait-from and --wait-port go with "
		    "--wait");
	if (!opts_server_given())
		opts_wrong(NAME, "whom to ask? --server=PEER or --mx=DOMAIN");
	if (read_waiting(&wait, &e) < 0 || gather(&nodes, words, &e) < 0 ||
	    opts_dial(&servers, &dial, true, &e) < 0 ||
	    open_waiting(&wait, &servers, &dial, &e) < 0)
		status = err_exit(&e, NAME);
	else
		status = ask(&servers, &dial, &nodes, &wait);
	if (unheard.fault == FAULT_NONE &&
	    (fflush(stdout) != 0 || ferror(stdout)))
		err_sys(&unheard, "write");
	if (unheard.fault != FAULT_NONE)
		status = status_worse(status, err_exit(&unheard, NAME));
	etrn_wait_free(&wait);
	nodes_free(&nodes);
	servers_free(&servers);
	opts_dial_free();
	return status;
}
