"""Thunderbird with an account of the stack, under Xvfb: it opens a mail, answers it by keys, and sends.

It is driven through its remote protocol, so that every step waits for a state of the program. What is typed goes
through the keyboard's input path into the composer, as a person's keys do.
"""
import json
import os
import signal
import subprocess

from tests.lib.marionette import Marionette
from tests.lib.wait import wait_until

# No network but loopback, nothing that asks, nothing that reports home.
PREFERENCES = {
    "app.update.auto": False, "app.update.enabled": False, "app.donation.eoy.version.viewed": 999, "app.normandy.enabled": False,
    "browser.safebrowsing.enabled": False, "browser.cache.disk.enable": False, "browser.newtabpage.enabled": False,
    "browser.search.update": False, "browser.shell.checkDefaultClient": False,
    "datareporting.healthreport.uploadEnabled": False, "datareporting.policy.dataSubmissionEnabled": False,
    "datareporting.policy.dataSubmissionPolicyBypassNotification": True, "toolkit.telemetry.enabled": False, "toolkit.telemetry.server": "",
    "extensions.update.enabled": False, "extensions.getAddons.cache.enabled": False, 
    "extensions.autoDisableScopes": 0, "extensions.startupScanScopes": 15,
    "network.captive-portal-service.enabled": False, "network.connectivity-service.enabled": False, "network.dns.disablePrefetch": True,
    "network.prefetch-next": False, "network.proxy.type": 0, "services.settings.server": "http://127.0.0.1:9/",
    "mail.provider.enabled": False, "mail.shell.checkDefaultClient": False, "mail.spotlight.firstRunDone": True,
    "mail.winsearch.firstRunDone": True,
    "mail.rights.version": 1, "mailnews.start_page.enabled": False, "mail.inappnotifications.enabled": False,
    "mailnews.start_page_override.mstone": "ignore", "messenger.startup.action": 0,
    "mail.startup.enabledMailCheckOnce": True, "mail.check_all_imap_folders_for_new": False, "mail.biff.show_alert": False,
    "mail.biff.play_sound": False, "mail.chat.enabled": False, "calendar.timezone.useSystemTimezone": True,
    "mail.compose.autosave": False, "mail.spellcheck.inline": False, "mail.warn_on_send_accel_key": False,
    "mail.collect_email_address_outgoing": False,
    "mailnews.auto_config.guess.enabled": False, "mail.compose.big_attachments.notify": False, "mail.compose.attachment_reminder": False,
    "security.sandbox.content.level": 0, "gfx.canvas.accelerated": False, "layers.acceleration.disabled": True,
    "marionette.port": 0, "remote.active-protocols": 2, "intl.accept_languages": "en",
}

OPEN_REPLY = """
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
const [messageId, html] = args;
const pause = () => new Promise(resolve => setTimeout(resolve, 50));
const account = MailServices.accounts.getAccount("account1");
const find = () => account.incomingServer.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);
if (!find()) account.incomingServer.performExpand(null);
while (!find()) await pause();
const inbox = find();
let header = null;
while (!header) {
  await new Promise(resolve => inbox.QueryInterface(Ci.nsIMsgImapMailFolder).updateFolderWithListener(null, {
    QueryInterface: ChromeUtils.generateQI(["nsIUrlListener"]), OnStartRunningUrl() {}, OnStopRunningUrl() { resolve(); } }));
  header = inbox.msgDatabase.getMsgHdrForMessageID(messageId.replace(/^<|>$/g, ""));
  if (!header) await pause();
}
MailServices.compose.OpenComposeWindow(null, header, inbox.getUriForMsg(header), Ci.nsIMsgCompType.ReplyToSender,
    html ? Ci.nsIMsgCompFormat.HTML : Ci.nsIMsgCompFormat.PlainText, account.defaultIdentity, null, null);
let win;
while (!(win = Services.wm.getMostRecentWindow("msgcompose")) || win.document.readyState != "complete"
       || !win.gMsgCompose?.editor) await pause();
// The editor is filled later: wait for the quotation.
while (!win.gMsgCompose.editor.document.body?.querySelector("blockquote, .moz-cite-prefix, pre span, span[_moz_quote]")) await pause();
win.focus();
return true;
"""

