#!/usr/bin/env bash
# A real mail server on this machine for the tests of mail: Debian's postfix on a loopback port, with log-in, STARTTLS by
# a certificate that vouches for itself, and a maildir for everybody at here.test. Others are unknown to it, and it sends
# nothing anywhere. Needs root, openssl, and Debian's postfix, sasl2-bin and libsasl2-modules.
#
#   .ci/mail.sh up DIR      prints the variables that __tests__/mail/real.test.ts runs with, as `export` lines
#   .ci/mail.sh down DIR    stops it
set -euo pipefail
dir=$2
port=${SMTP_REAL_PORT:-2587}

configure() {
  mkdir -p "$dir"/{etc/sasl,queue,data,mail}
  chmod 755 "$dir"
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
    -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' -keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null
  printf 'pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: %s\n' "$dir/sasldb" \
    >"$dir/etc/sasl/smtpd.conf"
  echo 'p@ss/word' | saslpasswd2 -p -c -f "$dir/sasldb" -u localhost robot
  echo '/@here\.test$/ all/' >"$dir/etc/mailboxes" # the slash at the end makes it a maildir
  chown postfix "$dir/data" "$dir/sasldb"
  chown nobody "$dir/mail"
  cat >"$dir/etc/main.cf" <<END
compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/data
maillog_file = $dir/log
maillog_file_prefixes = $dir
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = localhost
mydestination =
local_recipient_maps =
alias_maps =
virtual_mailbox_domains = static:all
virtual_mailbox_base = $dir/mail
virtual_mailbox_maps = regexp:$dir/etc/mailboxes
virtual_uid_maps = static:$(id -u nobody)
virtual_gid_maps = static:$(id -g nobody)
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_sasl_auth_enable = yes
smtpd_sasl_local_domain = localhost
cyrus_sasl_config_path = $dir/etc/sasl
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_cert_file = $dir/cert.pem
smtpd_tls_key_file = $dir/key.pem
END
  cat >"$dir/etc/master.cf" <<END
$port inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
error unix - - n - - error
discard unix - - n - - discard
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
END
}

case $1 in
  up)
    { configure; postfix -c "$dir/etc" start; } >&2
    echo "export SMTP_REAL_URL='smtp://robot%40localhost:p%40ss%2Fword@localhost:$port'"
    echo "export SMTP_REAL_MAILDIR='$dir/mail/all' NODE_EXTRA_CA_CERTS='$dir/cert.pem'"
    ;;
  down) postfix -c "$dir/etc" stop >&2 ;;
  *) exit 2 ;;
esac
