#include "session/deliver_sync.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/utsname.h>
#include <sys/vfs.h>

/*
 * Those of which syncfs(2) is known to wait for the disk: another one may take the
 * octets no further than to a server or a program (NFS, FUSE), or not tell that they
 * could not be written (overlayfs).  tmpfs keeps nothing, whatever is called.
 */
static const unsigned long shared[] = {
	0xef53,			/* ext2, ext3, ext4 */
	0x58465342,		/* XFS */
	0x9123683e,		/* btrfs */
	0xf2f52010,		/* F2FS */
	0x01021994,		/* tmpfs */
};

/* Before Linux 5.8 syncfs(2) says 0 although something could not be written. */
static bool
tells_errors(void)
{
	struct utsname u;
	int major, minor;

	return uname(&u) == 0 && sscanf(u.release, "%d.%d", &major, &minor) == 2 &&
	    (major > 5 || (major == 5 && minor >= 8));
}

bool
sync_is_shared(int dir)
{
	struct statfs s;

	if (!tells_errors() || fstatfs(dir, &s) < 0)
		return false;
	for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
		if (((unsigned long)s.f_type & 0xffffffff) == shared[i])
			return true;
	return false;
}

int
sync_together(int dir)
{
	return syncfs(dir);
}

#else

bool
sync_is_shared(int dir)
{
	(void)dir;
	return false;
}

int
sync_together(int dir)
{
	(void)dir;
	errno = ENOSYS;
	return -1;
}

#endif

int
sync_names(int dir)
{
	if (fsync(dir) == 0)
		return 0;
	/* there are file systems that cannot sync a directory */
	return errno == EINVAL ? sync_together(dir) : -1;
}

/* The name of it, in the directory above. */
static int
sync_above(int dir)
{
	int above = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r, saved;

	if (above < 0)
		return -1;
	r = sync_names(above);
	saved = errno;
	close(above);
	errno = saved;
	return r;
}

int
sync_opendir(int at, const char *name)
{
	bool made = mkdirat(at, name, 0700) == 0;
	int dir, saved;

	if (!made && errno != EEXIST)
		return -1;
	dir = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || !made || sync_above(dir) == 0)
		return dir;
	saved = errno;
	close(dir);
	errno = saved;
	return -1;
}
