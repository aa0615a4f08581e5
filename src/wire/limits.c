#include "wire/limits.h"

#include <string.h>

#include "base/unit.h"
#include "base/vec.h"
#include "wire/domain.h"
#include "wire/path.h"

static char *
lower(struct span s)
{
	char *copy = span_dup(s);

	domain_lower(copy);
	return copy;
}

/* As it is looked for; NULL in err: none that a line could be for. */
static char *
domain_key(struct span domain, struct err *e)
{
	return domain_is_literal(domain) ? lower(domain) :
	    domain_ascii("key", domain, e);
}

/* As in the file, or an address: local part to the letter, domain as it is looked for. */
static char *
normal(struct span key, struct err *e)
{
	struct span domain = domain_of(key);
	struct buf b = {0};
	char *text, *ascii;

	if (span_is(key, "*") || domain_is_literal(key))
		return lower(key);
	if (domain.n == 0 || domain.p == key.p + 1) {
		text = span_dup(key);
		ascii = node_parse("key", text, e);
		free(text);
		return ascii;
	}
	if (span_starts(key, "*@")) {
		err_set(e, FAULT_CONFIG, "`%.*s' is nobody's address; all of a domain "
		    "is `%.*s'", (int)(key.n < 200 ? key.n : 200), key.p,
		    (int)(domain.n < 200 ? domain.n : 200), domain.p);
		return NULL;
	}
	if (!path_is_mailbox(key) || (ascii = domain_key(domain, e)) == NULL) {
		err_set(e, FAULT_CONFIG, "`%.*s' is no address",
		    (int)(key.n < 200 ? key.n : 200), key.p);
		return NULL;
	}
	buf_add(&b, key.p, key.n - domain.n);
	buf_adds(&b, ascii);
	free(ascii);
	return buf_str(&b);
}

static int
add(struct limits *v, struct span line, size_t number, struct err *e)
{
	size_t n = line.n;
	struct limit *l;
	char *size, *key;
	int64_t octets;
	int r;

	while (n > 0 && line.p[n - 1] != ' ' && line.p[n - 1] != '\t')
		n--;
	if (n == 0)
		return err_set(e, FAULT_CONFIG, "a key and a size are wanted");
	size = span_dup(span_from(line, n));
	r = unit_size("size", size, &octets, e);
	free(size);
	if (r < 0 || (key = normal(span_trim((struct span){ line.p, n }), e)) == NULL)
		return -1;
	l = vec_add(v);
	*l = (struct limit){ .key = key, .size = octets, .line = number };
	return 0;
}

static int
by_key(const void *a, const void *b)
{
	return strcmp(((const struct limit *)a)->key, ((const struct limit *)b)->key);
}

static int
check_twice(const struct limits *v, const char *name, struct err *e)
{
	for (size_t i = 1; i < v->n; i++)
		if (strcmp(v->p[i - 1].key, v->p[i].key) == 0)
			return err_set(e, FAULT_CONFIG, "%s: %s stands in lines %zu "
			    "and %zu", name, v->p[i].key, v->p[i - 1].line,
			    v->p[i].line);
	return 0;
}

int
limits_parse(struct limits *v, const char *name, struct span text, struct err *e)
{
	struct span line;
	size_t number = 0;

	while (span_cut(&text, '\n', &line)) {
		number++;
		line = span_trim(line);
		if (line.n == 0 || *line.p == '#')
			continue;
		if (add(v, line, number, e) < 0) {
			e->fault = FAULT_CONFIG;
			return err_in(e, "%s: line %zu", name, number);
		}
	}
	if (v->n > 0)
		qsort(v->p, v->n, sizeof *v->p, by_key);
	return check_twice(v, name, e);
}

static const struct limit *
find(const struct limits *v, const char *key)
{
	struct limit wanted = { .key = (char *)(uintptr_t)key };

	return v->n == 0 ? NULL :
	    bsearch(&wanted, v->p, v->n, sizeof *v->p, by_key);
}

/* A domain's own line, or that of the nearest above it that has an @. */
static const struct limit *
find_domain(const struct limits *v, char *domain)
{
	const struct limit *l = find(v, domain);
	struct buf node = {0};

	for (const char *at = domain; l == NULL && at != NULL;) {
		buf_clear(&node);
		buf_addf(&node, "@%s", at);
		l = find(v, buf_str(&node));
		at = strchr(at, '.');
		at = at != NULL ? at + 1 : NULL;
	}
	buf_free(&node);
	return l;
}

int64_t
limits_of(const struct limits *v, const char *address)
{
	struct span whole = span_of(address), domain = domain_of(whole);
	const struct limit *l = NULL;
	struct err ignored = {0};
	struct buf key = {0};
	char *ascii;

	if (v->n > 0 && domain.n > 0) {
		/* no host's name may still lie below a domain that has a line */
		if ((ascii = domain_key(domain, &ignored)) == NULL)
			ascii = lower(domain.p[domain.n - 1] == '.' ?
			    (struct span){ domain.p, domain.n - 1 } : domain);
		buf_add(&key, whole.p, whole.n - domain.n);
		buf_adds(&key, ascii);
		if ((l = find(v, buf_str(&key))) == NULL)
			l = find_domain(v, ascii);
		free(ascii);
	}
	if (l == NULL)
		l = find(v, "*");
	buf_free(&key);
	return l != NULL ? l->size : 0;
}

void
limits_free(struct limits *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->p[i].key);
	vec_free(v);
}
