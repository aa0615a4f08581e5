#include "opts/batch.h"

#include <string.h>
#include <strings.h>

#include "base/unit.h"

static const char *body_type, *in_flight, *connections;
static int repair, no_chunking;

struct poptOption opts_batch[] = {
	{ "body-type", 0, POPT_ARG_STRING, &body_type, 0,
	    "7bit or 8bitmime, whatever the text and the server say", "TYPE" },
	{ "repair", 0, POPT_ARG_NONE, &repair, 0,
	    "make a text fit for SMTP instead of refusing it", NULL },
	{ "no-chunking", 0, POPT_ARG_NONE, &no_chunking, 0,
	    "DATA although the server offers BDAT", NULL },
	{ "in-flight", 0, POPT_ARG_STRING, &in_flight, 0,
	    "most messages, or octets (`64k'), without an answer", "N|SIZE" },
	{ "connections", 'c', POPT_ARG_STRING, &connections, 0,
	    "to each destination at a time (1)", "N" },
	POPT_TABLEEND
};

bool
opts_batch_repairs(void)
{
	return repair;
}

static int
read_connections(struct batch *b, struct err *e)
{
	int64_t n = 1;

	if (connections != NULL &&
	    unit_count("--connections", connections, &n, e) < 0)
		return -1;
	if (n < 1 || n > 100)
		return err_set(e, FAULT_USAGE, "--connections: from 1 to 100");
	b->connections = (size_t)n;
	return 0;
}

/* A bare number counts messages, one with a unit octets. */
static int
read_in_flight(struct batch *b, struct err *e)
{
	int64_t n = 1;

	if (in_flight == NULL)
		return 0;
	if (strspn(in_flight, "0123456789") == strlen(in_flight)) {
		if (unit_count("--in-flight", in_flight, &n, e) < 0)
			return -1;
		b->limit.messages = (size_t)n;
	} else {
		if (unit_size("--in-flight", in_flight, &n, e) < 0)
			return -1;
		b->limit.octets = n;
	}
	return n > 0 ? 0 : err_set(e, FAULT_USAGE, "--in-flight: at least one");
}

int
opts_batch_read(struct batch *b, struct dial *dial, struct err *e)
{
	b->rules.repair = repair;
	if (body_type != NULL && strcasecmp(body_type, "7bit") == 0)
		b->rules.seven_bit = true;
	else if (body_type != NULL && strcasecmp(body_type, "8bitmime") == 0)
		b->rules.eight_bit = true;
	else if (body_type != NULL)
		return err_set(e, FAULT_USAGE, "--body-type: `%s' is neither "
		    "7bit nor 8bitmime", body_type);
	dial->flags |= no_chunking ? CLIENT_NO_CHUNKING : 0;
	return read_connections(b, e) < 0 || read_in_flight(b, e) < 0 ? -1 : 0;
}
