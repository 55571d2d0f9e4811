#!/bin/sh
# Puts what the gateway needs into a Postfix that exists, and keeps what is there:
# lists get our part beside yours, options of your submission services stay.
#   merge.sh DOMAIN [DIRECTORY]     DIRECTORY: Postfix's configuration, /etc/postfix
#   merge.sh --undo [DIRECTORY]     puts back main.cf and master.cf as they were
# The files before are kept as main.cf.before-ump and master.cf.before-ump. Running
# it again changes nothing; what it does stands in main.cf.fragment and
# master.cf.fragment, with the reasons.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 64; }
domain=$1
etc=${2:-/etc/postfix}

if [ "$domain" = --undo ]; then
  for name in main.cf master.cf; do
    [ ! -e "$etc/$name.before-ump" ] || mv "$etc/$name.before-ump" "$etc/$name"
  done
  exit 0
fi

for name in main.cf master.cf; do
  [ -e "$etc/$name.before-ump" ] || cp -p "$etc/$name" "$etc/$name.before-ump"
done

# --- the files that the settings name
mkdir -p "$etc/ump"
for name in transport access machine-nets.cf sender-logins.cf domains.cf; do
  sed "s/example\.org/$domain/g" "$here/$name" > "$etc/ump/$name"
done
sed 's/^/@/; s/[[:space:]].*/ x/' "$etc/ump/access" > "$etc/ump/recipients"
# Who may use which envelope sender: your map, else the users that Dovecot knows, made once.
[ -e "$etc/ump/logins" ] || doveadm user '*' 2>/dev/null | sed 's/.*/&	&/' > "$etc/ump/logins" || :

# --- main.cf
ours=$(mktemp -d)
trap 'rm -rf "$ours"' EXIT
sed "s/example\.org/$domain/g" "$here/main.cf.fragment" > "$ours/main.cf"
# Parameters named after a transport are known when master.cf has it.
cp "$here/master.cf.fragment" "$ours/master.cf"

postconf -c "$etc" -n 2>/dev/null > "$ours/theirs"
postconf -c "$ours" -n 2>/dev/null > "$ours/mine"
: > "$ours/edits"

theirs() { sed -n "s/^$1 = *//p" "$ours/theirs"; }
mine() { sed -n "s/^$1 = *//p" "$ours/mine"; }
put() { printf '%s = %s\n' "$1" "$2" >> "$ours/edits"; }
# join NAME FIRST SECOND: both, separated; nothing when one of them is there already
join() {
  case $2 in *"$3"*) [ -z "$3" ] || { put "$1" "$2"; return; } ;; esac
  case $3 in *"$2"*) put "$1" "$3"; return ;; esac
  put "$1" "$2${3:+, $3}"
}

before_milters=$(theirs smtpd_milters)
for name in $(sed -n 's/^\([a-z_]*\) *=.*/\1/p' "$ours/main.cf"); do
  value=$(mine "$name") old=$(theirs "$name")
  case $name in
    relay_domains|transport_maps|smtpd_restriction_classes|smtpd_recipient_restrictions|smtp_header_checks)
      join "$name" "$value" "$old" ;;
    smtpd_milters)            # a verifier before us
      if [ -z "$old" ]; then put "$name" "$value"; else join "$name" "$old" "$value"; fi ;;
    smtpd_sender_login_maps)  # yours before the teams
      case $old in
        '') put "$name" "$value" ;;
        *ump/sender-logins.cf*) ;;
        *) put "$name" "$old, proxy:pgsql:\$config_directory/ump/sender-logins.cf" ;;
      esac ;;
    proxy_read_maps)
      case $old in
        '') put "$name" "$value" ;;
        *ump/machine-nets.cf*) ;;
        *) put "$name" "$old proxy:pgsql:\$config_directory/ump/machine-nets.cf proxy:pgsql:\$config_directory/ump/sender-logins.cf" ;;
      esac ;;
    relay_recipient_maps)     # with a list of recipients of yours, the gateway's domains need their place in it
      [ -z "$old" ] || join "$name" "$old" "texthash:\$config_directory/ump/recipients" ;;
    non_smtpd_milters) ;;
    virtual_transport)
      put "$name" "$value"
      # mailboxes in mydestination
      [ -z "$(theirs mailbox_transport)" ] || put mailbox_transport "$value" ;;
    *) put "$name" "$value" ;;
  esac
done
xargs -d '\n' postconf -c "$etc" -e < "$ours/edits"

# --- master.cf
for name in ump umplocal; do
  postconf -c "$etc" -Me "$name/unix=$name unix - - n - - lmtp"
done
# A service and its options, as the fragment has them.
service() { awk -v n="$1" '/^[^ #]/ { on = $1 == n } /^#/ { on = 0 } on' "$here/master.cf.fragment" | tr -s ' \n' ' '; }
postconf -c "$etc" -Me "umpsubmit/unix=$(service umpsubmit)"
has() { postconf -c "$etc" -M 2>/dev/null | awk -v n="$1" '$1 == n && $2 == "inet" { found = 1 } END { exit !found }'; }
option() { postconf -c "$etc" -P "$1/inet/$2" 2>/dev/null | sed 's/^[^=]*= *//'; }
if ! has submission && ! has submissions && ! has smtps; then
  postconf -c "$etc" -Me "submission/inet=$(service submission)"
fi
for name in submission submissions smtps; do
  has "$name" || continue
  old=$(option "$name" smtpd_milters)
  [ -n "$old" ] || old=$before_milters
  case $old in
    *'$ump_milter'*) ;;
    '') old='$ump_milter_submission' ;;
    # Before a DKIM signer; by a name, for master.cf takes no white space.
    *) postconf -c "$etc" -e "ump_milters_$name = \$ump_milter_submission, $old"
       old="\$ump_milters_$name" ;;
  esac
  postconf -c "$etc" -P "$name/inet/smtpd_milters=$old" "$name/inet/milter_macro_daemon_name=submission" \
    "$name/inet/smtpd_forbid_bare_newline=reject"
done
diff -u "$etc/main.cf.before-ump" "$etc/main.cf" || :
