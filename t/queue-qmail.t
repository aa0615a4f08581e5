#!/bin/sh
# shellcheck disable=SC2154	# top and tmp are of lib.sh
# A queue as qmail's INTERNALS describes it, through queue-list and queue-cat.
. "$(dirname "$0")/lib.sh"

q=$tmp/queue
mkdir -p "$q/mess/3" "$q/mess/4" "$q/info/3" "$q/local/3" "$q/remote/3" "$q/todo"
printf 'Subject: x\n\nhi\n' >"$q/mess/3/26"
printf 'Fann@x.test\0' >"$q/info/3/26"
touch -d @1795451509 "$q/info/3/26"
printf 'Tbob@y.test\0Dcarla@y.test\0' >"$q/remote/3/26"
printf 'Tlocal-dan@here.test\0' >"$q/local/3/26"
printf 'Subject: y\n\nho\n' >"$q/mess/4/27"
printf 'u1000\0p77\0F\0Tone@z.test\0' >"$q/todo/27"

is 'sorted and unsorted mail' '26 deferred ann@x.test
27 incoming <>' sh -c 'queue-list --spool=qmail:"$1" -F "%i %q %f" | sort' - "$q"
is 'who is pending, here and there' '26 bob@y.test local-dan@here.test' sh -c \
    'queue-list --spool=qmail:"$1" -j 26 | perl -MJSON::PP -ne '\''$m = decode_json($_);
    print join(" ", $m->{queue_id}, sort map { $_->{address} } @{ $m->{recipients} }), "\n"'\' - "$q"
is 'who is done, and since when it waits' 'carla@y.test 1795451509' sh -c \
    'queue-list -j "$1/mess/3/26" | perl -MJSON::PP -ne '\''$m = decode_json($_);
    print "$m->{done}[0]{address} $m->{arrival_time}\n"'\' - "$q"
is 'its text' 'Subject: x

hi' sh -c 'queue-cat --spool=qmail:"$1" 26 | tr -d "\r"' - "$q"
printf 'Dbob@y.test\0' >"$q/remote/3/26"
rm "$q/local/3/26"
is 'when all is done' 'done' queue-list --spool=qmail:"$q" -F %q 26
rm "$q/info/3/26"
is 'a text that nobody has sorted or begun is no message' '' queue-list --spool=qmail:"$q" 26
printf 'T\0' >"$q/todo/26"
exits 'a damaged one is said' 65 queue-list --spool=qmail:"$q" -l
rm "$q/todo/26"
. "$top/t/samples/hostile.sh"
hostile qmail "$q" mess/4 99
exits 'what is no queue is said' 74 queue-list --spool=qmail:"$tmp"
done_testing
