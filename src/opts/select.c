#include "opts/select.h"

#include <stdlib.h>
#include <string.h>

#include "base/unit.h"
#include "wire/domain.h"

static const char **nodes, **rcpts, **froms;
static const char *states, *reason, *older, *newer, *larger, *smaller, *first;

struct poptOption opts_select[] = {
	{ "domain", 'd', POPT_ARG_ARGV, &nodes, 0,
	    "recipients at NODE: example.com, @example.com (with subdomains)",
	    "NODE" },
	{ "recipient", 'r', POPT_ARG_ARGV, &rcpts, 0,
	    "recipients whose address matches", "GLOB" },
	{ "from", 'f', POPT_ARG_ARGV, &froms, 0,
	    "messages whose sender matches; <> is the null sender", "GLOB" },
	{ "state", 0, POPT_ARG_STRING, &states, 0,
	    "incoming, active, deferred, hold, maildrop, corrupt, done", "LIST" },
	{ "reason", 0, POPT_ARG_STRING, &reason, 0,
	    "messages that wait for such a reason", "REGEX" },
	{ "older", 0, POPT_ARG_STRING, &older, 0,
	    "messages that came more than TIME ago (90s, 5m, 2h, 3d, 1w)",
	    "TIME" },
	{ "newer", 0, POPT_ARG_STRING, &newer, 0,
	    "messages that came less than TIME ago", "TIME" },
	{ "larger", 0, POPT_ARG_STRING, &larger, 0,
	    "messages of more than SIZE octets (512, 300k, 10M, 1G)", "SIZE" },
	{ "smaller", 0, POPT_ARG_STRING, &smaller, 0,
	    "messages of less than SIZE octets", "SIZE" },
	{ "first", 0, POPT_ARG_STRING, &first, 0,
	    "no more than N messages", "N" },
	POPT_TABLEEND
};

/* A `!` in front excludes. */
static const char *
cut_not(const char *s, bool *not)
{
	*not = *s == '!';
	return s + *not;
}

static void
add(struct patterns *v, char *text, bool not)
{
	*vec_add(v) = (struct pattern){ text, not };
}

/*
 * A queue ID of some MTA: no dot, a digit, and capitals (Postfix, Exim, Sendmail),
 * hexadecimal digits alone (OpenSMTPD), or no letter at all.  A domain like that can
 * be written small, or with a dot behind it.
 */
