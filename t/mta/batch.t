#!/bin/sh
# Whole batches towards real servers, where some messages are refused: every
# message goes out under its own sender, every result is its own, and what a
# server's limits keep back arrives in the end, once.
chroots='postfix-auth exim sendmail opensmtpd'
. "$(dirname "$0")/lib.sh"
. "$mta/servers.sh"

# plan NAME: $tmp/NAME.plan is what the function NAME says, a Maildir, and records
plan() {
	"$1" >"$tmp/$1.plan"
	mail maildir "$tmp/$1.plan" "$tmp/$1.md" >"$tmp/$1.records"
}

# send NAME RECORDS: the results go to $tmp/NAME.results
send() {
	smtp-send --records --tls=none -s "$server.test:25" <"$2" >"$tmp/$1.results"
}

# fates NAME: "ID RECIPIENT FATE" of every result, sorted
fates() { sed 's,^[^	]*/,,' "$tmp/$1.results" | cut -f1-3 | tr '\t' ' ' | sort; }

# expected NAME: the same, as the recipients' names tell
expected() {
	mail planned "$tmp/$1.plan" | awk '{
		print $1, $2, $2 ~ /^no-/ ? "failed" : $2 ~ /^later-/ ? "deferred" : "delivered"
	}' | sort
}

# came: what has arrived at $server of all plans so far.  Sendmail folds lists of
# addresses in its own way.
came() {
	mail arrived "$tmp/$server.all" "$tmp/$server/var/mail/all" |
		sed 's/ refolded .*\/sendmail\/.*/ whole/'
}
wanted() { mail planned "$tmp/$server.all" | grep -v -e ' no-' -e ' later-'; }
all_came() {
	[ "$(find "$tmp/$server/var/mail/all/new" -type f | wc -l)" -ge "$(wc -l <"$tmp/want")" ]
}

# arrived WHAT: everything of all plans so far is there, once, and whole
arrived() {
	wanted >"$tmp/want"
	wait_for all_came
	came >"$tmp/have"
	same "$server: $1: each arrived once, whole, under its own sender, and nothing else" \
		"$tmp/want" "$tmp/have"
}

# batch NAME STATUS: that plan in one run; each has the fate of its name
batch() {
	plan "$1"
	cat "$tmp/$1.plan" >>"$tmp/$server.all"
	exits "$server: $1: $2" "$2" send "$1" "$tmp/$1.records"
	expected "$1" >"$tmp/want"
	fates "$1" >"$tmp/have"
	same "$server: $1: every result is its own" "$tmp/want" "$tmp/have"
	arrived "$1"
}

# patient NAME: that plan; what is deferred is tried again, three times.
# Deferring needs words, failing is for the no- alone, and delivered comes once.
patient() {
	plan "$1"
	cat "$tmp/$1.plan" >>"$tmp/$server.all"
	cp "$tmp/$1.records" "$tmp/$1.left"
	: >"$tmp/$1.sum"
	for run in 1 2 3; do
		send "$1" "$tmp/$1.left" 2>"$tmp/$1.err"
		code=$?
		cat "$tmp/$1.results" >>"$tmp/$1.sum"
		again "$tmp/$1.left" "$tmp/$1.results" >"$tmp/$1.next"
		mv "$tmp/$1.next" "$tmp/$1.left"
		echo "# $server: $1: run $run: status $code, $(wc -l <"$tmp/$1.left") messages left"
		[ -s "$tmp/$1.left" ] || break
	done
	is "$server: $1: nothing is left after three runs" '' cat "$tmp/$1.left"
	is "$server: $1: a reason for all that was deferred" '' \
		awk -F'\t' '$3 == "deferred" && $5 == ""' "$tmp/$1.sum"
	grep -v '	deferred	' "$tmp/$1.sum" >"$tmp/$1.results"
	expected "$1" >"$tmp/want"
	fates "$1" >"$tmp/have"
	same "$server: $1: in the end every result is its own" "$tmp/want" "$tmp/have"
	arrived "$1"
}

