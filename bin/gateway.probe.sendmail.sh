# Sendmail, for gateway-dial --probe; see gateway.probe.mta.sh.
# shellcheck shell=sh disable=SC2016,SC2034,SC2154,SC2317

# Sets $remake, how sendmail.cf is made of sendmail.mc, if that is there.
find_sendmail() {
	cf=/etc/mail/sendmail.cf mc=/etc/mail/sendmail.mc remake=
	[ -r "$mc" ] || return 0
	if grep -q '^include(.*/cf\.m4' "$mc"; then
		remake="m4 $mc >$cf"
	else
		for word in /usr/share/sendmail/cf /usr/share/sendmail-cf /usr/lib/sendmail-cf; do
			[ -e "$word/m4/cf.m4" ] || continue
			remake="( cd $word && m4 -D_CF_DIR_=\"\$PWD/\" m4/cf.m4 $mc ) >$cf"
			break
		done
	fi
}

# mend_mc LINE [first]: at the end of sendmail.mc, where it says more than what stands
# before it; first: where it has to be there before the mailers are
mend_mc() {
	if [ -z "$remake" ]; then
		mend sendmail.mc "$1"
		return
	fi
	quoted=$(printf '%s' "$1" | sed 's/[`$"\\]/\\&/g')
	if [ -n "${2-}" ]; then
		mend run "sed -i.old -e '/^OSTYPE(/a\\' -e \"$quoted\" $mc"; anew "$remake && service sendmail restart"
	else
		mend run "echo \"$quoted\" >>$mc"; anew "$remake && service sendmail restart"
	fi
}

# option NAME: the last that sendmail.cf says of it
option_sendmail() { sed -n "s/^O *$1 *= *//p" "$cf" | tail -n 1; }

# mailer NAME FIELD: F, its flags, or A, its arguments
mailer() {
	awk -v name="$1" -v field="$2" '
		/^M/ { on = index($0, "M" name ",") == 1 }
		/^[^M\t ]/ { on = 0 }
		on && match($0, "[\t ]" field "=[^,]*") {
			print substr($0, RSTART + 3, RLENGTH - 3)
			exit
		}' "$cf"
}

probe_sendmail() {
	[ -r "$cf" ] || { found unseen MTA "$cf: cannot be read"; return; }
	sendmail_route
	sendmail_holds
	sendmail_times
	[ -z "$dial$keepalive" ] || ! grep -qF '$[ $3 $]' "$cf" || {
		found note MTA 'Sendmail asks DNS for each name in an address, while the link is down, too'
		mend_mc "FEATURE(\`nocanonify')dnl" first
	}
}

mend_sendmail_route() {
	smart_address
	mend_mc "define(\`SMART_HOST', \`dsmtp:[$host]')dnl"
	[ -z "$number" ] ||
		mend_mc "define(\`DSMTP_MAILER_ARGS', \`TCP \$h $number')dnl" first
}

# Sets $relay, the smart host, and $by, the mailer that has its mail.
sendmail_route() {
	relay=$(sed -n 's/^DS//p' "$cf" | tail -n 1)
	case $relay in
	*:*) by=${relay%%:*} relay=${relay#*:} ;;
	*) by=relay ;;
	esac
	if [ -z "$relay" ]; then
		by=esmtp
		! wants_route || {
			found_bad 78 MTA "Sendmail knows no SMART_HOST: mail goes to its own MX hosts, not to $smarthost"
			mend_sendmail_route
		}
		return
	fi
	[ -n "$(mailer "$by" P)" ] || {
		found_bad 78 MTA "Sendmail has no mailer $by, and its SMART_HOST is $by:$relay"
		mend_mc "MAILER(\`smtp')dnl"
		return
	}
	host_port "$relay"
	# shellcheck disable=SC2046	# TCP $h 587
	set -- "$host" $(mailer "$by" A)
	if wants_route && other_host "$1" "${4-}"; then
		found note MTA "Sendmail sends to $1${4:+, port $4}, and SMARTHOST is $smarthost${port:+, port $port}"
		mend_sendmail_route
		return
	fi
	case $relay in
	'['*) found ok MTA "Sendmail sends to $by:$relay" ;;
	*)
		found note MTA "Sendmail asks DNS for the MX hosts of its SMART_HOST $relay"
		mend_mc "define(\`SMART_HOST', \`$by:[$relay]')dnl" ;;
	esac
}

