"""Roundcube (Debian's package) under PHP's own server, used through a real browser: headless Chromium.

The composer is the page's own: a text area or TinyMCE. Keys go where Roundcube puts the cursor.
"""
import html
import json
import os
import secrets
import sqlite3
import subprocess
import urllib.parse
import urllib.request

from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.lib.wait import wait_until

PAGES = "/var/lib/roundcube/public_html"
CONFIGURATION = """<?php
$config = json_decode(file_get_contents(__DIR__ . '/settings.json'), true);
"""
BROWSER = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
           "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--no-proxy-server", "--window-size=1280,1024",
           "--disable-features=OptimizationHints,MediaRouter,Translate")
READY = """
if (document.readyState != "complete" || !window.rcmail || !rcmail.env.compose_id || rcmail.busy) return false;
const html = document.querySelector("[name=_is_html]").value == "1";
return !html || !!(window.tinyMCE && tinyMCE.activeEditor && tinyMCE.activeEditor.initialized);
"""
# The list as it stands on the page: depth in its thread, sender, subject.
ROWS = """
return Array.from(document.querySelectorAll("#messagelist tbody tr.message")).filter(row => row.offsetParent).map(row => ({
  depth: rcmail.env.messages[row.uid].depth || 0,
  from: row.querySelector(".fromto").textContent.trim(),
  subject: row.querySelector(".subject a").textContent.trim()}));
"""
# The cursor behind these words of the quotation, in either composer.
CURSOR = """
const words = arguments[0], area = document.getElementById("composebody");
if (document.querySelector("[name=_is_html]").value != "1") {
  const at = area.value.indexOf(words) + words.length;
  area.focus();
  area.setSelectionRange(at, at);
  return area.value.includes(words);
}
const editor = tinyMCE.activeEditor, walker = editor.getDoc().createTreeWalker(editor.getBody(), NodeFilter.SHOW_TEXT);
editor.focus();
while (walker.nextNode()) {
  const at = walker.currentNode.data.indexOf(words);
  if (at >= 0) {
    editor.selection.setCursorLocation(walker.currentNode, at + words.length);
    return true;
  }
}
return false;
"""
# Where a person clicks to write below the quotation: the empty paragraph before the signature.
BELOW = """
const editor = tinyMCE.activeEditor, body = editor.getBody(), quotes = body.querySelectorAll("blockquote");
editor.focus();
let place = quotes[quotes.length - 1].nextElementSibling;
if (!place || place.id == "signature" || place.id == "_rc_sig") {
  place = editor.dom.create("p", {}, "<br>");
  editor.dom.insertAfter(place, quotes[quotes.length - 1]);
}
editor.selection.setCursorLocation(place, 0);
return true;
"""