# again RECORDS RESULTS: the records of what was deferred
again() {
	awk -F'\t' -v OFS='\t' '
		NR == FNR { if ($3 == "deferred") left[$1, $2] = 1; next }
		{
			line = ""
			for (i = 3; i <= NF; i++)
				if (($1, $i) in left)
					line = line OFS $i
			if (line != "")
				print $1, $2 line
		}' "$2" "$1"
}

# middle: the tenth is wholly refused, the twentieth in part
middle() {
	awk -v s="$server" 'BEGIN {
		for (i = 1; i <= 30; i++)
			to[i] = "u" i "@d" i % 3 + 1 ".test"
		to[10] = "no-10@d1.test no-11@d2.test"
		to[20] = "u20@d1.test no-20@d1.test v20@d2.test"
		for (i = 1; i <= 30; i++)
			printf "%smid%d %d %s\n", s, i, 400 + 97 * i, to[i]
	}'
}

# tired: so many refusals in a row that a server may hang up
tired() {
	awk -v s="$server" 'BEGIN {
		for (i = 1; i <= 20; i++)
			printf "%stired%d 500 %s%d@d1.test\n", s, i, i <= 15 ? "no-" : "u", i
	}'
}

many() {
	awk -v s="$server" 'BEGIN {
		for (i = 1; i <= 130; i++)
			printf "%smany%d 600 u%d@d%d.test\n", s, i, i, i % 3 + 1
	}'
}

# crowd: one message for more recipients than it takes at once
crowd() {
	awk -v s="$server" 'BEGIN {
		printf "%scrowd 700", s
		for (i = 1; i <= 130; i++)
			printf " c%d@d%d.test", i, i % 3 + 1
		print ""
	}'
}

later() {
	awk -v s="$server" 'BEGIN {
		printf "%slater1 500 later-1@d1.test\n", s
		printf "%slater2 500 u1@d1.test later-2@d1.test no-2@d1.test\n", s
		printf "%slater3 500 u2@d1.test\n", s
	}'
}

big() {
	awk -v s="$server" -v size="$size" 'BEGIN {
		printf "%sbig1 500 u1@d1.test\n", s
		printf "%sbig2 %d u2@d1.test\n", s, size + 5000
		printf "%sbig3 500 u3@d1.test\n", s
	}'
}

# too_big: not sent at all, and the next ones are
too_big() {
	plan big
	grep -v 'big2 ' "$tmp/big.plan" >>"$tmp/$server.all"
	exits "$server: too big: 69" 69 send big "$tmp/big.records"
	is "$server: too big: only that one, with 5.3.4" "${server}big1 delivered
${server}big2 failed 5.3.4
${server}big3 delivered" sh -c 'sort "$2" | awk -F"\t" "$1"' - '{
		sub(/.*\//, "", $1)
		print $1, $3 ($3 == "failed" ? " " $4 : "")
	}' "$tmp/big.results"
	arrived 'too big'
}

for server in postfix exim sendmail opensmtpd; do
	start=$(date +%s)
	serve $server
	: >"$tmp/$server.all"
	batch middle 67
	batch later 75
	patient crowd
	too_big
	batch many 0
	patient tired
	echo "# $server: $(($(date +%s) - start)) s"
done

# --- a report of success ------------------------------------------------------

reported() { mail envelopes "$tmp/postfix/var/mail/all" | grep -q '^<> boss@mail.test Success'; }
printf 'Subject: told\n\nhello\n' >"$tmp/told"
exits 'postfix: NOTIFY=SUCCESS' 0 smtp-send -s postfix.test:25 --tls=none -N success \
	-f boss@mail.test staff@mail.test <"$tmp/told"
ok 'postfix: NOTIFY=SUCCESS: the sender gets a report' wait_for reported
done_testing
