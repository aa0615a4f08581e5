/* Enhanced status codes (RFC 3463) in what MTAs noted. */
#ifndef SPOOL_STATUS_H
#define SPOOL_STATUS_H

/*
 * The code behind the first reply code in a text, `4.7.1` of `... 451 4.7.1 try
 * again`: to be freed; NULL when there is none.
 */
char *status_in(const char *text);

#endif