class Roundcube:
    """One installation for one mail server. settings: Roundcube's own (reply_mode, htmleditor, language…)."""

    def __init__(self, home, port, imap_port, smtp_port, authenticated=True, settings=None, timezone="Europe/Berlin"):
        self.home, self.port, self.imap_port = str(home), port, imap_port
        self.url = f"http://127.0.0.1:{port}/"
        os.makedirs(self.home, exist_ok=True)
        self.base = {
            "db_dsnw": f"sqlite:///{self.home}/roundcube.db?mode=0600", "imap_host": f"127.0.0.1:{imap_port}",
            "smtp_host": f"127.0.0.1:{smtp_port}",
            "smtp_user": "%u" if authenticated else "", "smtp_pass": "%p" if authenticated else "", "des_key": secrets.token_hex(12),
            "log_dir": self.home, "temp_dir": self.home, "skin": "elastic", "plugins": [], "enable_spellcheck": False,
            "session_lifetime": 60,
            "timezone": timezone, "ip_check": False, "message_show_email": True, "draft_autosave": 0, "mime_types": None,
        }
        for name in ("defaults.inc.php", "mimetypes.php"):
            os.symlink(f"/etc/roundcube/{name}", os.path.join(self.home, name))
        with open(os.path.join(self.home, "config.inc.php"), "w", encoding="utf-8") as file:
            file.write(CONFIGURATION)
        self.configure(settings or {})
        self.server = self.browser = None

    def configure(self, settings):
        """From the next page on."""
        path = os.path.join(self.home, "settings.json")
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump({**self.base, **settings}, file)
        os.replace(path + ".new", path)

    def __enter__(self):
        # One request at a time: with several, a late one of the page before overwrites the session of the composer.
        environment = {**os.environ, "ROUNDCUBE_CONFIG_DIR": self.home}
        self.log = open(os.path.join(self.home, "php.log"), "wb")
        self.server = subprocess.Popen(
            ["php", "-d", "display_errors=0", "-d", f"session.save_path={self.home}", "-S", f"127.0.0.1:{self.port}", "-t", PAGES],
            env=environment, stdout=self.log, stderr=self.log)
        try:
            wait_until(self._answers, "Roundcube to answer", 60)
            options = webdriver.ChromeOptions()
            options.binary_location = "/usr/bin/chromium"
            for option in (*BROWSER, f"--user-data-dir={self.home}/chromium"):
                options.add_argument(option)
            self.browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
            self.browser.set_page_load_timeout(60)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _answers(self):
        assert self.server.poll() is None, open(self.log.name, errors="replace").read()[-2000:]
        try:
            with urllib.request.urlopen(self.url, timeout=20) as page:
                return b"rcmloginuser" in page.read()
        except OSError:
            return False

    def __exit__(self, *_):
        if self.browser:
            self.browser.quit()
        self.server.terminate()
        self.server.wait(30)
        self.log.close()

    def _until(self, condition, what, timeout=60):
        try:
            return WebDriverWait(self.browser, timeout, 0.05).until(condition)
        except TimeoutException:
            with open(os.path.join(self.home, "errors.log"), "a+", encoding="utf-8") as log:
                log.seek(0)
                told = log.read()[-1000:]
            shown = self._script("return [document.body.innerText, window.rcmail && rcmail.busy].join('\\n')")
            raise AssertionError(f"waited {timeout} s for {what}; {self.browser.current_url} shows:\n{shown}\n{told}") from None

    def _script(self, text, *arguments):
        return self.browser.execute_script(text, *arguments)

    def login(self, user, password, name="Alice Smith", signature=None):
        self.browser.delete_all_cookies()
        self.browser.get(self.url)
        self._until(lambda page: page.find_elements(By.ID, "rcmloginuser"), "the login form")
        self.browser.find_element(By.ID, "rcmloginuser").send_keys(user)
        self.browser.find_element(By.ID, "rcmloginpwd").send_keys(password + Keys.ENTER)
        self._until(lambda page: self._script("return window.rcmail && rcmail.task == 'mail'"), "the mailbox")
        with sqlite3.connect(f"{self.home}/roundcube.db", timeout=30) as database:
            database.execute("UPDATE identities SET name = ?, signature = ? WHERE user_id ="
                             " (SELECT user_id FROM users WHERE username = ?)", (name, signature or "", user))
        database.close()

    def reply_all(self, uid, words):
        """Answers everybody; the recipients that Roundcube chose, To and Cc."""
        return self.reply(uid, words, everybody=True)

    def reply(self, uid, *steps, everybody=False):
        """Answers the mail with that UID of the inbox. steps: words to type, {"after": words} (the cursor behind them in the
        quotation), {"below": True} (in the paragraph below it). A line break is the Enter key."""
        self.browser.get(f"{self.url}?_task=mail&_action=compose&_reply_uid={uid}&_mbox=INBOX{'&_all=all' if everybody else ''}")
        self._until(lambda page: self._script(READY), "the composer")
        if not any(isinstance(step, dict) for step in steps):
            self._script("(document.querySelector('[name=_is_html]').value == '1' ? tinyMCE.activeEditor"
                         " : document.getElementById('composebody')).focus()")
        for step in steps:
            if isinstance(step, dict):
                assert self._script(CURSOR, step["after"]) if "after" in step else self._script(BELOW), step
            else:
                self._type(step)
        recipients = self._script("return ['to', 'cc'].map(name => document.querySelector(`[name=_${name}]`).value).join(', ')")
        self.browser.find_element(By.CSS_SELECTOR, ".formbuttons button.send").click()
        self._until(lambda page: self._script("return window.rcmail && rcmail.env.action != 'compose'"), "the mail to be sent")
        return recipients

    def threads(self, folder, path, count):
        """The list of a folder as threads, all open, of so many mails; a picture of it goes to path."""
        self.configure({"default_list_mode": "threads", "autoexpand_threads": 1, "message_sort_col": "arrival",
                        "message_sort_order": "DESC", "layout": "list"})
        self.browser.get(f"{self.url}?_task=mail&_mbox={folder}")
        self._until(lambda page: self._script("return window.rcmail && !rcmail.busy") and len(self._script(ROWS)) == count,
                    f"{count} mails in the list")
        self.browser.save_screenshot(str(path))
        return self._script(ROWS)

    def picture_of_text(self, text, path):
        """A picture of a terminal's screen."""
        self.browser.get("data:text/html;charset=utf-8," + urllib.parse.quote(
            f"<pre style='font:15px/1.3 DejaVu Sans Mono,monospace;background:#111;color:#ddd;padding:12px'>{html.escape(text)}</pre>"))
        self.browser.save_screenshot(str(path))

    def _type(self, words):
        rich = self._script("return document.querySelector('[name=_is_html]').value == '1'")
        if rich:
            self.browser.switch_to.frame("composebody_ifr")
        ActionChains(self.browser).send_keys(words.replace("\n", Keys.ENTER)).perform()
        if rich:
            self.browser.switch_to.default_content()
