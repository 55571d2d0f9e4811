"""What conf/ ships: units that are shut tight, a proxy configuration that loads, SQL maps that answer."""
import re
import subprocess
from pathlib import Path

import pytest

CONF = Path(__file__).resolve().parents[2] / "conf"
UNITS = sorted((CONF / "systemd").glob("*.service"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_unit_exposure_is_at_most_one_and_a_half(unit):
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
                          capture_output=True, text=True)
    score = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert score, done.stdout + done.stderr
    assert float(score.group(1)) <= 1.5


def test_there_is_a_unit_for_every_program():
    assert [unit.stem for unit in UNITS] == ["ump-bridge", "ump-lmtp", "ump-milter"]


def test_nginx_takes_the_configuration(tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=gateway.example.org",
                    "-keyout", tmp_path / "key", "-out", tmp_path / "cert"], check=True, capture_output=True)
    text = (CONF / "nginx" / "ump.conf").read_text()
    text = re.sub(r"(ssl_certificate +)\S+;", rf"\1{tmp_path}/cert;", text)
    text = re.sub(r"(ssl_certificate_key +)\S+;", rf"\1{tmp_path}/key;", text)
    (tmp_path / "ump.conf").write_text(text)
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/error; events {{}}\nhttp {{ access_log off;"
        + "".join(f" {kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        + f" include {tmp_path}/ump.conf; }}\n")
    done = subprocess.run(["/usr/sbin/nginx", "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr



def test_postfix_knows_every_setting_of_the_fragments(tmp_path):
    """postconf warns of a parameter that nothing uses; there is none."""
    (tmp_path / "main.cf").write_text((CONF / "postfix" / "main.cf.fragment").read_text())
    (tmp_path / "master.cf").write_text((CONF / "postfix" / "master.cf.fragment").read_text())
    done = subprocess.run(["postconf", "-c", tmp_path, "-n"], capture_output=True, text=True)
    assert done.returncode == 0 and "unused parameter" not in done.stderr, done.stderr
    master = subprocess.run(["postconf", "-c", tmp_path, "-M", "submission/inet"], capture_output=True, text=True)
    assert "smtpd_milters=$ump_milter_submission" in master.stdout, master.stderr


EXISTING_MAIN = """\
mydestination = localhost
virtual_mailbox_domains = kontor.test
virtual_transport = lmtp:unix:private/dovecot-lmtp
relay_domains = backup.test
relay_recipient_maps = hash:/etc/postfix/relay
transport_maps = hash:/etc/postfix/transport
smtpd_milters = inet:localhost:8891
non_smtpd_milters = inet:localhost:8891
smtpd_recipient_restrictions = reject_non_fqdn_recipient
smtpd_sender_login_maps = hash:/etc/postfix/logins
"""
EXISTING_MASTER = """\
smtp       inet n - y - - smtpd
submission inet n - y - - smtpd
  -o smtpd_sasl_auth_enable=yes
submissions inet n - y - - smtpd
  -o smtpd_tls_wrappermode=yes
  -o smtpd_milters=inet:localhost:8892
"""


def postconf(directory, *words):
    done = subprocess.run(["postconf", "-c", directory, *words], capture_output=True, text=True, check=True)
    assert "unused parameter" not in done.stderr, done.stderr
    return dict(line.split(" = ", 1) if " = " in line else (line.rstrip(" ="), "") for line in done.stdout.splitlines())


def merge(directory, *words):
    subprocess.run(["sh", CONF / "postfix" / "merge.sh", *words, directory], check=True, capture_output=True)


def test_merging_keeps_what_an_existing_postfix_has(tmp_path):
    (tmp_path / "main.cf").write_text(EXISTING_MAIN)
    (tmp_path / "master.cf").write_text(EXISTING_MASTER)
    merge(tmp_path, "kontor.test")
    main, services = postconf(tmp_path, "-n"), postconf(tmp_path, "-P")
    assert main["relay_domains"] == "$ump_domains, backup.test"
    assert main["relay_recipient_maps"].startswith("hash:/etc/postfix/relay, texthash:")
    assert main["transport_maps"] == "texthash:$config_directory/ump/transport, hash:/etc/postfix/transport"
    assert main["smtpd_milters"] == "inet:localhost:8891, $ump_milter" and main["non_smtpd_milters"] == "inet:localhost:8891"
    assert main["smtpd_recipient_restrictions"].endswith("ump/access, reject_non_fqdn_recipient")
    assert main["smtpd_sender_login_maps"].startswith("hash:/etc/postfix/logins, proxy:pgsql:")
    assert main["virtual_transport"] == "umplocal:unix:ump/lmtp.sock" and "sms.kontor.test" in main["ump_domains"]
    assert services["submission/inet/smtpd_milters"] == "$ump_milters_submission"
    assert main["ump_milters_submission"] == "$ump_milter_submission, inet:localhost:8891"
    assert services["submissions/inet/smtpd_milters"] == "$ump_milters_submissions"
    assert main["ump_milters_submissions"] == "$ump_milter_submission, inet:localhost:8892"
    assert services["submission/inet/smtpd_sasl_auth_enable"] == "yes"
    assert "smtp/inet/smtpd_milters" not in services
    files = {name: (tmp_path / name).read_text() for name in ("main.cf", "master.cf")}
    merge(tmp_path, "kontor.test")
    assert files == {name: (tmp_path / name).read_text() for name in files}, "merging again changes something"
    merge(tmp_path, "--undo")
    assert (tmp_path / "main.cf").read_text() == EXISTING_MAIN and (tmp_path / "master.cf").read_text() == EXISTING_MASTER


def test_merging_into_a_plain_postfix_arrives_at_the_fragments(tmp_path):
    plain, fragments = tmp_path / "plain", tmp_path / "fragments"
    plain.mkdir(), fragments.mkdir()
    (plain / "main.cf").write_text("")
    (plain / "master.cf").write_text("smtp inet n - y - - smtpd\n")
    merge(plain, "example.org")
    (fragments / "main.cf").write_text((CONF / "postfix" / "main.cf.fragment").read_text())
    (fragments / "master.cf").write_text("smtp inet n - y - - smtpd\n" + (CONF / "postfix" / "master.cf.fragment").read_text())
    wanted, got = postconf(fragments, "-n"), postconf(plain, "-n")
    for name in ("config_directory", "non_smtpd_milters", "relay_recipient_maps"):
        assert not wanted.pop(name, "").startswith("texthash"), "an empty default"
        got.pop(name, None)
    assert got == wanted
    assert postconf(plain, "-P") == postconf(fragments, "-P")


@pytest.mark.parametrize("query", ["machine-nets.cf", "sender-logins.cf", "domains.cf"])
def test_pgsql_maps_name_a_function_of_the_schema(query):
    text = (CONF / "postfix" / query).read_text()
    function = re.search(r"ump\.(postfix_\w+)", text).group(1)
    sql = (CONF.parent / "sql" / "functions" / "postfix_maps.sql").read_text()
    assert f"FUNCTION ump.{function}(" in sql
    assert "user = ump_postfix" in text