static bool
like_id(const char *s)
{
	size_t n = strlen(s);

	if (strpbrk(s, "0123456789") == NULL || strchr(s, '.') != NULL)
		return false;
	if (s[strspn(s, "0123456789")] == '\0')
		return true;
	if (s[strspn(s, "0123456789abcdef")] == '\0')
		return n == 8 || n == 16;
	return n >= 9 && strpbrk(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL;
}

static int
add_node(struct patterns *v, const char *s, struct err *e)
{
	bool not;
	const char *node = cut_not(s, &not);
	char *text;

	if (*node != '@' && strchr(node, '@') != NULL)
		return err_set(e, FAULT_USAGE, "--domain: `%.200s' is an "
		    "address; for one recipient write -r '%.200s'", node, s);
	if (domain_is_literal(span_of(node))) {
		add(v, span_dup(span_of(node)), not);
		return 0;
	}
	if (like_id(node))
		return err_set(e, FAULT_USAGE, "--domain: `%.200s' is a queue "
		    "ID; write it without -d", node);
	if (strcmp(node, "ALL") == 0)
		return err_set(e, FAULT_USAGE, "--domain: `ALL' is no domain; "
		    "dequeue takes everything with --all");
	if (*node == '#')
		return err_set(e, FAULT_USAGE, "--domain: `%.200s' is no "
		    "domain; queues by name are ETRN's", node);
	if ((text = node_parse("--domain", node, e)) == NULL)
		return -1;
	add(v, text, not);
	return 0;
}

/*
 * A leading dash is a forgotten value rather than an address, and what has a
 * control in it is none.
 */
static int
add_glob(struct patterns *v, const char *what, const char *s, struct err *e)
{
	bool not;
	const char *glob = cut_not(s, &not);

	if (*glob == '-')
		return err_set(e, FAULT_USAGE, "%s: `%.200s' begins with a "
		    "dash; write [-]%.200s if it is meant", what, glob, glob + 1);
	for (const char *p = glob; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_set(e, FAULT_USAGE,
			    "%s: `%.200s' is no address", what, glob);
	if (*glob == '\0')
		return err_set(e, FAULT_USAGE, "%s: is empty; the null sender "
		    "is <>", what);
	add(v, span_dup(strcmp(glob, "<>") == 0 ? SPAN("") : span_of(glob)), not);
	return 0;
}

static int
read_states(struct select *s, struct err *e)
{
	bool not;
	struct span rest, name;
	unsigned set = 0;
	int state;

	if (states == NULL)
		return 0;
	rest = span_of(cut_not(states, &not));
	while (span_cut(&rest, ',', &name)) {
		if ((state = state_parse(name)) < 0)
			return err_set(e, FAULT_USAGE, "--state: `%.*s' is no "
			    "state; there are incoming active deferred hold "
			    "maildrop corrupt done", (int)name.n, name.p);
		set |= STATE_BIT(state);
	}
	if (set == 0)
		return err_set(e, FAULT_USAGE, "--state: is empty");
	s->states = not ? STATES_SHOWN & ~set : set;
	s->named = not ? 0 : set;
	s->states_given = true;
	return 0;
}

static int
read_reason(struct select *s, struct err *e)
{
	const char *text;
	char why[200];
	int r;

	if (reason == NULL)
		return 0;
	text = cut_not(reason, &s->reason_not);
	if ((r = regcomp(&s->reason, text, REG_EXTENDED | REG_NOSUB)) != 0) {
		regerror(r, &s->reason, why, sizeof why);
		return err_set(e, FAULT_USAGE, "--reason: `%.200s': %s", text, why);
	}
	s->has_reason = true;
	return 0;
}

static int
read_numbers(struct select *s, struct err *e)
{
	if ((older && unit_time("--older", older, &s->older, e) < 0) ||
	    (newer && unit_time("--newer", newer, &s->newer, e) < 0) ||
	    (larger && unit_size("--larger", larger, &s->larger, e) < 0) ||
	    (smaller && unit_size("--smaller", smaller, &s->smaller, e) < 0) ||
	    (first && unit_count("--first", first, &s->first, e) < 0))
		return -1;
	if (s->first == 0)
		return err_set(e, FAULT_USAGE, "--first: must be 1 at least");
	return 0;
}

static int
read_patterns(struct select *s, struct err *e)
{
	for (size_t i = 0; nodes != NULL && nodes[i] != NULL; i++)
		if (add_node(&s->nodes, nodes[i], e) < 0)
			return -1;
	for (size_t i = 0; rcpts != NULL && rcpts[i] != NULL; i++)
		if (add_glob(&s->rcpts, "--recipient", rcpts[i], e) < 0)
			return -1;
	for (size_t i = 0; froms != NULL && froms[i] != NULL; i++)
		if (add_glob(&s->froms, "--from", froms[i], e) < 0)
			return -1;
	return 0;
}

int
opts_selection(struct select *s, const char *const *operands, bool *records,
    struct err *e)
{
	select_init(s);
	*records = false;
	if (read_patterns(s, e) < 0 || read_states(s, e) < 0 ||
	    read_reason(s, e) < 0 || read_numbers(s, e) < 0)
		return -1;
	for (size_t i = 0; operands[i] != NULL; i++) {
		if (strcmp(operands[i], "-") == 0)
			*records = true;
		else if (*operands[i] == '\0')
			return err_set(e, FAULT_USAGE, "an empty ID");
		else
			*vec_add(&s->ids) = *operands[i] == '/' ?
			    span_dup(span_of(operands[i])) : ref_absolute(operands[i]);
	}
	return 0;
}
