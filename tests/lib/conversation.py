"""What the tests of all channels share: media to send, mails told apart by what they are, and waiting for what becomes of a message."""
from tests.lib.wait import wait_until
from tests.sim import signal_cli

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fcffff"
                    "3f0300050001ff5c9a9d780000000049454e44ae426082")
OGG = b"OggS" + bytes(60)
MP4 = b"\0\0\0\x18ftypmp42" + bytes(60)
PDF = b"%PDF-1.4\n%%EOF\n"
# One of each kind as an attachment: name, type, content.
MEDIA = {"picture": ("dot.png", "image/png", PNG), "sound": ("note.ogg", "audio/ogg", OGG), "video": ("walk.mp4", "video/mp4", MP4),
         "file": ("invoice.pdf", "application/pdf", PDF)}
SIGNAL_GROUP = "OcX1j1sAF3e8yGDuFxd/sC+XKJL8TbBTOhCREc4CNXI="


def declare_signal(gateway, sim, owner, **settings):
    """An endpoint at signal-cli's daemon, once the gateway listens to it."""
    line = gateway.declare(signal_cli, sim, owner, **settings)
    sim.wait_subscribed(settings.get("account", line.number))
    return line


def is_report(mail):
    """A delivery or disposition report, not a message of somebody's."""
    return mail.message.get_content_type() == "multipart/report"


def of_type(mail, type_):
    """UMP-Header says that it is of that type."""
    return f"type={type_}," in (mail["UMP-Header"] or "")  # a report has none


def arrived(person, type_, condition=lambda mail: True):
    """The person's first mail of that type for which condition holds, once it is in the inbox."""
    return person.inbox.wait(lambda mail: of_type(mail, type_) and condition(mail))


def wait_status(gateway, mail, *statuses):
    """Until each of the statuses has been told of the message that the mail became."""
    wait_until(lambda: set(statuses) <= {event["status"] for event in gateway.trace(mail["Message-ID"])},
               f"the status {' and '.join(statuses)}")


def wait_provider_id(gateway, provider_id):
    """Until the provider's answer is recorded: what refers to the message by that id is understood from then on. The id."""
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.deliveries WHERE provider_id = %s", provider_id), "the answer's id")
    return provider_id


def wait_held(gateway, line, at_least):
    """Until the endpoint is held for at least an interval of SQL's; why it is."""
    [(why,)] = wait_until(lambda: gateway.sql("SELECT held_why FROM ump.endpoints WHERE id = %s AND held_until > now() + %s::interval",
                                              line.id, at_least), "the hold")
    return why
