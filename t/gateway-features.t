#!/bin/sh
# Which test shows each thing that a site has from a phone book, and from cron: a file in
# t/ and words of a name in it.  A feature without a line here is one without a test.
# shellcheck source=t/lib.sh
. "$(dirname "$0")/lib.sh"
features() {
	cat <<-'END'
	a dial-out command per entry | gateway.t | a whole session
	the domains and values reach no shell | gateway.t | they reach the programs whole
	credentials never in arguments | gateway.t | credentials, by a file
	send and fetch together | mta/dial.t | gateway-dial isp: done
	send alone | gateway-real.t | some is put off
	fetch alone | mta/gateway-signals.t | conf SEND=none
	at intervals | gateway-due.t | ### EVERY
	when so much is queued, or for so long | gateway-due.t | ### WHEN_QUEUED, URGENT
	at once when a message waits too long | gateway-due.t | one is urgent
	by hand at any time | gateway-due.t | by hand at any time
	back-off after a failure | gateway-due.t | is not tried again at once
	a most number of calls a day | gateway-due.t | no more than MAX_CALLS
	a day of cron with a dead provider | gateway-due.t | a day of failures
	a notice of failures | gateway-due.t | one notice
	hang up after so much quiet | etrn-wait.t | was waited for to its end
	sessions shorter than a look | etrn-wait.t | short ones that they close
	... in a session | gateway-real.t | a session that nobody saw
	patience for the first message | mta/gateway.t | late: it was waited for
	a longest session | gateway.t | MAX_SESSION ends all of it
	what we raised is hung up, always | mta/gateway-signals.t | the line is down
	... also after KILL | gateway.t | the next session hangs up what is still ours
	one session at a time | mta/gateway.t | two at once
	ETRN | mta/dial.t | completed 'slow link'
	ETRN, Exim and Sendmail | mta/dialling.sh | session ETRN
	ATRN, Exim and Sendmail | mta/dialling.sh | session ATRN
	ATRN and TURN after our mail, one connection | mta/gateway.t | after our letter, on the one connection
	a command | mta/gateway.t | a command that waits
	none | gateway-real.t | RETRIEVE=none
	the MTA's own domains | mta/dial.t | the gateway's own domains
	a list, with subdomains | gateway.t | <@a.test> <@b.test> <#q>
	another host to fetch from, other credentials | mta/gateway.t | another host
	a smart host by address, without DNS | mta/gateway.t | nobody asked for a name
	a size limit, for all and for a domain | mta/gateway.t | two are too large
	oversize mail comes back as a report | mta/gateway.t | of one its sender hears
	what is too old comes back | mta/gateway.t | it is too old
	what waits for ETRN expires, without notices | mta/gateway.t | what waits for ETRN expires
	a link that is up stays up | mta/dial.t | link was up: it still is
	nothing but a session wants the line | mta/dial.t | nothing but a session wants the line
	KEEPALIVE while the provider dequeues | mta/gateway.t | KEEPALIVE was run meanwhile
	a provider that starts after 8 s | mta/gateway.t | RETRIEVE_PORT=2588 IDLE=2s FIRST=30s
	a link that never comes up | mta/dial.t | link never comes up
	the link drops while mail comes | mta/dial.t | link dies: mail was coming
	the link drops while mail goes | mta/dial.t | link dies while we send
	a full disk at the gateway | mta/gateway.t | disk full: all is at the provider
	a provider that says nothing, or half of it | mta/gateway.t | half an answer
	a provider that stands still | mta/dial.t | provider stands still
	our own SMTP port is closed | mta/gateway.t | our own port is closed
	TERM, INT and HUP in each phase | mta/gateway-signals.t | ended dialling
	... with DIAL and its children deaf | gateway.t | DIAL and its child are deaf to TERM
	a shell without arrays: dash, ash, yash | gateway-yash.t | yash
	--probe | gateway-probe.t | nobody listens
	--status and --check | gateway-status.t | --check: too old
	the page, step by step | mta/setup-postfix.t | page
	END
}
features >"$tmp/features"
while IFS='|' read -r what file name; do
	file=${file# } file=${file% } name=${name# }
	ok "${what% }: $file" grep -qF -e "$name" "$top/t/$file"
done <"$tmp/features"
done_testing
