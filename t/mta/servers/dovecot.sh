# Dovecot, see ../servers.sh.  Tried with 2.3.19; 2.4 wants other words.
# shellcheck shell=sh disable=SC2154

# Dovecot 2.3 for AUTH, and with "lmtp" for that
dovecot() {
	mkdir -p "$root/etc/dovecot/keys/default/HS256"
	echo 'no key but a test' | base64 >"$root/etc/dovecot/keys/default/HS256/default"
	echo "user:{PLAIN}$password:8:8
alice:{PLAIN}$password:8:8
bob:{PLAIN}$password:8:8::::userdb_quota_rule=*:bytes=2000" >"$root/etc/dovecot/users"
	cat >"$root/etc/dovecot/oauth2.conf" <<-'END'
	introspection_mode = local
	local_validation_key_dict = fs:posix:prefix=/etc/dovecot/keys/
	username_attribute = sub
	END
	cat >"$root/etc/dovecot/dovecot.conf" <<-END
	log_path = /var/log/dovecot.log
	protocols = ${1-}
	ssl = no
	disable_plaintext_auth = no
	auth_mechanisms = scram-sha-256 scram-sha-1 cram-md5 plain login xoauth2 oauthbearer
	# who errs need not wait
	auth_failure_delay = 0
	service anvil {
	  unix_listener anvil-auth-penalty {
	    mode = 0
	  }
	}
	passdb {
	  driver = passwd-file
	  args = username_format=%n /etc/dovecot/users
	  mechanisms = scram-sha-256 scram-sha-1 cram-md5 plain login
	}
	passdb {
	  driver = oauth2
	  args = /etc/dovecot/oauth2.conf
	  mechanisms = xoauth2 oauthbearer
	}
	userdb {
	  driver = passwd-file
	  args = username_format=%n /etc/dovecot/users
	}
	mail_location = maildir:/var/mail/%n
	mail_plugins = quota
	plugin {
	  quota = maildir:box
	  quota_grace = 0
	}
	first_valid_uid = 8
	first_valid_gid = 8
	service auth {
	  unix_listener auth-client {
	    mode = 0666
	  }
	}
	END
	chroot "$root" dovecot </dev/null || return
	wait_for test -S "$root/run/dovecot/auth-client"
}

serve_lmtp() {
	root=$tmp/postfix
	chroot "$root" dovecot stop
	rm "$root/run/dovecot/auth-client"
	dovecot lmtp || bail 'no LMTP'
	wait_for test -S "$root/run/dovecot/lmtp" || bail 'no LMTP'
}

# token SECONDS: for `user', good that long from now
token() {
	python3 -c '
import base64, hmac, json, sys, time
def b64(b): return base64.urlsafe_b64encode(b).rstrip(b"=")
now = int(time.time())
t = b".".join(b64(json.dumps(d).encode()) for d in (
    {"alg": "HS256", "typ": "JWT"},
    {"sub": "user", "iat": now - 9000, "nbf": now - 9000, "exp": now + int(sys.argv[1])}))
print((t + b"." + b64(hmac.digest(b"no key but a test\n", t, "sha256"))).decode())' "$1"
}
