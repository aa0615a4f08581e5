/* turn-server: keeps mail for customers who call and fetch it on their own connection. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "base/unit.h"
#include "net/sock.h"
#include "opts/opts.h"
#include "session/provider.h"
#include "session/rights.h"
#include "session/turn_half.h"
#include "session/turn_parent.h"

#define NAME "turn-server"
#define GRACE_MS 2000		/* once a signal came */

static const char *customers_file, *passwords_file, *auth_socket;
static const char *tls_cert, *tls_key, *tls_ca;
static const char *own_name, *run_as = "nobody", *print_config;
static const char *idle_time = "5m", *login_time = "2m", *deadline_time = "4h";
static const char *quiet_time = "10s";
static const char *drain_command;
static const char **spools;
static int tls_wrap, use_splice, drain, verbose;

static struct poptOption options[] = {
	{ "customers", 0, POPT_ARG_STRING, &customers_file, 0,
	    "who they are: user: domain domain ...", "FILE" },
	{ "drain", 0, POPT_ARG_NONE, &drain, 0,
	    "send what waits by dequeue and smtp-send (the default)", NULL },
	{ "drain-command", 0, POPT_ARG_STRING, &drain_command, 0,
	    "or by this, the customer on its stdin and stdout", "COMMAND" },
	{ "splice", 0, POPT_ARG_NONE, &use_splice, 0,
	    "or by the MTA, whose sessions are carried", NULL },
	{ "spool", 0, POPT_ARG_ARGV, &spools, 0,
	    "whose queue; may be given more than once", "KIND[:DIR]" },
	{ "print-config", 0, POPT_ARG_STRING, &print_config, 0,
	    "what the MTA needs for these customers: postfix, exim or sendmail",
	    "MTA" },
	{ "helo", 0, POPT_ARG_STRING, &own_name, 0,
	    "our name; otherwise the host's", "NAME" },
	{ "run-as", 0, POPT_ARG_STRING | POPT_ARGFLAG_SHOW_DEFAULT, &run_as, 0,
	    "who talks to the network, when we are root", "USER" },
	{ "verbose", 'v', POPT_ARG_NONE, &verbose, 0,
	    "on stderr, too, what goes to the log", NULL },
	POPT_TABLEEND
};

static struct poptOption knowing[] = {
	{ "passwords", 0, POPT_ARG_STRING, &passwords_file, 0,
	    "user:{SCRAM-SHA-256}... or user:{PLAIN}secret", "FILE" },
	{ "auth-socket", 0, POPT_ARG_STRING, &auth_socket, 0,
	    "Dovecot's, instead", "PATH" },
	{ "tls-cert", 0, POPT_ARG_STRING, &tls_cert, 0,
	    "our certificate (PEM, with its chain)", "FILE" },
	{ "tls-key", 0, POPT_ARG_STRING, &tls_key, 0,
	    "its key; otherwise in the same file", "FILE" },
	{ "tls-ca", 0, POPT_ARG_STRING, &tls_ca, 0,
	    "whose certificates name customers (AUTH EXTERNAL)", "PATH" },
	{ "tls-wrap", 0, POPT_ARG_NONE, &tls_wrap, 0,
	    "TLS before the greeting", NULL },
	POPT_TABLEEND
};

static struct poptOption patience[] = {
	{ "timeout", 0, POPT_ARG_STRING | POPT_ARGFLAG_SHOW_DEFAULT, &idle_time, 0,
	    "so long the customer may say nothing", "TIME" },
	{ "login-timeout", 0, POPT_ARG_STRING | POPT_ARGFLAG_SHOW_DEFAULT,
	    &login_time, 0, "for everything before AUTH", "TIME" },
	{ "splice-idle", 0, POPT_ARG_STRING | POPT_ARGFLAG_SHOW_DEFAULT,
	    &quiet_time, 0, "--splice is over when the MTA is quiet for so long",
	    "TIME" },
	{ "deadline", 0, POPT_ARG_STRING | POPT_ARGFLAG_SHOW_DEFAULT,
	    &deadline_time, 0, "for everything", "TIME" },
	POPT_TABLEEND
};

static struct poptOption all[] = {
	OPTS_TABLE(options, "Mail:"),
	OPTS_TABLE(knowing, "Who is who:"),
	OPTS_TABLE(patience, "Patience:"),
	OPTS_END
};

/* ---- the log ---- */

static char session[32];

static void
log_line(const char *text)
{
	syslog(LOG_INFO, "%s: %s", session, text);
	if (verbose)
		warn(NAME, "%s: %s", session, text);
}

static void
log_err(const struct err *e)
{
	struct buf b = {0};

	text_printable(&b, span_of(e->text));
	syslog(LOG_ERR, "%s: %s", session, buf_str(&b));
	buf_free(&b);
	err_print(e, NAME);
}

/*
 * inetd gives the connection as stderr, too: what is said to people must not reach the
 * peer.
 */
