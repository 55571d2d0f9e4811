# What left for a network without passing through the user's own mail program
# (a team's message, which a member sent; a message from the user's own phone)
# carries direction=outbound in UMP-Header: it is filed as sent, and as seen.
# ump-lmtp lets UMP-Header pass only on mail of the gateway itself.
require ["fileinto", "imap4flags", "mailbox"];
if header :contains "UMP-Header" "direction=outbound" {
  fileinto :create :flags "\\Seen" "Sent";
  stop;
}
