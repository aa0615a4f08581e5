#include "base/interrupt.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
static volatile sig_atomic_t came;
static bool caught;

static void
note(int number)
{
	came = number;
}

void
interrupt_catch(void)
{
	struct sigaction a = { .sa_handler = note }, old;
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		/* an ignored one, once blocked, would be pending after all */
		if (sigaction(signals[i], NULL, &old) < 0 ||
		    old.sa_handler == SIG_IGN)
			continue;
		sigaddset(&set, signals[i]);
		sigaction(signals[i], &a, NULL);
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
	caught = true;
}

int
interrupt_came(void)
{
	sigset_t pending;

	if (!caught)
		return 0;
	sigpending(&pending);
	for (size_t i = 0; came == 0 && i < sizeof signals / sizeof *signals; i++)
		if (sigismember(&pending, signals[i]))
			came = signals[i];
	return came;
}

int
interrupt_poll(struct pollfd *p, nfds_t n, int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };
	sigset_t mask;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (size_t i = 0; caught && i < sizeof signals / sizeof *signals; i++)
		sigdelset(&mask, signals[i]);
	return ppoll(p, n, ms < 0 ? NULL : &t, &mask);
}
