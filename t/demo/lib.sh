# What both demos share; sourced by them.  $dir is a directory that goes away, and the
# current one; $top is the project; what runs in the background is in $pids.
# shellcheck shell=sh disable=SC2034

set -u
umask 077
top=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$top/$BUILD ;; esac
PATH=$BUILD/bin:$BUILD/t:$top/bin:$PATH
LC_ALL=C
export PATH LC_ALL

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$(printf '\033[1m') plain=$(printf '\033[0m')
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/tidegate-demo.XXXXXX") || exit 74
pids=
# shellcheck disable=SC2086
clean() {
	trap '' INT TERM HUP
	[ -z "$pids" ] || kill $pids 2>/dev/null
	wait
	rm -rf "$dir"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
cd "$dir" || exit 74

chapter() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
tell() { echo; cat; }

# show COMMAND: says it, runs it, and sets what it printed apart
show() {
	printf '\n  %s$ %s%s\n' "$bold" "$*" "$plain"
	sh -c "$*" >.out 2>&1
	status=$?
	expand -t 4 .out | fold -s -w 77 | sed 's/^/  /; s/ *$//'
	[ $status -eq 0 ] || failed "the command above ended with status $status"
}

failed() {
	printf '\nThe demo failed: %s.\n' "$*"
	exit 1
}

# letter QUEUE MINUTES SENDER RECIPIENTS SUBJECT [LINES]: waits there since so long
letter() {
	serial=$((${serial:-0} + 1))
	name=$(($(date +%s) - $2 * 60)).$serial
	mkdir -p "$1/tmp" "$1/new" "$1/cur" "copies/$1"
	{
		echo "Return-Path: <$3>"
		# shellcheck disable=SC2086
		printf 'Delivered-To: %s\n' $4
		echo "From: $3"
		echo "To: $(printf '%s' "$4" | sed 's/ /, /g')"
		echo "Subject: $5"
		echo "Message-ID: <$serial.demo@${3#*@}>"
		echo
		echo 'Hello!'
		echo '.. this line begins with dots, and the next one is a dot:'
		echo '.'
		[ -z "${6-}" ] || yes 'This line says that the letter is a long one.' | head -n "$6"
		echo 'Good-bye.'
	} >"copies/$1/$name"
	cp "copies/$1/$name" "$1/new/$name"
}

# letters MAILDIR: who wrote to whom, and what about
letters() {
	echo
	for file in "$1"/new/*; do
		sed -n 's/^From: //p; s/^To: //p; s/^Subject: //p; /^$/q' "$file" | paste -s -
	done | sort | awk -F '\t' '
		{ from[NR] = $1; to[NR] = $2; subject[NR] = $3 }
		length($1) > a { a = length($1) }
		length($2) > b { b = length($2) }
		END {
			for (i = 1; i <= NR; i++)
				printf "  %-*s  %-*s  %s\n", a, from[i], b, to[i], subject[i]
		}'
}

# server NAME OPTION...: sets $port when it listens
server() {
	mkfifo ".$1"
	name=$1
	shift
	sink --log="$name/smtp.log" "$@" >".$name" 2>"$name/stderr" &
	pids="$pids $!"
	read -r port <".$name" || failed "$name's server does not start: $(cat "$name/stderr")"
}

# arrived TO COPY...: each of the copies once, octet by octet, and no other
arrived() {
	place=$1
	shift
	for copy in "$@"; do
		n=0
		for file in "$place"/new/*; do
			cmp -s "$copy" "$file" && n=$((n + 1))
		done
		[ $n -eq 1 ] || failed "$(sed -n 's/^Subject: //p' "$copy") is $n times in $place"
	done
	copies=$#
	set -- "$place"/new/*
	[ $# -eq $copies ] || failed "there are $# letters in $place"
}

# untraced FILE...: without a receiver's trace line, which stands behind the envelope
# (RFC 5321 section 4.4)
untraced() {
	for file in "$@"; do
		sed '/^Received: /,/^[^	]/{/^Received: /d;/^	/d;}' "$file" >.plain && mv .plain "$file"
	done
}