static void
guard_stderr(void)
{
	struct stat in, err;
	int null;

	if (fstat(STDIN_FILENO, &in) < 0 || !S_ISSOCK(in.st_mode) ||
	    (fstat(STDERR_FILENO, &err) == 0 && (in.st_dev != err.st_dev ||
	    in.st_ino != err.st_ino)))
		return;
	if ((null = open("/dev/null", O_WRONLY)) >= 0 && null != STDERR_FILENO) {
		dup2(null, STDERR_FILENO);
		close(null);
	}
}

/* ---- the peer ---- */

struct peer_words {
	struct buf address, site;
	struct in6_addr at;
	bool known;
};

static void
look_at_peer(struct peer_words *w)
{
	struct sockaddr_storage a = {0};
	socklen_t n = sizeof a;

	if (getpeername(STDIN_FILENO, (struct sockaddr *)&a, &n) < 0 ||
	    (a.ss_family != AF_INET && a.ss_family != AF_INET6)) {
		buf_adds(&w->address, "local");
		buf_adds(&w->site, "local");
		return;
	}
	w->known = true;
	w->at = a.ss_family == AF_INET6 ?
	    ((const struct sockaddr_in6 *)&a)->sin6_addr :
	    range_of_ipv4(&((const struct sockaddr_in *)&a)->sin_addr);
	range_text(&w->address, &w->at);
	range_site(&w->site, &w->at);
}

/* ---- the half on the network ---- */

static void
get_name(struct buf *name)
{
	char host[256] = "";

	if (own_name != NULL)
		buf_adds(name, own_name);
	else if (gethostname(host, sizeof host - 1) == 0 && *host)
		buf_adds(name, host);
	else
		buf_adds(name, "localhost");
}

static int
network(struct turn_half *h, struct err *e)
{
	struct line line = { .io = { .in = STDIN_FILENO, .out = STDOUT_FILENO,
	    .child = { 0, -1, -1, -1 } } };
	struct tls_opts tls = { .server = true, .ca = tls_ca, .cert = tls_cert,
	    .key = tls_key };
	int r = -1;

	fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
	sock_at_once(STDOUT_FILENO);
	if ((tls_cert == NULL || (h->tls = tls_shared_new(&tls, e)) != NULL) &&
	    rights_drop(run_as, e) == 0)
		r = turn_half_run(h, &line, e);
	tls_shared_free(h->tls);
	return r;
}

/* Its errors are told by the other half: it has no way to the log. */
static _Noreturn void
be_network(struct turn_half *h)
{
	struct err e = {0}, ignored = {0};
	struct note n;

	if (network(h, &e) < 0) {
		note_init(&n, NOTE_LOG);
		buf_adds(&n.text, e.text);
		note_send(h->other, &n, &ignored);
		note_free(&n);
	}
	_exit(e.fault);
}

/* ---- the half with the rights ---- */

/* Ours lie where we do. */
static void
find_programs(struct buf *b)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
	const char *slash;
	struct buf beside = {0};

	if (n <= 0)
		return;
	path[n] = '\0';
	if ((slash = strrchr(path, '/')) == NULL)
		return;
	buf_add(&beside, path, (size_t)(slash - path) + 1);
	buf_adds(&beside, "dequeue");
	if (access(buf_str(&beside), X_OK) == 0)
		buf_add(b, path, (size_t)(slash - path) + 1);
	buf_free(&beside);
}

static int
read_files(struct turn_parent *t, struct customers *customers,
    struct passwords *passwords, struct err *e)
{
	if (customers_read(customers, customers_file, e) < 0)
		return -1;
	if (passwords_file != NULL && passwords_read(passwords, passwords_file,
	    e) < 0)
		return -1;
	if (auth_socket != NULL &&
	    (t->dovecot = dovecot_open(auth_socket, e)) == NULL)
		return -1;
	t->customers = customers;
	t->passwords = passwords_file != NULL ? passwords : NULL;
	return (t->run = rates_open(e)) < 0 ? -1 : 0;
}

static int
parent(struct turn_parent *t)
{
	struct customers customers = {0};
	struct passwords passwords = {0};
	struct err e = {0};
	int status;

	if (read_files(t, &customers, &passwords, &e) == 0) {
		status = turn_parent_run(t);
	} else {
		log_err(&e);
		turn_parent_refuse(t->other);
		status = e.fault;
	}
	dovecot_close(t->dovecot);
	customers_free(&customers);
	passwords_free(&passwords);
	return status;
}

/* The connection is the other half's: it ends when that one closes it. */
static void
let_go(void)
{
	int null = open("/dev/null", O_RDWR);

	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		if (null > STDERR_FILENO)
			close(null);
	}
}

/* Whoever it is by now: it ends.  Its wait status. */
static int
end_network(pid_t pid, int64_t deadline)
{
	struct child c = { pid, -1, -1, -1 };
	int how = 0;

	if (interrupt_came()) {
		kill(pid, SIGTERM);
		deadline = clock_in(GRACE_MS);
	}
	if (child_wait(&c, deadline, &how) < 0) {
		kill(pid, SIGKILL);
		child_wait(&c, NEVER, &how);
	}
	return how;
}

