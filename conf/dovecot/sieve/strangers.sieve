# The first message of an unknown contact carries contact=new in UMP-Header:
# it goes to a folder of its own.
require ["fileinto", "mailbox"];
if header :contains "UMP-Header" "contact=new" {
  fileinto :create "Strangers";
}
