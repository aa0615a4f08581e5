#!/bin/sh
# shellcheck disable=SC2154	# top and tmp are of lib.sh
# queue-list --why where an MTA of this host works on the queue; its programs are
# stand-ins that write down what they are asked.  The true ones: t/mta/why-*.t.
. "$(dirname "$0")/lib.sh"

"$top/t/samples/unpack" "$tmp" postfix || exit 1
cd "$tmp" || exit
q="$tmp/spool of \$(touch run) it's" conf="$tmp/conf; touch run"
mv "$tmp/postfix/default/spool" "$q"
mkdir -p "$tmp/bin" "$conf"
: >"$conf/main.cf"
cat >"$tmp/bin/postconf" <<-'END'
	#!/bin/sh
	echo "$*" >>"$asked"
	case $* in
	*maximal_queue_lifetime*) echo "${life-maximal_queue_lifetime = 5d}" ;;
	*) echo "queue_directory = $q"; echo "config_directory = $conf" ;;
	esac
END
# shellcheck disable=SC2016
for name in postfix postqueue postsuper postmulti; do
	printf '#!/bin/sh\nfor a in %s "$@"; do echo "$a"; done >>"$told"\n' $name >"$tmp/bin/$name"
done
chmod +x "$tmp/bin"/*
export q conf asked="$tmp/asked" told="$tmp/told" PATH="$tmp/bin:$PATH"
ql() { queue-list --spool=postfix:"$q" --why "$@"; }

like 'an MTA that does not run: that is said' 'No MTA is running that would deliver' ql --state=deferred --first=1
exits 'and is no failure' 0 ql --state=deferred --first=1
like 'a lifetime from postconf' 'is given up (in|when)' ql --state=deferred --first=1
like 'one without a unit is in days: not yet over' 'is given up in [0-9]+d' \
    env life='maximal_queue_lifetime = 90000' queue-list --spool=postfix:"$q" --why --state=deferred --first=1
like 'one that has passed ends with the next try' 'is given up when the' \
    env life='maximal_queue_lifetime = 0' queue-list --spool=postfix:"$q" --why --state=deferred --first=1

: >"$asked"
ql >"$tmp/all" 2>&1
ok 'many messages' test "$(grep -c 'is in' "$tmp/all")" -gt 5
is 'postconf is asked once a queue' 1 grep -c maximal_queue_lifetime "$asked"

# What is printed can be pasted, whatever the paths are.
id=$(queue-list --spool=postfix:"$q" --ids --state=hold --first=1)
ql --state=hold --first=1 | sed -n 's/^ *now: //p' >"$tmp/advice"
: >"$told"
ok 'a command is printed, and a shell takes it' sh -e "$tmp/advice"
is 'each word is what it was' "postfix
-c
$conf
start
postsuper
-c
$conf
-H
$id
postqueue
-c
$conf
-i
$id" cat "$told"
ok 'nothing in a path is run' test ! -e "$tmp/run"
conf=$tmp/$(printf 'b\033b') && mkdir "$conf" && export conf
# shellcheck disable=SC2016
is 'a path that no line can show: no command' 0 sh -c \
    'queue-list --spool=postfix:"$q" --why --state=hold --first=1 | grep -c "now:" | grep .'
done_testing