# {type: words} by keys; {after: words} puts the cursor behind these words of the quotation.
TYPE = """
const win = Services.wm.getMostRecentWindow("msgcompose");
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
const pause = () => new Promise(resolve => setTimeout(resolve, 20));
const element = win.document.getElementById("messageEditor");
element.focus();
const content = element.contentWindow, selection = content.getSelection();
const processor = Cc["@mozilla.org/text-input-processor;1"].createInstance(Ci.nsITextInputProcessor);
if (!processor.beginInputTransactionForTests(content)) throw new Error("no input");
const press = (key, code) => {
  const event = new content.KeyboardEvent("", { key, code: code ?? "" });
  processor.keydown(event);
  processor.keyup(event);
};
for (const step of args[0]) {
  if (step.after !== undefined) {
    const walker = content.document.createTreeWalker(content.document.body, content.NodeFilter.SHOW_TEXT);
    let found = null;
    while (walker.nextNode()) if (walker.currentNode.data.includes(step.after)) found = walker.currentNode;
    if (!found) throw new Error("not in the quotation: " + step.after);
    selection.collapse(found, found.data.indexOf(step.after) + step.after.length);
  } else {
    for (const sign of step.type) sign == "\\n" ? press("Enter", "Enter") : press(sign);
  }
  await pause();
}
return content.document.body.innerHTML;
"""

SEND = """
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
const pause = () => new Promise(resolve => setTimeout(resolve, 50));
const win = Services.wm.getMostRecentWindow("msgcompose");
win.goDoCommand("cmd_sendNow");
while (Services.wm.getMostRecentWindow("msgcompose")) {
  const dialog = win.document.querySelector("dialog[open]")
      ?? Services.wm.getMostRecentWindow("commonDialog")?.document.documentElement;
  if (dialog) throw new Error("Thunderbird asks: " + dialog.textContent);
  await pause();
}
return true;
"""

LOGINS = """
for (const [origin, user, password] of args[0]) {
  const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
  login.init(origin, null, origin, user, password, "", "");
  await Services.logins.addLoginAsync(login);
}
return Services.appinfo.version;
"""


class Display:
    """An X server of one's own."""

    def __init__(self, directory):
        reader, writer = os.pipe()
        self.log = open(os.path.join(directory, "xvfb.log"), "wb")
        self.process = subprocess.Popen(["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"],
                                        pass_fds=(writer,), stdout=self.log, stderr=self.log)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            self.name = f":{pipe.readline().strip()}"
        assert self.name != ":", "Xvfb did not start"

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        self.log.close()


