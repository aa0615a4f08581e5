#include "net/sighting.h"

#include <netinet/tcp.h>

#include "base/vec.h"

void
sightings_add(struct sightings *v, const struct sighting *s, int state)
{
	struct sighting *to;

	switch (state) {
	case TCP_LISTEN:
		v->listens = true;
		return;
	case TCP_SYN_SENT: case TCP_SYN_RECV: case TCP_CLOSE:
		return;
	case TCP_ESTABLISHED: case TCP_CLOSE_WAIT:
	case TCP_FIN_WAIT1: case TCP_FIN_WAIT2: case TCP_TIME_WAIT:
	case TCP_LAST_ACK: case TCP_CLOSING:
		break;
	default:		/* a kernel's own, as of unfinished handshakes */
		return;
	}
	to = vec_add(v);
	*to = *s;
	to->over = state != TCP_ESTABLISHED && state != TCP_CLOSE_WAIT;
	if (to->over)
		to->id = 0;
	/* their FIN counts as an octet */
	if (to->octets > 0 && (state == TCP_CLOSE_WAIT ||
	    state == TCP_LAST_ACK || state == TCP_CLOSING))
		to->octets--;
}
