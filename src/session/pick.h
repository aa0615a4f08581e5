/* From a record to the message and recipients it means. */
#ifndef SESSION_PICK_H
#define SESSION_PICK_H

#include "spool/spool.h"

enum pick { PICK_OK = 1, PICK_GONE = 0, PICK_CHANGED = 2 };

/*
 * Finds and reads the message of a record (its queue is added to `known` when
 * need be), and selects the pending recipients that the record names, one
 * occurrence for each time it names them; all pending ones when it names none.
 *
 * PICK_CHANGED when sender or recipients are not what the record says: IDs are
 * used again, it is another message.  PICK_GONE when nothing of it is pending.
 * Where that came with no extra cost its text is open in `body` (empty before).
 * -1: it could not be looked at (err).
 */
int pick_message(struct spools *known, const struct record *, struct spool **,
    struct entry *, struct message *, struct body *, struct err *);

#endif
