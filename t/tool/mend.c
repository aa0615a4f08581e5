/* mend 7|8|bcc [SIZE]: stdin mended, which came in pieces of SIZE; on stdout. */
#include "../pieces.h"

#include <stdio.h>

#include "spool/mend.h"

int
main(int argc, char *argv[])
{
	struct buf in = {0}, out;
	struct body inner, b;
	size_t n;

	if (argc < 2)
		return 64;
	while ((n = fread(buf_room(&in, 65536), 1, 65536, stdin)) > 0)
		in.n += n;
	pieces_body(&inner, buf_span(&in), argc > 2 ?
	    (size_t)atol(argv[2]) : 65536);
	if (*argv[1] == 'b')
		mend_no_bcc(&b, &inner);
	else
		mend_limits(&b, &inner, *argv[1] == '7');
	out = pieces_all(&b);
	fwrite(out.p, 1, out.n, stdout);
	buf_free(&in);
	buf_free(&out);
	return fflush(stdout) != 0;
}
