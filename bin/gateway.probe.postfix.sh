# Postfix, for gateway-dial --probe; see gateway.probe.mta.sh.
# shellcheck shell=sh disable=SC2034,SC2154,SC2317

# Its configuration, if it is not that of /etc/postfix, and how it is told something.
find_postfix() {
	main_cf=
	case $spool in postfix:?*) [ ! -e "${spool#*:}/main.cf" ] || main_cf=${spool#*:} ;; esac
	set_it="postconf ${main_cf:+-c $main_cf }-e"
	again="postfix ${main_cf:+-c $main_cf }reload"
	restart="postfix ${main_cf:+-c $main_cf }stop; postfix ${main_cf:+-c $main_cf }start"
}

setting() { postconf ${main_cf:+-c "$main_cf"} -hx "$1" 2>/dev/null; }
raw_setting() { postconf ${main_cf:+-c "$main_cf"} -h "$1" 2>/dev/null; }

# mend_postfix NAME=VALUE
mend_postfix() {
	case $1 in
	*[!A-Za-z0-9_=./-]*) mend run "$set_it '$1' && $again" ;;
	*) mend run "$set_it $1 && $again" ;;
	esac
}

probe_postfix() {
	command -v postconf >/dev/null || { found unseen MTA 'postconf: this program is needed to look at Postfix'; return; }
	probe_run postconf ${main_cf:+-c "$main_cf"} -h queue_directory || {
		found_bad "$class" MTA "postconf: $words"
		return
	}
	case $spool in
	postfix:?*)
		[ -n "$main_cf" ] || same_place "${spool#*:}" "$(cat "$work/probe")" || {
			found unseen MTA "${spool#*:} is not the queue of the Postfix that runs here"
			return
		} ;;
	esac
	postfix_runs
	postfix_goes
	postfix_route
	postfix_holds
	postfix_times
	postfix_dns
}

# An address that comes and goes with the link keeps all of it from starting.
postfix_runs() {
	for word in $(setting inet_interfaces | tr ',' ' '); do
		case $word in '' | *[!0-9.]*) continue ;; esac
		[ -r "$proc/net/fib_trie" ] || continue
		! grep -qwF -- "|-- $word" "$proc/net/fib_trie" || continue
		found_bad 78 MTA "inet_interfaces has $word, which no interface has now: Postfix does not start"
		mend run "$set_it inet_interfaces=all"
		anew "$restart"
	done
	[ "$send" = release ] && [ "$(id -u)" = 0 ] || return 0
	probe_run postfix ${main_cf:+-c "$main_cf"} status || {
		found_bad 75 MTA 'Postfix does not run: it sends nothing'
		mend run "postfix ${main_cf:+-c $main_cf }start"
	}
}

# table KEY TYPE:NAME: what it has for it, where that can be seen without asking somebody
table() {
	case ${2#proxy:} in
	hash:* | btree:* | lmdb:* | cdb:* | dbm:* | texthash:* | regexp:* | pcre:* | static:* | inline:*)
		postmap ${main_cf:+-c "$main_cf"} -q "$1" "$2" 2>/dev/null ;;
	*) return 2 ;;
	esac
}

# postfix_map DOMAIN: does transport_maps have it?  Sets $mapped, what it has, $map and $key.
postfix_map() {
	for map in $(setting transport_maps | tr ',' ' '); do
		for key in "somebody@$1" "$1" '*'; do
			! mapped=$(table "$key" "$map") || return 0
		done
	done
	return 1
}

# Where mail for the world goes: sets $transport, $hop (nothing: the MX hosts) and $by, the
# setting that says so.
postfix_goes() {
	by=transport_maps
	if postfix_map "$far"; then
		transport=$mapped hop=
		case $transport in *:*) hop=${transport#*:} transport=${transport%%:*} ;; esac
		[ -n "$transport" ] || transport=$(setting default_transport) transport=${transport%%:*}
		[ -n "$hop" ] || hop=$(setting relayhost)
		return
	fi
	by=default_transport transport=$(setting default_transport) hop=
	case $transport in *:*) hop=${transport#*:} transport=${transport%%:*} ;; esac
	[ -n "$hop" ] || by=relayhost hop=$(setting relayhost)
}

# What sends mail by SMARTHOST.
mend_route() {
	smart_address
	case $by in
	relayhost) mend_postfix "relayhost=[$host]${number:+:$number}" ;;
	default_transport) mend_postfix "default_transport=$transport:[$host]${number:+:$number}" ;;
	*) mend_map "$map" "$transport:[$host]${number:+:$number}" ;;
	esac
}

