# tidegate-setup(7), done by the letter: two hosts at the ends of a line, and on each the commands
# of the page as it was installed there, in its order and with nothing between.  Sourced
# after lib.sh.
#
#	two_hosts PROVIDER GATEWAY	of these chroots: $isp and $gw, with a user each
#	page HOST PART...	runs the commands of these parts of the page there
#	waits_at HOST N		N messages are deferred there
#	why_at HOST	why they wait there
#	has HOST USER SUBJECT	that user there has got that letter
#	write HOST ADDRESS SUBJECT	somebody writes one there
#
# HOST is isp or gw.  The names are changed as the page tells its reader to.  $install,
# set before, is what installs us there: install_into, if it is not install_package.
# shellcheck shell=sh disable=SC2034,SC2154

isp=$tmp/isp gw=$tmp/gw

two_hosts() {
	root_of isp "$1"
	root_of gw "$2"
	ip netns add isp
	ip netns add gw
	# a line on which a session takes its time, as lines do
	# shellcheck disable=SC2086
	SLOWLINK_DIR=${SLOWLINK_DIR:-$tmp/slowlink} "$mta/slowlink" up tg --ns-a isp --ns-b gw ${line:---rtt 60ms --rate 2mbit} || bail 'no link'
	for host in isp gw; do
		ip -n $host link set lo up
		"${install:-install_into}" "$tmp/$host"
		# the name that is the kernel's has one with dots, or Sendmail waits for it
		case $host in isp) own=mx.test ;; gw) own=gw.customer.test ;; esac
		printf '127.0.0.1 localhost\n10.99.0.1 mx.test\n10.99.0.2 gw.customer.test\n' |
			sed "s/ $own\$/& $(hostname)/" >"$tmp/$host/etc/hosts"
		echo $own >"$tmp/$host/etc/mailname"
		# what the page has an authority sign that everybody knows
		install -D -m 644 "$certs/ca.pem" "$tmp/$host/usr/lib/ssl/cert.pem"
		install -D -m 644 "$certs/ca.pem" "$tmp/$host/etc/ssl/certs/ca-certificates.crt"
		install -m 755 "$tmp/systemctl" "$tmp/$host/usr/sbin/systemctl"
		echo 'postmaster: root' >"$tmp/$host/etc/aliases"
	done
	chroot "$isp" useradd -m bob
	chroot "$gw" useradd -m ann
	install -D -m 644 "$certs/good.pem" "$isp/etc/letsencrypt/live/mx.test/fullchain.pem"
	install -D -m 600 "$certs/good.key" "$isp/etc/letsencrypt/live/mx.test/privkey.pem"
	mandoc -T ascii -O width=80 "$gw"/usr/share/man/man7/tidegate-setup.7* |
		perl -pe 's/.\010//g' >"$tmp/page"
}

# There is no systemd in here: this looks whether the unit is where systemd would, and has
# the test start what a socket is for.
cat >"$tmp/systemctl" <<'END'
#!/bin/sh
[ "$1" = enable ] || exit 0
for unit; do :; done
of=$(echo "$unit" | sed 's/@.*\./@./')
[ -f "/etc/systemd/system/$of" ] || [ -f "/lib/systemd/system/$of" ] || { echo "no $of" >&2; exit 1; }
echo "$unit" >>/run/enabled
case $unit in *.socket) ;; *) exit 0 ;; esac
until=$(($(date +%s) + 120))
until [ -e /run/started ]; do
	[ "$(date +%s)" -le $until ] || exit 1
	sleep .1
done
END

certs=$tmp/certs
"$mta/certs" "$certs" || bail 'no certificates'

# commands PART: those of a part
commands() {
	awk -v part="$1" '
		/^[^ ]/ { on = 0 }
		/^   [^ ]/ { on = substr($0, 4) == part; n += on }
		on && /^        /
		END { exit !n }' "$tmp/page" || bail "the page has no part '$1'"
}

names() {
	commands Names | sed 's/^ *domain=.*/domain=customer.test/
		s/^ *provider=.*/provider=10.99.0.1/
		s/^ *name=.*/name=mx.test/
		s/^ *gateway=.*/gateway=10.99.0.2/
		s/^ *inside=.*/inside=ann@customer.test/
		s/^ *outside=.*/outside=bob@mx.test/'
}

# page HOST PART...: the shell of each host remembers what the parts before have set
page() {
	page_host=$1
	shift
	for part; do
		{
			names
			cat "$tmp/$page_host.set" 2>/dev/null
			commands "$part" | grep '^ *spool=' | tee -a "$tmp/$page_host.set"
			echo 'set -ex'
			commands "$part"
		} >"$tmp/$page_host/tmp/commands"
		in_chroot "$page_host" "$tmp/$page_host" sh /tmp/commands >"$tmp/said" 2>&1 || {
			code=$?
			diag <"$tmp/said"
			return $code
		}
		cat "$tmp/said"
	done
}

deferred_at() { in_chroot "$1" "$tmp/$1" queue-list --state=deferred --count; }
waits_at() { wait_for equals "$2" deferred_at "$1"; }
why_at() { in_chroot "$1" "$tmp/$1" queue-list --why; }
has() { grep -q "^Subject: $3\$" "$tmp/$1/var/mail/$2"; }
write() {
	printf 'Subject: %s\n\nhello\n' "$3" | in_chroot "$1" "$tmp/$1" sendmail "$2"
}

# socket HOST: does what systemd would have done with turn-server.socket there, when it
# was enabled: the unit says how
socket() {
	cat >"$tmp/listen.py" <<-'END'
	import signal, socket, subprocess, sys
	signal.signal(signal.SIGCHLD, signal.SIG_IGN)
	s = socket.create_server(('', int(sys.argv[1])))
	open(sys.argv[2], 'w').close()
	while True:
	    c, _ = s.accept()
	    p = subprocess.Popen(sys.argv[3:], stdin=c, stdout=c)
	    c.close()
	END
	cat >"$tmp/connection" <<-END
	#!/bin/sh
	exec unshare --mount sh -c 'mount -t proc proc "\$0/proc" && exec chroot "\$0" /usr/bin/env -i \\
		PATH=/usr/sbin:/usr/bin:/sbin:/bin "\$@"' "$tmp/$1" sh -c '. /etc/tidegate/turn-server.env
		cd /etc/systemd/system; [ -f turn-server@.service ] || cd /lib/systemd/system
		eval "exec \$(sed -n s/^ExecStart=//p turn-server@.service)"' 2>>"$tmp/turn-server.log"
	END
	chmod +x "$tmp/connection"
	(
		wait_for grep -q turn-server.socket "$tmp/$1/run/enabled" || exit
		port=$(cat "$tmp/$1"/etc/systemd/system/turn-server.socket "$tmp/$1"/lib/systemd/system/turn-server.socket 2>/dev/null |
			sed -n 's/^ListenStream=//p')
		exec ip netns exec "$1" python3 "$tmp/listen.py" "$port" "$tmp/$1/run/started" "$tmp/connection"
	) >/dev/null 2>&1 &
}

# What --probe found, in what page() has said, that is not well.
wrong() { grep -E '^(bad|note|unseen) ' "$tmp/said" || :; }
