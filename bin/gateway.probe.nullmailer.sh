# nullmailer, for gateway-dial --probe; see gateway.probe.mta.sh.  It takes no mail by SMTP.
# shellcheck shell=sh disable=SC2154,SC2317

find_nullmailer() { remotes=/etc/nullmailer/remotes; }

probe_nullmailer() {
	if [ "$send" = release ]; then
		nullmailer_route
	elif nullmailer_sends; then
		found note MTA 'nullmailer-send runs, and sends by itself what a session would take'
		stop='service nullmailer stop'
		! command -v systemctl >/dev/null || stop="$stop && systemctl disable nullmailer"
		mend run "$stop"
	fi
	read -r life 2>/dev/null </etc/nullmailer/queuelifetime || life=604800
	! seconds_of "${life:-604800}" s || ! note_lifetime "$seconds_of" ||
		mend run "echo $((days * 86400)) >/etc/nullmailer/queuelifetime"
}

nullmailer_sends() {
	set +f
	cat "$proc"/[0-9]*/comm 2>/dev/null | grep -qx nullmailer-send
	set -- $?
	set -f
	return "$1"
}

nullmailer_route() {
	hop=$(sed -n '/^[^#]/{s/[ 	].*//;p;q;}' "$remotes" 2>/dev/null)
	smart_address
	line="${host:-mail.isp.example} smtp${number:+ --port=$number}"
	if [ -z "$hop" ]; then
		found_bad 78 MTA "$remotes: names no server"
		mend run "echo '$line' >>$remotes"
	elif wants_route && other_host "$hop" "$(sed -n '/^[^#]/{s/.*--port=\([0-9]*\).*/\1/p;q;}' "$remotes")"; then
		found note MTA "nullmailer sends to $hop, and SMARTHOST is $smarthost${port:+, port $port}"
		# what else that line says, a password for one, is not ours
		mend run "sed -i.old -e '/^${hop}[[:space:]]/s/ *--port=[0-9]*//' -e 's/^$hop\\([[:space:]]*smtp\\)*\\([[:space:]]\\|\$\\)/$line\\2/' $remotes"
	else
		found ok MTA "nullmailer sends to $hop"
	fi
	read -r pause_time 2>/dev/null </etc/nullmailer/pausetime || pause_time=60
	if [ "$pause_time" = 0 ]; then
		found_bad 78 MTA 'pausetime is 0: nullmailer-send makes one pass and ends, even if mail remains'
		mend run 'echo 60 >/etc/nullmailer/pausetime'
	elif nullmailer_sends; then
		note_tries 'nullmailer tries by itself while the link is down, too; SEND=drain needs no sender of its own' || :
	else
		found_bad 75 MTA 'nullmailer-send does not run: nothing is sent'
		mend run 'service nullmailer start'
	fi
}

takes_nullmailer() { return 2; }
mend_domain_nullmailer() { :; }
mend_listen_nullmailer() { :; }
