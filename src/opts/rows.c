#include "opts/rows.h"

#include <sys/ioctl.h>
#include <unistd.h>

static int table, records, null, json, count, ids, summary, why, check, prometheus;
static const char *format, *summary_by, *warn_at, *critical_at, *output;

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

struct poptOption opts_rows_later[] = {
	{ "summary", 0, POPT_ARG_NONE, &summary, 0, "counts and ages", NULL },
	{ "summary-by", 0, POPT_ARG_STRING, &summary_by, 0,
	    "the same by domain, sender, age or reason", "WHAT" },
	{ "why", 0, POPT_ARG_NONE, &why, 0, "a paragraph a message", NULL },
	{ "check", 0, POPT_ARG_NONE, &check, 0, "as a monitoring plug-in", NULL },
	{ "warn", 0, POPT_ARG_STRING, &warn_at, 0, "for --check", "N[,TIME]" },
	{ "critical", 0, POPT_ARG_STRING, &critical_at, 0, "for --check",
	    "N[,TIME]" },
	{ "prometheus", 0, POPT_ARG_NONE, &prometheus, 0, "metrics", NULL },
	{ "output", 0, POPT_ARG_STRING, &output, 0, "for --prometheus", "FILE" },
	POPT_TABLEEND
};

static void
refuse_later(const char *tool)
{
	opts_later(tool, "--summary", summary);
	opts_later(tool, "--summary-by", summary_by != NULL);
	opts_later(tool, "--why", why);
	opts_later(tool, "--check", check);
	opts_later(tool, "--warn", warn_at != NULL);
	opts_later(tool, "--critical", critical_at != NULL);
	opts_later(tool, "--prometheus", prometheus);
	opts_later(tool, "--output", output != NULL);
}

/* The width to cut a table to: a terminal's. */
static size_t
terminal_width(void)
{
	struct winsize w;

	if (!isatty(STDOUT_FILENO))
		return 0;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20 ?
	    w.ws_col : 80;
}

int
opts_form(const char *tool, struct rows *r, struct err *e)
{
	bool tty = isatty(STDOUT_FILENO);

	refuse_later(tool);
	*r = (struct rows){
		.to = stdout, .tty = tty, .end = null ? '\0' : '\n',
		.format = format,
		.form = table ? ROWS_TABLE : records ? ROWS_RECORDS :
		    json ? ROWS_JSON : count ? ROWS_COUNT : ids ? ROWS_IDS :
		    format ? ROWS_FORMAT : tty && !null ? ROWS_TABLE : ROWS_REFS,
	};
	rows_begin(r, terminal_width());
	if (table + records + json + count + ids + (format != NULL) > 1)
		return err_set(e, FAULT_USAGE, "only one of --long, --records, "
		    "--json, --count, --ids and --format");
	return format != NULL ? rows_format_check(format, e) : 0;
}