# map_made TYPE:FILE: sets $made, what makes it of its file; 1: it is none
map_made() {
	made="postmap $1 &&"
	case ${1#proxy:} in
	texthash:/*) made='' ;;
	hash:/* | btree:/* | lmdb:/* | cdb:/*) ;;
	*) return 1 ;;
	esac
}

# mend_map TYPE:FILE RESULT: for its key `*'
mend_map() {
	[ "$key" = '*' ] || return 0
	map_made "$1" || return 0
	mend run "sed -i.old 's|^\\*[[:space:]].*|* $2|' ${1##*:} && $made $again"
}

postfix_route() {
	case $transport in
	error | retry | discard | local | virtual)
		found_bad 78 MTA "Postfix gives mail for the world to $transport ($by): it never goes out"
		[ "$by" = transport_maps ] || mend_postfix default_transport=smtp
		return ;;
	esac
	[ -n "$hop" ] || {
		! wants_route || {
			found_bad 78 MTA "Postfix knows no relayhost: mail goes to its own MX hosts, not to $smarthost"
			mend_route
		}
		return
	}
	wants=$hop
	host_port "$hop"
	if wants_route && other_host "$host" "$number"; then
		found note MTA "Postfix sends to $wants ($by), and SMARTHOST is $smarthost${port:+, port $port}"
		mend_route
		return
	fi
	case $wants in '['*) ;; *) ! postfix_asks || return 0 ;; esac
	found ok MTA "Postfix sends to $wants"
}

# A relay host without brackets is looked for in DNS, unless it is not asked at all.
postfix_asks() {
	[ "$by" = relayhost ] && [ "$(setting smtp_dns_support_level)" != disabled ] || return 1
	found note MTA "Postfix asks DNS for the MX hosts of its relayhost $hop"
	# host:port; the port stays outside, and a list is not taken apart
	case $hop in
	*[\ ,]*) ;;
	*:*) mend_postfix "relayhost=[${hop%%:*}]:${hop#*:}" ;;
	*) mend_postfix "relayhost=[$hop]" ;;
	esac
}

deferred_transport() {
	case " $(setting defer_transports | tr ',' ' ') " in
	*" $1 "*) return 0 ;;
	esac
	return 1
}

postfix_holds() {
	if deferred_transport "$transport"; then
		found ok MTA "Postfix sends only when it is told (defer_transports)"
	else
		held=$(raw_setting defer_transports)
		! note_tries "Postfix tries by itself while the link is down, too: defer_transports does not have $transport" ||
			mend_postfix "defer_transports=${held:+$held, }$transport"
	fi
	for node in $domains; do
		node=${node#@}
		takes_postfix "$node" || continue
		if [ "$by" = transport_maps ] && postfix_map "$node" && [ "${mapped#*:}" = "$hop" ]; then
			found_bad 78 MTA "transport_maps has $node, too: what comes for it goes out again, to $hop"
			! map_made "$map" || mend run "echo '$node :' >>${map##*:} && $made $again"
			continue
		fi
		[ "$own_by" != "$transport" ] || [ "$own_as" != relay_domains ] || continue
		! deferred_transport "$own_by" || {
			found_bad 78 MTA "what comes for $node is given to $own_by, which defer_transports keeps waiting"
			mend_postfix "defer_transports=$transport"
		}
	done
}

# listed DOMAIN SETTING: is it in that list of Postfix's?  2: it cannot be seen
listed() {
	for word in $(setting "$2" | tr ',' ' '); do
		case $word in
		"$1" | ".${1#*.}") return 0 ;;
		/*) ! grep -Fqx -- "$1" "$word" 2>/dev/null || return 0 ;;
		*:*)
			! table "$1" "$word" >/dev/null || return 0
			table "$1" "$word" >/dev/null 2>&1
			[ $? -ne 2 ] || blind=yes ;;
		esac
	done
	return 1
}

# takes_postfix DOMAIN: sets $own_as, the list that has it, and $own_by, its transport
takes_postfix() {
	blind=
	for own_as in mydestination virtual_alias_domains virtual_mailbox_domains relay_domains; do
		listed "$1" "$own_as" || continue
		case $own_as in
		mydestination) own_by=$(setting local_transport) ;;
		virtual_alias_domains) own_by=error ;;
		virtual_mailbox_domains) own_by=$(setting virtual_transport) ;;
		*) own_by=$(setting relay_transport) ;;
		esac
		own_by=${own_by%%:*}
		return 0
	done
	own_as='' own_by=''
	[ -z "$blind" ] || return 2
	return 1
}

mend_domain_postfix() {
	known_ones=$(raw_setting mydestination)
	mend_postfix "mydestination=${known_ones:+$known_ones, }$1"
}

postfix_times() {
	warning=$(setting delay_warning_time)
	if ! seconds_of "${warning:-0}" h || [ "$seconds_of" -ne 0 ]; then
		note_warning "$warning"
		mend_postfix delay_warning_time=0h
	fi
	postfix_life maximal_queue_lifetime 'mail is returned'
	postfix_life bounce_queue_lifetime 'a report that mail could not be delivered is dropped'
}

# postfix_life SETTING WHAT
postfix_life() {
	life=$(setting "$1")
	seconds_of "${life:-5d}" d || return 0
	if [ "$seconds_of" -eq 0 ]; then
		found_bad 78 MTA "$1 is 0: $2 at once, before any session"
		mend_postfix "$1=5d"
	else
		! note_lifetime "$seconds_of" "$2" || mend_postfix "$1=${days}d"
	fi
}

# On a line that costs, or that a question raises.
postfix_dns() {
	[ -n "$dial$keepalive" ] && [ "$(setting smtpd_peername_lookup)" = yes ] || return 0
	found note MTA 'Postfix asks DNS for the name of each host that connects, while the link is down, too'
	mend_postfix smtpd_peername_lookup=no
}

mend_listen_postfix() {
	command -v postconf >/dev/null || return 0
	service=$listen_port
	[ "$service" != 25 ] || service=smtp
	if [ -z "$(postconf ${main_cf:+-c "$main_cf"} -M "$service/inet" 2>/dev/null)" ]; then
		mend run "postconf ${main_cf:+-c $main_cf }-M '$service/inet=$service inet n - y - - smtpd'"
	fi
	[ "$(setting inet_interfaces)" = all ] || mend run "$set_it inet_interfaces=all"
	anew "$restart"
}