static int
serve(struct turn_parent *t, struct turn_half *h)
{
	struct err e = {0};
	int p[2], status = 0, how;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p) < 0 ||
	    (pid = fork()) < 0) {
		err_sys(&e, "start");
		e.fault = FAULT_OS;
		log_err(&e);
		return e.fault;
	}
	if (pid == 0) {
		close(p[0]);
		h->other = p[1];
		be_network(h);
	}
	close(p[1]);
	let_go();
	t->other = p[0];
	status = parent(t);
	close(p[0]);
	how = end_network(pid, t->deadline);
	return status_worse(status, WIFEXITED(how) ? WEXITSTATUS(how) : FAULT_TEMP);
}

/* ---- options ---- */

static void
check(void)
{
	if (customers_file == NULL)
		opts_wrong(NAME, "--customers=FILE is needed");
	if (print_config != NULL)
		return;
	if (use_splice && (drain || drain_command != NULL))
		opts_wrong(NAME, "--splice or --drain, not both");
	if (passwords_file != NULL && auth_socket != NULL)
		opts_wrong(NAME, "--passwords or --auth-socket, not both");
	if (passwords_file == NULL && auth_socket == NULL && tls_ca == NULL)
		opts_wrong(NAME, "who is who?  --passwords, --auth-socket or "
		    "--tls-ca");
	if (tls_cert == NULL && (tls_wrap || tls_key != NULL || tls_ca != NULL))
		opts_wrong(NAME, "TLS needs --tls-cert");
}

static int
times(struct turn_parent *t, struct turn_half *h, struct err *e)
{
	int64_t ms;

	if (unit_wait("--timeout", idle_time, &h->idle_ms, e) < 0 ||
	    unit_wait("--login-timeout", login_time, &h->login_ms, e) < 0 ||
	    unit_wait("--splice-idle", quiet_time, &h->quiet_ms, e) < 0 ||
	    unit_wait("--deadline", deadline_time, &ms, e) < 0)
		return -1;
	h->deadline = clock_in(ms);
	/* so that the one who knows what became of it is the last */
	t->deadline = clock_in(ms + 10000);
	return 0;
}

static int
printed(void)
{
	struct customers c = {0};
	struct err e = {0};
	struct buf b = {0};

	if (customers_read(&c, customers_file, &e) == 0 && c.n == 0)
		err_set(&e, FAULT_CONFIG, "%s: no customer is in it", customers_file);
	if (e.fault == FAULT_NONE &&
	    provider_config(&b, print_config, &c, &e) == 0 &&
	    (fwrite(b.p, 1, b.n, stdout) != b.n || fflush(stdout) != 0))
		err_sys(&e, "write");
	customers_free(&c);
	buf_free(&b);
	return err_exit(&e, NAME);
}

int
main(int argc, char *argv[])
{
	struct turn_parent t = { .log = log_line, .run = -1,
	    .tries = { "tries", 20, 600 }, .turns = { "turns", 30, 60 },
	    .flushes = { "flushes", 1, 60 } };
	struct turn_half h = {0};
	struct peer_words peer = {0};
	struct buf programs = {0}, greeting = {0}, name = {0};
	struct err e = {0};
	const char *const *words;
	const char **command = NULL;
	int n, status;

	guard_stderr();
	opts_read(NAME, argc, argv, all, "< connection", &words, NULL);
	if (*words != NULL)
		opts_wrong(NAME, "`%s': there are no operands", *words);
	check();
	if (print_config != NULL)
		return printed();
	if (times(&t, &h, &e) < 0)
		opts_wrong(NAME, "%s", e.text);
	if (drain_command != NULL &&
	    poptParseArgvString(drain_command, &n, &command) != 0)
		opts_wrong(NAME, "--drain-command: `%s' is no command",
		    drain_command);
	openlog(NAME, LOG_PID, LOG_MAIL);
	snprintf(session, sizeof session, "%llx%04x", (long long)time(NULL),
	    (unsigned)getpid() & 0xffff);
	interrupt_catch();
	look_at_peer(&peer);
	get_name(&name);
	t.name = h.name = buf_str(&name);
	find_programs(&programs);
	t.peer = buf_str(&peer.address);
	t.source = buf_str(&peer.site);
	t.certificates = tls_ca != NULL;
	t.at = peer.at;
	t.at_known = peer.known;
	t.spools = (const char *const *)spools;
	t.drain_command = (const char *const *)command;
	t.programs = buf_str(&programs);
	t.splice = use_splice;
	h.wrap = tls_wrap;
	h.judge = tls_ca != NULL;
	buf_addf(&greeting, "connection from %s", t.peer);
	log_line(buf_str(&greeting));
	status = serve(&t, &h);
	free(command);
	buf_free(&peer.address);
	buf_free(&peer.site);
	buf_free(&programs);
	buf_free(&greeting);
	buf_free(&name);
	return status;
}
