"""A mail server as an administrator has it before he has heard of us: Postfix, Dovecot, virtual mailboxes.

For tests.stack.bare: bare_root(prepare=mail_server). The layer that it makes is kept,
and made anew when this file changes.
"""
DOMAIN = "kontor.test"
GATEWAY = f"gateway.{DOMAIN}"
# An address that is not in mynetworks: a client that connects from it is "the Internet".
OUTSIDE = "198.51.100.7"
USERS = {f"{name}@{DOMAIN}": f"{name}-password" for name in ("alice", "bob")}

POSTFIX = f"""
postconf -e 'myhostname = mail.{DOMAIN}' 'mydestination = localhost' 'mynetworks = 127.0.0.0/8' \\
  'virtual_mailbox_domains = {DOMAIN}' 'virtual_mailbox_maps = hash:/etc/postfix/vmailbox' \\
  'virtual_alias_maps = hash:/etc/postfix/virtual' \\
  'virtual_transport = lmtp:unix:private/dovecot-lmtp' \\
  'smtpd_sasl_type = dovecot' 'smtpd_sasl_path = private/auth' \\
  'smtpd_recipient_restrictions = reject_non_fqdn_recipient, check_recipient_access hash:/etc/postfix/closed' \\
  'header_checks = regexp:/etc/postfix/header_checks'
echo '/^X-Loop-Of-Mine:/ IGNORE' > /etc/postfix/header_checks
echo 'closed@{DOMAIN} 550 this mailbox is closed' > /etc/postfix/closed
printf '%s x\\n' {' '.join(USERS)} closed@{DOMAIN} > /etc/postfix/vmailbox
echo 'info@{DOMAIN} alice@{DOMAIN}' > /etc/postfix/virtual
postmap /etc/postfix/vmailbox /etc/postfix/virtual /etc/postfix/closed
postconf -Me 'submission/inet=submission inet n - y - - smtpd'
postconf -P submission/inet/syslog_name=postfix/submission submission/inet/smtpd_tls_security_level=encrypt \\
  submission/inet/smtpd_sasl_auth_enable=yes \\
  submission/inet/smtpd_relay_restrictions=permit_sasl_authenticated,reject \\
  submission/inet/smtpd_recipient_restrictions=permit_sasl_authenticated,reject
# A test waits for no log daemon.
postconf -e 'maillog_file = /var/log/mail.log' 'import_environment = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C'
"""

DOVECOT = """
# The administrator's own settings.
mail_location = maildir:/var/vmail/%d/%n/Maildir
disable_plaintext_auth = no
first_valid_uid = 5000
log_path = /var/log/dovecot.log
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%u /etc/dovecot/users
}
userdb {
  driver = static
  args = uid=vmail gid=vmail home=/var/vmail/%d/%n
}
userdb {
  driver = passwd-file
  args = username_format=%u /etc/dovecot/users
}
protocol lmtp {
  mail_plugins = $mail_plugins sieve
}
plugin {
  sieve_before = /etc/dovecot/junk.sieve
}
service lmtp {
  unix_listener /var/spool/postfix/private/dovecot-lmtp {
    user = postfix
    group = postfix
    mode = 0600
  }
}
service auth {
  unix_listener /var/spool/postfix/private/auth {
    user = postfix
    group = postfix
    mode = 0660
  }
}
"""
JUNK = """\
require ["fileinto", "mailbox"];
if header :contains "Subject" "[junk]" { fileinto :create "Junk"; stop; }
"""


def mail_server(machine):
    machine.run(f"printf 'postfix postfix/main_mailer_type select Internet Site\\npostfix postfix/mailname string {DOMAIN}\\n' "
                "| debconf-set-selections")
    machine.install("systemd", "python3", "iproute2", "procps", "openssl", "ca-certificates", "ssl-cert",
                    "postfix", "dovecot-imapd", "dovecot-lmtpd", "dovecot-sieve")
    machine.write("/etc/hosts", f"127.0.0.1 localhost mail.{DOMAIN} {GATEWAY}\n")
    machine.run("groupadd -g 5000 vmail; useradd -u 5000 -g vmail -d /var/vmail -s /usr/sbin/nologin vmail; "
                "install -d -o vmail -g vmail -m 750 /var/vmail")
    machine.run(POSTFIX)
    machine.write("/etc/dovecot/conf.d/99-local.conf", DOVECOT)
    machine.write("/etc/dovecot/junk.sieve", JUNK)
    machine.run("sievec /etc/dovecot/junk.sieve")
    machine.run("sed -i 's/^!include auth-system/#&/' /etc/dovecot/conf.d/10-auth.conf")
    machine.write("/etc/dovecot/users", "".join(
        f"{user}:{{PLAIN}}{password}:5000:5000::/var/vmail/{DOMAIN}/{user.split('@')[0]}::\n" for user, password in USERS.items()),
        0o644)
    # The certificate of the name under which providers will come.
    machine.run(f"openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN={GATEWAY} -addext subjectAltName=DNS:{GATEWAY} "
                f"-keyout /etc/ssl/private/{GATEWAY}.key -out /etc/ssl/certs/{GATEWAY}.pem")


def start(machine):
    """What runs on it, as after its boot."""
    machine.run(f"ip address add {OUTSIDE}/32 dev lo")
    machine.run("systemctl start dovecot postfix")
