# A real OpenSMTPD that sends everything to $hop; sourced after list.sh.
#
#	opensmtpd_root		$root, and smtpd.conf with what is on stdin
# shellcheck shell=sh disable=SC2034,SC2154

kind=opensmtpd spool=/var/spool/smtpd

opensmtpd_root() {
	list_root
	{
		echo 'listen on lo port 2598'
		echo 'action out relay host smtp://127.0.0.1:2599 helo mx.test'
		cat
		echo 'match from any for any action out'
	} >"$root/etc/smtpd.conf"
	# it does not start without authorities
	mkdir -p "$root/etc/ssl/certs"
	openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=x -days 2 \
		-out "$root/etc/ssl/certs/ca-certificates.crt" 2>/dev/null
}
