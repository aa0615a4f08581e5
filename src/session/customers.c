#include "session/customers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/vec.h"
#include "session/splice.h"
#include "wire/domain.h"

#define ASKED_MAX 100		/* domains in one ATRN */

/* ---- the file ---- */

static int
add_domain(struct customer *c, struct span word, struct err *e)
{
	char *text = span_dup(word);
	char *node = node_parse("domain", text, e);

	if (node != NULL && *node == '#') {
		err_set(e, FAULT_CONFIG, "`%s' is no domain", text);
		free(node);
		node = NULL;
	}
	free(text);
	if (node == NULL)
		return -1;
	*vec_add(&c->domains) = node;
	return 0;
}

static int
add_splice(struct customer *c, const char *text, struct err *e)
{
	if (c->spliced)
		return err_set(e, FAULT_CONFIG, "splice= twice");
	if (peer_parse(&c->splice, "splice", text, e) < 0)
		return -1;
	c->spliced = true;
	if (c->splice.kind != PEER_HOST)
		return err_set(e, FAULT_CONFIG, "splice=%s: it is address:port", text);
	return splice_check(&c->splice, e) < 0 ? err_in(e, "splice") : 0;
}

static int
add_word(struct customer *c, struct span word, struct err *e)
{
	struct buf text = {0};
	int r;

	if (span_starts(word, "splice=")) {
		buf_addspan(&text, span_from(word, strlen("splice=")));
		r = add_splice(c, buf_str(&text), e);
	} else if (span_starts(word, "from=")) {
		buf_addspan(&text, span_from(word, strlen("from=")));
		r = range_parse(&c->from, "from", buf_str(&text), e);
	} else {
		r = add_domain(c, word, e);
	}
	buf_free(&text);
	return r;
}

static int
read_customer(struct customer *c, struct span line, struct err *e)
{
	size_t colon = span_find(line, ':');
	struct span user = span_trim((struct span){ line.p, colon }), word;
	struct span rest = span_from(line, colon + 1);

	if (colon >= line.n || user.n == 0 || span_find(user, ' ') < user.n ||
	    span_find(user, '\t') < user.n || span_find(line, '\0') < line.n)
		return err_set(e, FAULT_CONFIG, "it is user: domain ...");
	c->user = span_dup(user);
	while (span_cut(&rest, ' ', &word)) {
		struct span one;

		while (span_cut(&word, '\t', &one))
			if (one.n > 0 && add_word(c, one, e) < 0)
				return -1;
	}
	return c->domains.n > 0 ? 0 :
	    err_set(e, FAULT_CONFIG, "%s has no domain", c->user);
}

static struct span
bare(const char *node)
{
	return span_of(*node == '@' ? node + 1 : node);
}

/* Nobody gets what is another's. */
static int
check_apart(const struct customer *a, const struct customer *b, struct err *e)
{
	if (strcmp(a->user, b->user) == 0)
		return err_set(e, FAULT_CONFIG, "%s was there before", b->user);
	for (size_t i = 0; i < a->domains.n; i++)
		for (size_t k = 0; k < b->domains.n; k++) {
			const char *x = a->domains.p[i], *y = b->domains.p[k];

			if (node_has(x, bare(y)) || node_has(y, bare(x)))
				return err_set(e, FAULT_CONFIG, "%s of %s is %s "
				    "of %s", y, b->user, x, a->user);
		}
	return 0;
}

static int
add_line(struct customers *v, struct span line, struct err *e)
{
	struct customer c = {0};
	int r = read_customer(&c, line, e);

	for (size_t i = 0; r == 0 && i < v->n; i++)
		r = check_apart(&v->p[i], &c, e);
	*vec_add(v) = c;
	if (r < 0)
		e->fault = FAULT_CONFIG;
	return r;
}

static int
read_lines(struct customers *v, FILE *f, struct err *e)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int r = 0;

	for (int number = 1; r == 0 && (n = getline(&line, &room, f)) >= 0;
	    number++) {
		struct span s = span_trim((struct span){ line, (size_t)n });

		if (s.n > 0 && s.p[0] != '#' && (r = add_line(v, s, e)) < 0)
			err_in(e, "line %d", number);
	}
	if (r == 0 && ferror(f))
		r = err_sys(e, "read");
	free(line);
	return r;
}

/* Who can write it decides who gets whose mail. */
static int
check_mode(FILE *f, struct err *e)
{
	struct stat st;

	if (fstat(fileno(f), &st) < 0)
		return err_sys(e, "stat");
	return S_ISREG(st.st_mode) && (st.st_mode & S_IWOTH) ?
	    err_set(e, FAULT_CONFIG, "anybody can change it") : 0;
}

int
customers_read(struct customers *v, const char *path, struct err *e)
{
	FILE *f = fopen(path, "re");
	int r;

	*v = (struct customers){0};
	if (f == NULL)
		return err_sys(e, "open %s", path);
	r = check_mode(f, e);
	if (r == 0)
		r = read_lines(v, f, e);
	fclose(f);
	return r < 0 ? err_in(e, "%s", path) : 0;
}

void
domains_free(struct domains *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->p[i]);
	vec_free(d);
}

void
customers_free(struct customers *v)
{
	for (size_t i = 0; i < v->n; i++) {
		free(v->p[i].user);
		domains_free(&v->p[i].domains);
		peer_free(&v->p[i].splice);
		vec_free(&v->p[i].from);
	}
	vec_free(v);
}

/* ---- questions ---- */

const struct customer *
customers_find(const struct customers *v, const char *user)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->p[i].user, user) == 0)
			return &v->p[i];
	return NULL;
}

bool
customer_has(const struct customer *c, const char *node)
{
	for (size_t i = 0; i < c->domains.n; i++)
		if (node_has(c->domains.p[i], bare(node)) &&
		    (*node != '@' || *c->domains.p[i] == '@'))
			return true;
	return false;
}

const struct customer *
customers_from(const struct customers *v, const struct in6_addr *at,
    const char *node)
{
	const struct customer *any = NULL;

	for (size_t i = 0; i < v->n; i++) {
		if (!range_has(&v->p[i].from, at))
			continue;
		if (node == NULL || customer_has(&v->p[i], node))
			return &v->p[i];
		any = any != NULL ? any : &v->p[i];
	}
	return any;
}

static int
ask_one(const struct customer *c, struct span name, struct domains *to)
{
	struct err ignored = {0};
	char *text, *node;

	if (name.n == 0 || !domain_is_name(name) || span_find(name, '.') == name.n)
		return 501;
	text = span_dup(name);
	node = node_parse("domain", text, &ignored);
	free(text);
	if (node == NULL)
		return 501;
	*vec_add(to) = node;
	return customer_has(c, node) ? 0 : 450;
}

int
customer_asks(const struct customer *c, struct span argument, struct domains *to)
{
	struct span rest = argument, name;
	int worst = 0, r;

	for (size_t i = 0; argument.n == 0 && i < c->domains.n; i++)
		*vec_add(to) = span_dup(span_of(c->domains.p[i]));
	if (span_ends(argument, ","))
		return 501;
	while (span_cut(&rest, ',', &name)) {
		r = to->n < ASKED_MAX ? ask_one(c, name, to) : 501;
		if (r == 501)
			return r;
		worst = r != 0 ? r : worst;
	}
	return worst;
}
