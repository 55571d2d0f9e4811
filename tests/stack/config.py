"""Writes the configuration of one stack.

What is shipped in conf/ is what is tested: the fragments are taken as they are,
with the domain, the paths of this stack and its users put in.
"""
import os
import secrets
import shutil
import subprocess

from .layout import (CHANNELS, DOMAIN, GATEWAY_DOMAINS, GID_UMP, ROOT, TEAM_MAILBOXES, UID_BRIDGE, UID_LMTP,
                     UID_MAIL, USERS, user_ids)

CONF = ROOT / "conf"

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {spool}
data_directory = {postfix_data}
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
meta_directory = /etc/postfix
mail_owner = postfix
setgid_group = postdrop
sendmail_path = /usr/sbin/sendmail
mailq_path = /usr/bin/mailq
newaliases_path = /usr/bin/newaliases
html_directory = no
manpage_directory = /usr/share/man
readme_directory = no
maillog_file = {log}/postfix.log
maillog_file_prefixes = {log}
syslog_name = postfix
myhostname = mx.{domain}
mydomain = {domain}
myorigin = {domain}
mydestination =
local_transport = error:no local mail
local_recipient_maps =
alias_maps =
alias_database =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
recipient_delimiter = +
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = texthash:$config_directory/mailboxes
virtual_alias_maps = texthash:$config_directory/virtual
# Nothing leaves this machine: outside.test is a sink of the tests.
default_transport = error:5.4.4 this private stack sends no mail to other hosts
smtp_tls_security_level = none
smtpd_tls_security_level = none
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
default_process_limit = 100
# A test does not wait five minutes for a retry, nor a minute for a killed daemon.
queue_run_delay = 2s
minimal_backoff_time = 2s
maximal_backoff_time = 10s
service_throttle_time = 1s
in_flow_delay = 0
biff = no
"""

MASTER_CF = """\
127.0.0.1:{smtp} inet n - n - - smtpd
pickup    unix  n       -       n       1       1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
proxywrite unix -       -       n       -       1       proxymap
smtp      unix  -       -       n       -       -       smtp
relay     unix  -       -       n       -       -       smtp
showq     unix  n       -       n       -       -       showq
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
lmtp      unix  -       -       n       -       -       lmtp
anvil     unix  -       -       n       -       1       anvil
scache    unix  -       -       n       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
"""

DOVECOT_CONF = """\
base_dir = {dovecot_run}
state_dir = {dovecot_state}
instance_name = {instance}
log_path = {log}/dovecot-events.log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
first_valid_uid = {uid_mail}
last_valid_uid = {uid_mail}
mail_location = maildir:~/Maildir
default_process_limit = 200
default_client_limit = 2000
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {dovecot}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {dovecot}/users
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Drafts {{
    auto = subscribe
    special_use = \\Drafts
  }}
  mailbox Junk {{
    auto = subscribe
    special_use = \\Junk
  }}
  mailbox Sent {{
    auto = subscribe
    special_use = \\Sent
  }}
  mailbox Trash {{
    auto = subscribe
    special_use = \\Trash
  }}
}}
service anvil {{
  client_limit = 2000
}}
service auth {{
  client_limit = 2400
}}
service imap-login {{
  inet_listener imap {{
    address = 127.0.0.1
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service lmtp {{
  process_min_avail = 2
}}
plugin {{
  sieve = file:~/sieve;active=~/.dovecot.sieve
  sieve_before = {dovecot}/sieve/sent.sieve
}}
!include {dovecot}/90-ump.conf
!include {dovecot}/91-ump-receipts.conf
!include {dovecot}/92-ump-events.conf
"""

UMP_CONF = """\
[gateway]
domains = {domain}
hostname = mx.{domain}
region = US
state_dir = {state}
stamp_key_file = {keys}/stamp.key
id_key_file = {keys}/id.key
secrets_key_file = {keys}/secrets.key
public_url = http://127.0.0.1:{http}
log_level = info
log_target = stderr

[database]
uri = postgresql:///ump?host={pg_sock}

[ctl]
database_uri = postgresql://ump@/ump?host={pg_sock}

[milter]
socket = unix:{milter_socket}
socket_group = postfix

[lmtp]
socket = unix:{lmtp_socket}
socket_group = postfix
store = lmtp:{dovecot_lmtp}
submit = unix:{spool}/public/umpsubmit
peers = postfix {uid_bridge}

[web]
listen = 127.0.0.1:{http}

[inbound]
lmtp_socket = unix:{lmtp_socket}

[dovecot]
doveadm_url = http://127.0.0.1:{doveadm}/doveadm/v1
doveadm_key_file = {keys}/doveadm.key
events_key_file = {keys}/dovecot-events.key

[media]
convert = {build}/convert/ump-convert
"""


def mailboxes(layout):
    """Every mailbox of the stack; a test's stack may have more than the three users."""
    return [f"{name}@{DOMAIN}" for name in (*USERS, *TEAM_MAILBOXES, *layout.load().get("extra_mailboxes", []))]


def make_directories(layout):
    postgres_uid, postgres_gid = user_ids("postgres")
    postfix_uid, postfix_gid = user_ids("postfix")
    for path, uid, gid, mode in (
            (layout.dir, 0, 0, 0o755), (layout.etc, 0, 0, 0o755), (layout.postfix, 0, 0, 0o755),
            (layout.dovecot, 0, 0, 0o755), (layout.dovecot / "sieve", 0, 0, 0o755),
            (layout.keys, 0, GID_UMP, 0o750), (layout.log, 0, 0, 0o755), (layout.run, 0, 0, 0o755),
            (layout.dir / "bin", 0, 0, 0o755),
            (layout.mail, UID_MAIL, UID_MAIL, 0o750),
            (layout.state, 0, GID_UMP, 0o2770), (layout.state / "media", UID_BRIDGE, GID_UMP, 0o2770),
            (layout.state / "journal", UID_BRIDGE, GID_UMP, 0o2750),
            (layout.dir / "pg", 0, 0, 0o755), (layout.pg_data, postgres_uid, postgres_gid, 0o700),
            (layout.pg_sock, postgres_uid, postgres_gid, 0o755),
            (layout.dir / "postfix", 0, 0, 0o755), (layout.spool, 0, 0, 0o755),
            (layout.postfix_data, postfix_uid, 0, 0o700),
            # Sockets of the programs: they and Postfix share the group, others cannot enter.
            (layout.spool / "ump", 0, postfix_gid, 0o3770),
            (layout.dir / "dovecot", 0, 0, 0o755), (layout.dovecot_run, 0, 0, 0o755),
            (layout.dovecot_state, 0, 0, 0o755)):
        path.mkdir(parents=True, exist_ok=True)
        os.chown(path, uid, gid)
        os.chmod(path, mode)


def write_keys(layout):
    for name in ("stamp", "id", "secrets"):
        path = layout.keys / f"{name}.key"
        if not path.exists():
            path.write_text(f"k{secrets.token_hex(4)} {secrets.token_hex(32)}\n")
        os.chown(path, 0, GID_UMP)
        os.chmod(path, 0o640)


    for name in ("doveadm", "dovecot-events"):
        path = layout.keys / f"{name}.key"
        if not path.exists():
            path.write_text(secrets.token_hex(32) + "\n")
        os.chown(path, 0, GID_UMP)
        os.chmod(path, 0o640)
    dovecot = layout.keys / "doveadm-key.conf"
    dovecot.write_text(f"doveadm_api_key = {(layout.keys / 'doveadm.key').read_text()}")
    os.chmod(dovecot, 0o600)


def values(layout):
    return {**{key: getattr(layout, key) for key in
               ("spool", "postfix_data", "log", "dovecot_run", "dovecot_state", "dovecot", "state", "keys",
                "pg_sock", "milter_socket", "lmtp_socket", "dovecot_lmtp")},
            "domain": DOMAIN, "instance": f"ump-{layout.ports['imap']}", "uid_mail": UID_MAIL,
            "uid_bridge": UID_BRIDGE, **layout.ports}


def shipped(path, *substitutions):
    text = (CONF / path).read_text().replace("example.org", DOMAIN)
    for old, new in substitutions:
        if old not in text:
            raise ValueError(f"conf/{path} holds no {old!r} any more")
        text = text.replace(old, new)
    return text


def write_postfix(layout):
    known = values(layout)
    main = MAIN_CF.format(**known) + f"config_directory = {layout.postfix}\n\n"
    (layout.postfix / "main.cf").write_text(main + shipped("postfix/main.cf.fragment"))
    # This private stack speaks no TLS; everything else is the shipped fragment.
    (layout.postfix / "master.cf").write_text(MASTER_CF.format(**known) + shipped(
        "postfix/master.cf.fragment",
        ("smtpd_tls_security_level=encrypt", "smtpd_tls_security_level=none"),
        ("submission inet", f"127.0.0.1:{known['submission']} inet")))
    ump = layout.postfix / "ump"
    ump.mkdir(exist_ok=True)
    (ump / "transport").write_text(shipped("postfix/transport")
                                   + f"outside.test\tsmtp:[127.0.0.1]:{known['sink']}\n")
    (ump / "access").write_text(shipped("postfix/access"))
    # Teams are left out, as conf/postfix/logins says: their members come from the database.
    teams = {f"{name}@{DOMAIN}" for name in TEAM_MAILBOXES}
    (ump / "logins").write_text("".join(f"{box}\t{box}\n" for box in mailboxes(layout) if box not in teams))
    for name in ("machine-nets.cf", "sender-logins.cf", "domains.cf"):
        (ump / name).write_text(shipped(f"postfix/{name}", ("/var/run/postgresql", str(layout.pg_sock))))
    (layout.postfix / "mailboxes").write_text("".join(f"{box}\tx\n" for box in mailboxes(layout)))
    virtual = layout.postfix / "virtual"
    if not virtual.exists():
        virtual.write_text(f"# address\twhat it expands to; then: postfix -c {layout.postfix} reload\n"
                           f"oncall@{DOMAIN}\t+12125550123@sms.{DOMAIN}\n"
                           f"postmaster@{DOMAIN}\talice@{DOMAIN}\n")


def write_dovecot(layout):
    (layout.dovecot / "dovecot.conf").write_text(DOVECOT_CONF.format(**values(layout)))
    (layout.dovecot / "90-ump.conf").write_text(shipped(
        "dovecot/90-ump.conf",
        ("user = ump-lmtp\n    mode = 0600", "mode = 0666"),
        ("/var/spool/postfix/", f"{layout.spool}/"),
        ("/etc/dovecot/sieve/", f"{layout.dovecot}/sieve/")))
    (layout.dovecot / "91-ump-receipts.conf").write_text(shipped(
        "dovecot/91-ump-receipts.conf", ("port = 8034", f"port = {layout.ports['doveadm']}"),
        ("/etc/dovecot/ump-doveadm-key.conf", str(layout.keys / "doveadm-key.conf"))))
    (layout.dovecot / "92-ump-events.conf").write_text(shipped(
        "dovecot/92-ump-events.conf", ("127.0.0.1:8025", f"127.0.0.1:{layout.ports['http']}"),
        ("@KEY@", (layout.keys / "dovecot-events.key").read_text().strip())))
    (layout.dovecot / "users").write_text("".join(
        f"{box}:{{PLAIN}}{box.split('@')[0]}:{UID_MAIL}:{UID_MAIL}::{layout.mail / box.split('@')[0]}::\n"
        for box in mailboxes(layout)))
    for script in (CONF / "dovecot" / "sieve").glob("*.sieve"):
        shutil.copy(script, layout.dovecot / "sieve" / script.name)
        # Compiled here: the users' processes may not write there, and would compile it for every mail.
        subprocess.run(["sievec", "-c", layout.dovecot / "dovecot.conf", layout.dovecot / "sieve" / script.name], check=True,
                       capture_output=True)


def write_ump(layout, settings=()):
    """settings: section.key=value from the command line, kept for later starts.  What was changed in the file by hand
    stays, until the stack itself has something else to write (another port, another setting)."""
    text = UMP_CONF.format(**values(layout), build=layout.load().get("build", "/usr"))
    for setting in settings:
        name, _, value = setting.partition("=")
        section, _, key = name.partition(".")
        lines = text.splitlines(keepends=True)
        lines = [line for line in _without(lines, section, key)]
        text = "".join(lines)
        if f"[{section}]\n" not in text:
            text += f"\n[{section}]\n"
        text = text.replace(f"[{section}]\n", f"[{section}]\n{key} = {value}\n", 1)
    written = layout.run / "ump.conf.written"
    if layout.conf.exists() and written.exists() and written.read_text() == text:
        return
    written.write_text(text)
    layout.conf.write_text(text)
    os.chown(layout.conf, 0, GID_UMP)
    os.chmod(layout.conf, 0o640)


def _without(lines, section, key):
    current = None
    for line in lines:
        if line.startswith("["):
            current = line.strip("[]\n ")
        if not (current == section and line.split("=")[0].strip() == key):
            yield line


def write_umpctl(layout, build):
    layout.umpctl.write_text(f"#!/bin/sh\n# umpctl with this stack's configuration\n"
                             f"export MAIL_CONFIG={layout.postfix}\n"
                             f"exec {build}/ctl/umpctl --config {layout.conf} \"$@\"\n")
    os.chmod(layout.umpctl, 0o755)


def write_all(layout, build, settings=()):
    make_directories(layout)
    write_keys(layout)
    write_postfix(layout)
    write_dovecot(layout)
    write_ump(layout, settings)
    write_umpctl(layout, build)
    layout.write_environment()


__all__ = ["CHANNELS", "GATEWAY_DOMAINS", "UID_LMTP", "mailboxes", "write_all", "write_ump"]
