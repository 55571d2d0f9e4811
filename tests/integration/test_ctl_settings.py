"""umpctl refuses what it does not understand: a misspelt limit would be none."""
import subprocess

import pytest

from tests.lib.gateway import ControlFailed


@pytest.mark.parametrize("setting", ["user_per_hours=30", "user_per_hour=abc", "user_per_hour=-5", "opt_out_scope=all", "word"])
def test_account_settings_are_checked(gateway, setting):
    with pytest.raises(ControlFailed) as failed:
        gateway.umpctl("account", "set", "default", "--set", setting)
    assert failed.value.code == 64


@pytest.mark.parametrize("setting", ["countries=XX", "countries=US;CA", "base_url=javascript:x", "max_segments=0", "colour=red",
                                     "uncertain=maybe", "national_shift=tr,de", "on_uncertain=send", "poll=often", "poll=2d", "poll=100ms"])
def test_endpoint_settings_are_checked(gateway, endpoint, setting):
    with pytest.raises(ControlFailed) as failed:
        gateway.umpctl("endpoint", "set", endpoint.id, "--set", setting)
    assert failed.value.code in (1, 64)


@pytest.mark.parametrize("key", ["short", "A" * 44])
def test_a_key_that_verifies_no_webhook_is_refused(gateway, endpoint, alice, key):
    before = gateway.umpctl("endpoint", "show", endpoint.id)
    for words in (["set", endpoint.id, "--secret", f"public_key={key}"],
                  ["set", endpoint.id, "--secret", f"public_key_previous={key}"],
                  ["add", "sms", "telnyx", gateway.number(), "--owner", alice.email, "--secret", "api_key=K",
                   "--set", f"public_key={key}"]):
        with pytest.raises(ControlFailed) as failed:
            gateway.umpctl("endpoint", *words)
        assert failed.value.code == 64 and "key" in str(failed.value)
    assert gateway.umpctl("endpoint", "show", endpoint.id) == before


@pytest.mark.parametrize("words, code", [(["--help"], 0), (["help"], 0), (["account", "--help"], 0), (["account"], 64),
                                         ([], 64), (["frob", "--help"], 64)])
def test_help_lists_the_commands(gateway, words, code):
    done = subprocess.run([gateway.layout.umpctl, *words], capture_output=True, text=True)
    assert done.returncode == code
    text = done.stdout + done.stderr
    assert ("account add" in text) == (words[:1] != ["frob"])


def test_endpoint_test_asks_the_provider(gateway, endpoint):
    assert gateway.umpctl("endpoint", "test", endpoint.number)["result"] == "ok"
    gateway.umpctl("endpoint", "set", endpoint.id, "--secret", "api_key=KEY_OF_SOMEBODY")
    with pytest.raises(ControlFailed) as failed:
        gateway.umpctl("endpoint", "test", endpoint.number)
    assert failed.value.code == 1


def test_doctor_finds_nothing_wrong_with_the_stack(gateway):
    done = subprocess.run([gateway.layout.umpctl, "doctor"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "\nwrong" not in done.stdout
    assert "its sandbox holds" in done.stdout
