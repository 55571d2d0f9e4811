"""Every kind of request that the gateway makes of Telnyx is valid by Telnyx' own description."""
import pytest

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fcffff"
                    "3f0300050001ff5c9a9d780000000049454e44ae426082")


# The description wants URLs with a name: 127.0.0.1 is none.
@pytest.mark.parametrize("own_gateway", [["gateway.public_url=http://gateway.msgs.test"]], indirect=True)
def test_requests_are_valid(prism_for, own_gateway):
    gateway = own_gateway
    gateway.sim.hosts["gateway.msgs.test"] = ("127.0.0.1", gateway.ports["http"])
    prism = prism_for("telnyx/openapi.json", gateway.sim.base_url)
    alice = gateway.user("alice")
    endpoint = alice.endpoint(base_url=prism.url)
    first, second, third = (gateway.number() for _ in range(3))

    alice.submit(gateway.address(first), "A plain text")
    alice.submit(gateway.address(second), "Zażółć gęślą jaźń 🙂")
    alice.submit(gateway.address(third), "With a picture", attachments=[("dot.png", "image/png", PNG)])
    for number, text in ((first, "A plain text"), (second, "Zażółć gęślą jaźń 🙂"), (third, "With a picture")):
        request = gateway.sim.wait_request(to=number)["request"]
        assert request["text"] == text and request["from"] == endpoint.number
    alice.submit([gateway.address(first), gateway.address(second), "new-group@sms.msgs.test"], "To all of you")
    entry = gateway.sim.wait_for(lambda: next((e for e in gateway.sim.accepted if e["path"] == "/messages/group_mms"
                                               and e["request"]["from"] == endpoint.number), None), 20, "a group MMS")
    assert sorted(entry["request"]["to"]) == sorted([first, second])
    # What is invalid never reaches the simulator: Prism answers 422, which is a failure report.
    assert "iolation" not in prism.output().decode(), prism.output().decode()
