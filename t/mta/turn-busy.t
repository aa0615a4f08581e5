#!/bin/sh
# turn-server --splice beside a real Postfix that is busy: it opens several connections to
# a customer, delivers to two of them at the same time, and a queue run for everybody, and
# one for a customer who is away, come in between.
# shellcheck disable=SC2034
chroots=postfix-auth
. "$(dirname "$0")/lib.sh"
. "$mta/../tls.sh"
. "$mta/isp.sh"
. "$mta/turning.sh"

kind=postfix root=$tmp/postfix spool=/var/spool/postfix takes='127.0.0.1 25'
root_of postfix postfix-auth
install_into "$root"
customers
in_chroot - "$root" turn-server --customers=/etc/tidegate/customers --print-config=postfix >"$tmp/printed" ||
	bail 'no configuration'
isp_postfix
# a busy machine is slow: that nothing more comes is known when all has come
splice_idle=30
server 367 --splice

: >"$tmp/plan"
for k in 1 2 3 4 5 6 7 8; do
	plan a$k $((k * 700)) ann@one.test
	plan b$k $((k * 900)) cat@three.test
done
plan a9 3000 ann@one.test ben@two.test
plan c1 500 dan@four.test
plan m1 2000 ann@one.test cat@three.test dan@four.test
# shellcheck disable=SC2086
python3 "$mta/mail.py" send $takes "$tmp/plan" || bail 'no mail is taken'
wait_for waiting "$(mail planned "$tmp/plan" | sed 's/ whole$//')" ||
	{ waits | diag; bail 'the queue does not fill'; }

# a customer whose own server answers when $tmp/go is there
cat >"$tmp/server" <<-END
#!/bin/sh
while [ ! -e "$tmp/go" ]; do perl -e 'select undef, undef, undef, .05'; done
exec sink --stdio --ext=8BITMIME,PIPELINING --8-bit-clean --maildir="\$1"
END
chmod +x "$tmp/server"
mkdir -p "$tmp/got.alice" "$tmp/got.bob"
# connections ADDRESS: how many the MTA has to where a customer's mail goes
connections() { ss -Htn state established dst "$1" | wc -l; }
several() { [ "$(connections 127.0.0.61:2561)" -gt 1 ] && [ "$(connections 127.0.0.62:2561)" -gt 1 ]; }

target="exec:$tmp/server $tmp/got.alice" fetch alice --splice one.test two.test >"$tmp/alice.out" 2>&1 &
one=$!
target="exec:$tmp/server $tmp/got.bob" fetch bob --splice three.test >"$tmp/bob.out" 2>&1 &
other=$!
ok 'several connections to each of two' wait_for several
ok 'a queue run for one who is away' chroot "$root" postqueue -s four.test
ok 'one for everybody' chroot "$root" postqueue -f
refused() { grep -q 'dan@four.test.*status=deferred (connect to 127.0.0.63' "$root/var/log/postfix.log"; }
ok 'who is away is not there' wait_for refused
exits 'a second one for the same customer: later' 75 fetch alice --splice one.test
: >"$tmp/go"
exits 'the one ends well' 0 wait $one
exits 'and the other' 0 wait $other
wait_for waiting 'c1 dan@four.test
m1 dan@four.test'
is 'what is left is for who was away' 'c1 dan@four.test
m1 dan@four.test' waits
is 'the one has all that is his, once, and nothing else' "$(for k in 1 2 3 4 5 6 7 8 9; do echo "a$k whole"; done)
m1 whole" got alice
is 'for these' "$(for k in 1 2 3 4 5 6 7 8 9 10; do echo ann@one.test; done)
ben@two.test" for_whom alice
is 'so has the other' "$(for k in 1 2 3 4 5 6 7 8; do echo "b$k whole"; done)
m1 whole" got bob
is 'for nobody else' "$(for k in 1 2 3 4 5 6 7 8 9; do echo cat@three.test; done)" for_whom bob
is 'carried in several sessions of the MTA' 2 grep -Ec ' carried in ([2-9]|[1-9][0-9]+) sessions' "$tmp/server.log"
say_why
chroot "$root" postfix stop >/dev/null 2>&1
done_testing
