# The relay to Dovecot's LMTP is "at least once": when the machine dies between
# Dovecot's 250 and our note of it, the same mail is delivered again. This script
# shows it once. Our Message-IDs are deterministic, so the repeat has the same.
# (Only where Dovecot itself is killed between storing a mail and noting it here
# is the repeat shown: Pigeonhole notes it last, so that none is lost.)
# Use: sieve_before = /etc/dovecot/sieve/duplicate.sieve
require ["duplicate", "variables"];
if header :matches "Message-ID" "<ump.*" {
  if duplicate :header "Message-ID" :seconds 1209600 {
    discard;
    stop;
  }
}
