#include "opts/rows.h"

#include <sys/ioctl.h>
#include <unistd.h>

static int table, records, null, json, count, ids;
static const char *format;

struct poptOption opts_rows[] = {
	{ "long", 'l', POPT_ARG_NONE, &table, 0,
	    "a table (what a terminal gets)", NULL },
	{ "records", 0, POPT_ARG_NONE, &records, 0,
	    "records: ref, sender and recipients, separated by tabs", NULL },
	{ "json", 'j', POPT_ARG_NONE, &json, 0, "a JSON object a line", NULL },
	{ "count", 0, POPT_ARG_NONE, &count, 0,
	    "only the number of messages", NULL },
	{ "ids", 0, POPT_ARG_NONE, &ids, 0, "an ID a line", NULL },
	{ "format", 'F', POPT_ARG_STRING, &format, 0,
	    "a line of your own: %i id %s size %a age in seconds %f sender "
	    "%r recipients %q state %R reason %p ref", "STRING" },
	{ "null", '0', POPT_ARG_NONE, &null, 0,
	    "lines end in NUL instead of LF, those on stdin too", NULL },
	POPT_TABLEEND
};

/* The width to cut a table to: a terminal's. */
size_t
opts_width(void)
{
	struct winsize w;

	if (!isatty(STDOUT_FILENO))
		return 0;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20 ?
	    w.ws_col : 80;
}

int
opts_form(struct rows *r, struct err *e)
{
	bool tty = isatty(STDOUT_FILENO);

	*r = (struct rows){
		.to = stdout, .tty = tty, .end = null ? '\0' : '\n',
		.format = format,
		.form = table ? ROWS_TABLE : records ? ROWS_RECORDS :
		    json ? ROWS_JSON : count ? ROWS_COUNT : ids ? ROWS_IDS :
		    format ? ROWS_FORMAT : tty && !null ? ROWS_TABLE : ROWS_REFS,
	};
	rows_begin(r, opts_width());
	if (table + records + json + count + ids + (format != NULL) > 1)
		return err_set(e, FAULT_USAGE, "only one of --long, --records, "
		    "--json, --count, --ids and --format");
	return format != NULL ? rows_format_check(format, e) : 0;
}