class Thunderbird:
    """One profile with one account. preferences: further ones; language: of an installed language pack."""

    def __init__(self, home, user, password, smtp_port, imap_port, name="Alice Smith", signature="Alice Smith\nmsgs.test Ltd",
                 authenticated=True, preferences=None, language="en-US", timezone="Europe/Berlin"):
        self.home, self.profile = str(home), os.path.join(str(home), "profile")
        os.makedirs(self.profile, exist_ok=True)
        self.logins = [("imap://127.0.0.1", user, password), ("smtp://127.0.0.1", user, password)]
        self.language, self.timezone = language, timezone
        self._preferences({**PREFERENCES, **self._account(user, name, signature, smtp_port, imap_port, authenticated),
                           "intl.locale.requested": language, **(preferences or {})})
        self.display = self.process = self.remote = None

    @staticmethod
    def _account(user, name, signature, smtp_port, imap_port, authenticated):
        clear_password, none = 3, 1
        return {
            "mail.accountmanager.accounts": "account1", "mail.accountmanager.defaultaccount": "account1",
            "mail.account.account1.identities": "id1", "mail.account.account1.server": "server1",
            "mail.server.server1.type": "imap", "mail.server.server1.hostname": "127.0.0.1", "mail.server.server1.port": imap_port,
            "mail.server.server1.userName": user, "mail.server.server1.name": user, "mail.server.server1.authMethod": clear_password,
            "mail.server.server1.socketType": 0, "mail.server.server1.login_at_startup": False, "mail.server.server1.check_new_mail": False,
            "mail.smtpservers": "smtp1", "mail.smtp.defaultserver": "smtp1", "mail.smtpserver.smtp1.hostname": "127.0.0.1",
            "mail.smtpserver.smtp1.port": smtp_port, "mail.smtpserver.smtp1.username": user if authenticated else "",
            "mail.smtpserver.smtp1.authMethod": clear_password if authenticated else none, "mail.smtpserver.smtp1.try_ssl": 0,
            "mail.identity.id1.useremail": user, "mail.identity.id1.fullName": name, "mail.identity.id1.valid": True,
            "mail.identity.id1.smtpServer": "smtp1", "mail.identity.id1.htmlSigText": signature, "mail.identity.id1.htmlSigFormat": False,
            "mail.identity.id1.fcc_folder_picker_mode": 0, "mail.identity.id1.draft_folder_picker_mode": 0,
        }

    def _preferences(self, preferences):
        with open(os.path.join(self.profile, "user.js"), "w", encoding="utf-8") as file:
            for key, value in preferences.items():
                file.write(f"user_pref({json.dumps(key)}, {json.dumps(value)});\n")

    def __enter__(self):
        self.display = Display(self.home)
        environment = {**os.environ, "HOME": self.home, "DISPLAY": self.display.name, "TZ": self.timezone, "LC_ALL": "C.UTF-8",
                       "MOZ_CRASHREPORTER_DISABLE": "1", "GDK_BACKEND": "x11", "NO_AT_BRIDGE": "1",
                       "DBUS_SESSION_BUS_ADDRESS": "disabled:", "LIBGL_ALWAYS_SOFTWARE": "1", "XDG_RUNTIME_DIR": self.home}
        self.log = open(os.path.join(self.home, "thunderbird.log"), "wb")
        self.process = subprocess.Popen(
            ["thunderbird", "--no-remote", "--profile", self.profile, "--marionette", "--remote-allow-system-access"],
            env=environment, stdout=self.log, stderr=self.log, start_new_session=True)
        try:
            self.remote = Marionette(self._port())
            self.version = self.remote.run(LOGINS, self.logins)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _port(self):
        path = os.path.join(self.profile, "MarionetteActivePort")

        def written():
            assert self.process.poll() is None, open(self.log.name, errors="replace").read()[-2000:]
            return os.path.exists(path) and open(path, encoding="ascii").read().strip()
        return int(wait_until(written, "Thunderbird to start", 120))

    def __exit__(self, *_):
        if self.remote:
            self.remote.close()
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(20)
        self.log.close()
        self.display.stop()

    def prefer(self, preferences):
        """Sets preferences of the running program; None: back to the default."""
        self.remote.run("""
            for (const [name, value] of Object.entries(args[0])) {
              if (value === null) Services.prefs.clearUserPref(name);
              else if (typeof value == "boolean") Services.prefs.setBoolPref(name, value);
              else if (typeof value == "number") Services.prefs.setIntPref(name, value);
              else Services.prefs.setStringPref(name, value);
            }""", preferences)

    def reply(self, message_id, *steps, html=True):
        """Answers the mail with that Message-ID. steps: words to type, {"after": words} (the cursor behind them in
        the quotation). A line break is the Enter key. Returns the composer's markup before sending."""
        self.remote.run(OPEN_REPLY, message_id, html)
        composed = self.remote.run(TYPE, [{"type": step} if isinstance(step, str) else step for step in steps])
        self.remote.run(SEND)
        return composed
