#include "spool/mend_walk.h"

#include "base/text.h"
#include "wire/header.h"

#define VALUE_MAX 8192		/* of a field; what comes behind is not read */
#define WITH_EIGHT 0x40		/* in the plan */

static struct composite *
inmost(struct walk *w)
{
	return w->open.n > 0 ? &w->open.p[w->open.n - 1] : NULL;
}

static void
new_entity(struct walk *w, bool message)
{
	w->now = (struct entity){ .number = w->entities++, .message = message };
	if (!message && inmost(w)->type == MIME_DIGEST)
		w->now.content.type = MIME_MESSAGE;	/* RFC 2046 5.1.5 */
	if (!w->planned && w->now.number < WALK_ENTITIES_MAX)
		buf_addc(&w->plan, PLAN_KEEP);
	w->where = IN_HEADER;
	w->field = FIELD_OTHER;
}

void
walk_begin(struct walk *w, bool planned)
{
	w->planned = planned;
	w->entities = 0;
	w->open.n = 0;
	if (!planned)
		buf_clear(&w->plan);
	new_entity(w, true);
}

static void
decide(struct walk *w, size_t number, int plan)
{
	if (w->planned || number >= WALK_ENTITIES_MAX)
		return;
	w->plan.p[number] = (char)plan;
	w->change |= plan != PLAN_KEEP;
}

enum plan
walk_plan(const struct walk *w, bool *eight)
{
	int plan = w->now.number < w->plan.n ? w->plan.p[w->now.number] :
	    PLAN_KEEP;

	*eight = (plan & WITH_EIGHT) != 0;
	return plan & ~WITH_EIGHT;
}

/* RFC 2046 section 5.2: what is a message is not encoded; nor is a multipart. */
static enum plan
cure(const struct entity *e)
{
	switch (e->encoding) {
	case MIME_QP:
		return PLAN_QP_AGAIN;
	case MIME_BASE64:
		return PLAN_BASE64_AGAIN;
	case MIME_UNKNOWN:
		return PLAN_KEEP;
	default:
		return e->content.type == MIME_TEXT ? PLAN_QP :
		    e->content.type == MIME_OTHER ? PLAN_BASE64 : PLAN_KEEP;
	}
}

static void
end_text(struct walk *w)
{
	struct composite *c = inmost(w);
	enum plan plan = PLAN_KEEP;

	if (w->where != IN_TEXT)
		return;
	if ((w->now.longer || (w->now.eight && w->seven_bit)) &&
	    w->now.number < WALK_ENTITIES_MAX)
		plan = cure(&w->now);
	if (plan != PLAN_KEEP)
		decide(w, w->now.number,
		    (int)plan | (w->now.eight ? WITH_EIGHT : 0));
	if (c != NULL) {
		c->changed |= plan != PLAN_KEEP;
		c->eight |= w->now.eight && plan == PLAN_KEEP;
	}
	w->where = IN_BETWEEN;
}

/* RFC 2045 section 6.4: it says what the most is that anything in it needs. */
static void
end_composite(struct walk *w)
{
	struct composite c = *inmost(w), *outer;

	w->open.n--;
	if (c.changed && !c.eight && c.encoding != MIME_7BIT)
		decide(w, c.number, PLAN_7BIT);
	else if (c.changed && c.encoding == MIME_BINARY)
		decide(w, c.number, PLAN_8BIT);
	if ((outer = inmost(w)) != NULL) {
		outer->changed |= c.changed;
		outer->eight |= c.eight;
	}
}

void
walk_end(struct walk *w)
{
	end_text(w);
	while (w->open.n > 0)
		end_composite(w);
}

/* The first of a name counts. */
static void
end_field(struct walk *w)
{
	if (w->field == FIELD_TYPE && !w->now.has[FIELD_TYPE])
		mime_content(&w->now.content, buf_span(&w->value));
	if (w->field == FIELD_ENCODING && !w->now.has[FIELD_ENCODING])
		w->now.encoding = mime_encoding(buf_span(&w->value));
	w->now.has[w->field] = true;
	w->field = FIELD_OTHER;
	buf_clear(&w->value);
}