# Only a mailer with the flag % is not tried by queue runs.
sendmail_holds() {
	mode=$(option_sendmail DeliveryMode)
	case $(mailer "$by" F) in
	*%*) found ok MTA 'Sendmail sends only when it is told' ;;
	*)
		why='Sendmail tries by itself while the link is down, too'
		case $(option_sendmail HoldExpensive) in [Tt]*) why="$why: HoldExpensive keeps mail only until the next queue run" ;; esac
		case $mode in [qd]*) why="$why: DeliveryMode=$mode keeps mail only until the next queue run" ;; esac
		smart_address
		[ -z "$relay" ] || host=${relay#?} host=${host%?}
		! note_tries "$why" || [ -z "$relay" ] ||
			mend_mc "define(\`SMART_HOST', \`dsmtp:[$host]')dnl" ;;
	esac
	case $mode in
	[qd]*)
		[ "$retrieve" != none ] || return 0
		found note MTA "what comes is delivered by the next queue run only (DeliveryMode=$mode)"
		mend_mc "define(\`confDELIVERY_MODE', \`background')dnl" ;;
	esac
}

sendmail_times() {
	for word in '' '\.normal'; do
		warning=$(option_sendmail "Timeout\\.queuewarn$word")
		case $warning in '' | 0*) continue ;; esac
		note_warning "$warning"
		if [ -z "$word" ]; then
			mend_mc "define(\`confTO_QUEUEWARN', \`')dnl"
		else
			mend_mc "define(\`confTO_QUEUEWARN_NORMAL', \`')dnl"
		fi
	done
	life=$(option_sendmail 'Timeout\.queuereturn\.normal')
	[ -n "$life" ] || life=$(option_sendmail 'Timeout\.queuereturn')
	! seconds_of "${life:-5d}" d || ! note_lifetime "$seconds_of" ||
		mend_mc "define(\`confTO_QUEUERETURN', \`${days}d')dnl"
}

# Names in sendmail.cf itself or in the file that it names.
takes_sendmail() {
	[ -r "$cf" ] || return 2
	sed -n 's/^C{w}//p; s/^Cw//p' "$cf" | tr '\t ' '[\n*]' | grep -iFqx -- "$1" && return
	names=$(sendmail_names)
	[ -z "$names" ] || ! grep -iFqx -- "$1" "$names" 2>/dev/null || return 0
	! grep -q '^K\(mailertable\|virtuser\) \|^F{VirtHost}' "$cf" || return 2
	return 1
}

sendmail_names() { sed -n 's/^F{*w}* *\(-o\)* *\(\/[^ ]*\).*/\2/p' "$cf" | head -n 1; }

mend_domain_sendmail() {
	names=$(sendmail_names)
	if [ -n "$names" ]; then
		mend run "echo $1 >>$names"; anew 'service sendmail restart'
	else
		mend_mc "LOCAL_DOMAIN(\`$1')dnl"
	fi
}

# A further line would take a port that another has already.
mend_listen_sendmail() {
	ports="Port=$listen_port\\>" unnamed=
	case $listen_port in
	25) ports="Port=smtp\\>\\|$ports" unnamed='\|Name=MTA *$\|Name=MTA,[^P]*$' ;;
	587) ports="Port=submission\\>\\|$ports" ;;
	esac
	if [ -n "$remake" ] && grep -q "^DAEMON_OPTIONS(.*\\($ports\\).*Addr=\\|^DAEMON_OPTIONS(.*Addr=.*\\($ports\\)" "$mc"; then
		mend run "sed -i.old '/^DAEMON_OPTIONS(.*\\($ports\\)/s/, *Addr=[^,'\\'']*//' $mc"; anew "$remake && service sendmail restart"
	elif grep "^O *DaemonPortOptions *=" "$cf" 2>/dev/null | grep -v Addr= | grep -q "$ports$unnamed"; then
		anew 'service sendmail restart'
	else
		mend_mc "DAEMON_OPTIONS(\`Name=MTA-all, Port=$listen_port')dnl"
	fi
}
