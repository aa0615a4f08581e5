#include "session/rights.h"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static int
failed(struct err *e, const char *what)
{
	err_sys(e, "%s", what);
	e->fault = FAULT_OS;
	return -1;
}

static int
become(const char *user, struct err *e)
{
	const struct passwd *p = getpwnam(user);

	if (p == NULL)
		return err_set(e, FAULT_CONFIG, "--run-as: there is no user %s",
		    user);
	if (p->pw_uid == 0)
		return err_set(e, FAULT_CONFIG, "--run-as: %s has all rights", user);
	if (setgroups(0, NULL) < 0 || setresgid(p->pw_gid, p->pw_gid, p->pw_gid) < 0
	    || setresuid(p->pw_uid, p->pw_uid, p->pw_uid) < 0)
		return failed(e, "give up rights");
	return 0;
}

int
rights_drop(const char *user, struct err *e)
{
	const struct rlimit none = { 0, 0 };

	if (geteuid() == 0 && become(user, e) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    setrlimit(RLIMIT_CORE, &none) < 0 ||
	    setrlimit(RLIMIT_NPROC, &none) < 0)
		return failed(e, "give up rights");
	return 0;
}
