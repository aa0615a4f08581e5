/*
 * Courier.  Tried with the files of 1.0.16.
 *
 * msgs/NN/C<inode> is the control file, lines that are only ever added to;
 * msgs/NN/D<inode> the message; NN are the last two digits of the inode.  msgq has
 * second names of the control files, by their next attempt.  The ID that mailq
 * prints stands in the control file and begins with the inode in hexadecimal.
 *
 * There is no lock: courierd alone works on the queue, and keeps it in memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spool/courier.h"
#include "spool/shelf.h"

#define USUAL "/var/lib/courier"
static const struct shelf places[] = {
	/* a control file comes there by a rename */
	{ "msgs", STATE_DEFERRED, true }, { NULL, 0, false }
};

static bool
is_control(const char *name)
{
	return *name == 'C' && shelf_number(name + 1);
}

static shelf_level *const levels[] = { shelf_number, is_control, NULL };

static struct walk *
courier_walk(struct spool *s, unsigned states, struct err *e)
{
	(void)e;
	if (states & STATE_BIT(STATE_DONE))
		states |= STATE_BIT(STATE_DEFERRED);
	return shelf_walk(s, places, levels, states);
}

/* `C2501000` or `0000000000262988.000000006B0469FA.000017B9`: the inode. */
static bool
inode_of(const char *id, unsigned long long *ino)
{
	if (is_control(id)) {
		*ino = strtoull(id + 1, NULL, 10);
		return true;
	}
	*ino = strtoull(id, NULL, 16);
	return courier_is_id(id);
}

/* Of a whole ID the rest has to be right, too: inodes are used again. */
static int
is_it(struct spool *s, struct entry *at, const char *id, struct err *e)
{
	struct message m = {0};
	int r = 1;

	if (!is_control(id) && (r = courier_read(s, at, 0, &m, e)) == 1)
		r = strcmp(m.id, id) == 0;
	message_free(&m);
	return r;
}

static int
courier_find(struct spool *s, const char *id, struct entry *at, struct err *e)
{
	unsigned long long ino;
	struct stat st;

	if (!inode_of(id, &ino))
		return 0;
	buf_clear(&at->ref);
	buf_addf(&at->ref, "%s/msgs/%llu/C%llu", s->dir, ino % 100, ino);
	at->state = STATE_DEFERRED;
	if (lstat(buf_str(&at->ref), &st) == 0)
		return is_it(s, at, id, e);
	return errno == ENOENT || errno == ENOTDIR ? 0 :
	    err_sys(e, "look for %s", at->ref.p);
}

static bool
shape(const char *dir)
{
	return dir_is_there(dir, "msgs") && dir_is_there(dir, "msgq");
}

static const struct usual usual = {
	.name = "Courier", .dir = USUAL, .has = "msgs and msgq", .shape = shape,
};

static int
courier_owns(const char *ref, struct buf *dir)
{
	return shelf_owns(places, levels, shape, ref, dir);
}

static int
courier_open(struct spool *s, struct err *e)
{
	return shelf_open(s, &usual, e);
}

static int
courier_discover(struct spools *found, struct err *e)
{
	(void)e;
	return shelf_discover(found, &spool_courier, &usual);
}

const struct spool_kind spool_courier = {
	.name = "courier",
	.discover = courier_discover,
	.open = courier_open,
	.owns = courier_owns,
	.walk = courier_walk,
	.next = shelf_next,
	.walk_end = shelf_walk_end,
	.find = courier_find,
	.read = courier_read,
	.body = courier_body,
	.only_copies = true,
	.claim = courier_claim,
	.settle = courier_settle,
	.fail = courier_fail,
	.done = courier_done,
	.release = courier_release,
	.remove = spool_take_away,
	.outlook = courier_outlook,
};