static void
begin_field(struct walk *w, struct span line)
{
	static const char *const names[] = {
		[FIELD_VERSION] = "MIME-Version",
		[FIELD_TYPE] = "Content-Type",
		[FIELD_ENCODING] = "Content-Transfer-Encoding",
	};
	struct span name;

	header_field(line, &name);
	for (int i = FIELD_VERSION; i <= FIELD_ENCODING; i++)
		if (span_ieq(name, span_of(names[i])))
			w->field = (enum field)i;
}

/* RFC 2046 section 5.1.1; white space may stand behind it. */
static bool
is_boundary(struct walk *w, const struct chunk *c)
{
	struct span s = c->text;

	if (!c->first || !c->last || !span_starts(s, "--"))
		return false;
	s = span_from(s, 2);
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	for (size_t i = w->open.n; i-- > 0;) {
		struct span b = span_of(w->open.p[i].boundary);

		if (b.n == 0 || w->open.p[i].closed || s.n < b.n ||
		    !span_eq((struct span){ s.p, b.n }, b))
			continue;
		w->level = i;
		w->close = span_is(span_from(s, b.n), "--");
		if (s.n == b.n || w->close)
			return true;
	}
	return false;
}

enum sight
walk_look(struct walk *w, const struct chunk *c)
{
	if (is_boundary(w, c))
		return SIGHT_BOUNDARY;
	if (w->where != IN_HEADER)
		return w->where == IN_TEXT ? SIGHT_TEXT : SIGHT_BETWEEN;
	if (c->first && c->text.n > 0 &&
	    (c->text.p[0] == ' ' || c->text.p[0] == '\t'))
		return SIGHT_FIELD;
	if (c->first) {
		end_field(w);
		begin_field(w, c->text);
	}
	return c->first && c->text.n == 0 ? SIGHT_EMPTY : SIGHT_FIELD;
}

/* Walks into what holds entities, if it can. */
static void
end_header(struct walk *w)
{
	enum mime_type type = w->now.content.type;
	struct composite *c;

	w->where = IN_TEXT;
	if (w->open.n == WALK_DEPTH_MAX || w->now.encoding > MIME_BINARY ||
	    (type != MIME_MESSAGE && ((type != MIME_MULTIPART &&
	    type != MIME_DIGEST) || *w->now.content.boundary == '\0')))
		return;
	c = vec_add(&w->open);
	*c = (struct composite){ .number = w->now.number, .type = type,
	    .encoding = w->now.encoding };
	w->where = IN_BETWEEN;
	if (type == MIME_MESSAGE)
		new_entity(w, true);
	else
		memcpy(c->boundary, w->now.content.boundary,
		    sizeof c->boundary);
}

static void
pass_boundary(struct walk *w)
{
	end_field(w);
	end_text(w);
	while (w->open.n > w->level + 1)
		end_composite(w);
	w->where = IN_BETWEEN;
	inmost(w)->closed = w->close;
	if (!w->close)
		new_entity(w, false);
}

/* Unfolded (RFC 5322 section 2.2.3), without the name. */
static void
read_field(struct walk *w, const struct chunk *c)
{
	struct span s = c->text;

	if (w->field == FIELD_OTHER)
		return;
	if (c->first && s.p[0] != ' ' && s.p[0] != '\t')
		s = span_from(s, span_find(s, ':') + 1);
	if (s.n > VALUE_MAX - w->value.n)
		s.n = VALUE_MAX - w->value.n;
	buf_addspan(&w->value, s);
}

void
walk_on(struct walk *w, const struct chunk *c, enum sight sight)
{
	bool eight = !text_is_ascii(c->text), longer = c->first && !c->last;

	if (sight == SIGHT_TEXT) {
		w->now.eight |= eight;
		w->now.longer |= longer;
	} else if (eight && w->open.n > 0) {
		inmost(w)->eight = true;
	}
	if (sight == SIGHT_FIELD) {
		read_field(w, c);
		w->change |= longer;
	} else if (sight == SIGHT_EMPTY) {
		end_header(w);
	} else if (sight == SIGHT_BOUNDARY) {
		pass_boundary(w);
	}
}

void
walk_free(struct walk *w)
{
	buf_free(&w->plan);
	buf_free(&w->value);
	vec_free(&w->open);
}
