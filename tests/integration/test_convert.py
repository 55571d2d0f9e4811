"""Pictures and sounds that the channel does not carry become such that it does, by a process that can do nothing else."""
import base64
import os
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from tests.lib.conversation import is_report
from tests.lib.smtp import Refused
from tests.lib.wait import wait_until
from tests.sim import whatsapp
from tests.stack.layout import ROOT

CONVERT = ROOT / "build" / "convert" / "ump-convert"
LIMIT = 1000 * 1000  # of an MMS


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, row):
    """row(y): its RGB bytes."""
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row(y) for y in range(height)), 1)) + chunk(b"IEND", b""))


def noise(width, height):
    return png(width, height, lambda y: os.urandom(width * 3))


def tool(*argv, **options):
    return subprocess.run([str(word) for word in argv], check=True, capture_output=True, timeout=120, **options)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A photograph of 4 MB as telephones make them (HEIC, with where it was taken), a WebP, a large PNG."""
    place = tmp_path_factory.mktemp("pictures")
    (place / "noise.png").write_bytes(noise(2000, 1500))
    tool("heif-enc", "-q", "92", place / "noise.png", "-o", place / "photo.heic")
    (place / "small.png").write_bytes(png(320, 200, lambda y: bytes((y, 40, 200)) * 320))
    tool("vips", "webpsave", place / "small.png", place / "small.webp")
    tool("vips", "jpegsave", place / "noise.png", place / "large.jpg", "--Q", "93")
    return place


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """Twenty seconds as phones and networks record them; AMR, whose encoder Debian has not got, of silent frames."""
    place = tmp_path_factory.mktemp("sounds")
    tool("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=frequency=300:duration=20", place / "tone.wav")
    for name, codec in (("tone.m4a", "aac"), ("tone.ogg", "libopus"), ("tone.oga", "libvorbis"), ("tone.mp3", "libmp3lame")):
        tool("ffmpeg", "-v", "error", "-i", place / "tone.wav", "-metadata", "comment=52.5 13.4", "-c:a", codec, place / name)
    (place / "note.amr").write_bytes(b"#!AMR\n" + (b"\x3c" + bytes(31)) * 250)
    return place


def probe(content, tmp_path):
    """(codec, seconds) of a sound."""
    (tmp_path / "probed").write_bytes(content)
    out = tool("ffprobe", "-v", "error", "-of", "csv=p=0", "-show_entries", "stream=codec_name:format=duration", tmp_path / "probed")
    codec, duration = out.stdout.decode().split()
    return codec, float(duration)


def size_of(jpeg):
    """Width and height out of a JPEG's frame header."""
    at = 2
    while jpeg[at + 1] not in (0xC0, 0xC1, 0xC2):
        at += 2 + struct.unpack(">H", jpeg[at + 2:at + 4])[0]
    height, width = struct.unpack(">HH", jpeg[at + 5:at + 9])
    return width, height


def at_the_provider(gateway, contact, count=1):
    entry = gateway.sim.wait_request(to=contact, timeout=60)
    gateway.sim.wait_for(lambda: len(entry["media"]) >= count, 30, "the provider to fetch it")
    return entry, [(item["content_type"], base64.b64decode(item["content"])) for item in entry["media"]]


@pytest.mark.sanitize
def test_heic_of_four_megabytes_leaves_as_mms(gateway, alice, endpoint, contact, pictures):
    photo = (pictures / "photo.heic").read_bytes()
    assert len(photo) > 4 * LIMIT
    alice.submit(gateway.address(contact), "The lake", attachments=[("IMG_2031.HEIC", "image/heic", photo)])
    _, [(content_type, jpeg)] = at_the_provider(gateway, contact)
    assert content_type == "image/jpeg" and jpeg[:3] == b"\xff\xd8\xff" and len(jpeg) <= LIMIT
    width, height = size_of(jpeg)
    assert abs(width / height - 4 / 3) < 0.01 and width >= 640


def test_webp_becomes_a_jpeg_and_a_fitting_png_stays(gateway, alice, endpoint, contact, pictures):
    webp, small = (pictures / "small.webp").read_bytes(), (pictures / "small.png").read_bytes()
    alice.submit(gateway.address(contact), "two", attachments=[("a.webp", "image/webp", webp), ("b.png", "image/png", small)])
    _, media = at_the_provider(gateway, contact, 2)
    assert [content_type for content_type, _ in media] == ["image/jpeg", "image/png"]
    assert media[1][1] == small and size_of(media[0][1]) == (320, 200)


def test_two_large_pictures_share_the_room(gateway, alice, endpoint, contact):
    large = [noise(900, 700), noise(700, 900)]
    alice.submit(gateway.address(contact), "", attachments=[(f"{n}.png", "image/png", data) for n, data in enumerate(large)])
    _, media = at_the_provider(gateway, contact, 2)
    assert [content_type for content_type, _ in media] == ["image/jpeg"] * 2 and sum(len(data) for _, data in media) <= LIMIT


def test_heic_that_a_mail_program_does_not_know_is_known(gateway, alice, endpoint, contact, pictures):
    photo = (pictures / "photo.heic").read_bytes()
    alice.submit(gateway.address(contact), "", attachments=[("IMG_7.HEIC", "application/octet-stream", photo)])
    _, [(content_type, jpeg)] = at_the_provider(gateway, contact)
    assert content_type == "image/jpeg" and jpeg[:3] == b"\xff\xd8\xff" and len(jpeg) <= LIMIT


def test_the_same_mail_again_is_the_same_message(gateway, alice, endpoint, contact, pictures):
    """A repeat is known by the attachments as they came, whatever the conversion makes of them."""
    photo = (pictures / "photo.heic").read_bytes()
    sent = alice.submit(gateway.address(contact), "once", attachments=[("IMG_8.HEIC", "image/heic", photo)])
    at_the_provider(gateway, contact)
    alice.submit_raw([gateway.address(contact)], sent)
    wait_until(lambda: "status=repeat" in Path(gateway.layout.log / "ump-lmtp.log").read_text(), "the repeat", 60)
    assert gateway.sql("SELECT count(*) FROM ump.deliveries WHERE recipient = %s", contact) == [(1,)]


@pytest.mark.parametrize("name, content_type", [("voice.ogg", "audio/ogg"), ("tone.wav", "audio/x-wav")])
def test_sound_that_telephones_do_not_play_leaves_as_mp3(gateway, alice, endpoint, contact, sounds, tmp_path, name, content_type):
    content = (sounds / ("tone" + name[-4:])).read_bytes()
    alice.submit(gateway.address(contact), "listen", attachments=[(name, content_type, content)])
    _, [(content_type, made)] = at_the_provider(gateway, contact)
    assert content_type == "audio/mpeg" and len(made) <= LIMIT
    codec, seconds = probe(made, tmp_path)
    assert codec == "mp3" and abs(seconds - 20) < 1


def test_sound_that_telephones_play_leaves_as_it_is(gateway, alice, endpoint, contact, sounds):
    content = (sounds / "note.amr").read_bytes()
    alice.submit(gateway.address(contact), "listen", attachments=[("note.amr", "audio/amr", content)])
    assert at_the_provider(gateway, contact)[1] == [("audio/amr", content)]


@pytest.mark.parametrize("name, content_type", [
    ("damaged.heic", "image/heic"), ("cut.heic", "image/heic"), ("cut.m4a", "audio/mp4"), ("fake.png", "image/png"),
    ("bomb.png", "image/png"), ("big.pdf", "application/pdf")])
def test_what_does_not_fit_then_is_refused_with_the_limit(gateway, alice, endpoint, contact, pictures, sounds, name, content_type):
    """While the mail is handed over, or, where only the attempt shows it, by a report."""
    noise_bytes = os.urandom(1_200_000)
    content = {"damaged.heic": b"\0\0\0\x18ftypheic" + noise_bytes, "fake.png": b"MZ" + noise_bytes,
               "big.pdf": b"%PDF-1.4\n" + noise_bytes, "bomb.png": bomb() + noise_bytes,
               "cut.heic": (pictures / "photo.heic").read_bytes()[:1_500_000],
               "cut.m4a": (sounds / "tone.m4a").read_bytes()[:30000] + noise_bytes}[name]
    refused_with_the_limit(gateway, alice, contact, name, content_type, content)


def bomb():
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b""))


def refused_with_the_limit(gateway, alice, contact, name, content_type, content):
    try:
        alice.submit(gateway.address(contact), "look", attachments=[(name, content_type, content)])
    except Refused as refused:
        words = str(refused)
        assert content_type == "application/pdf"
    else:
        words = alice.inbox.wait(is_report, timeout=60).raw.decode()
    assert "1000 KB" in " ".join(words.split())
    assert gateway.sql("SELECT count(*) FROM ump.outbox WHERE recipient = %s", contact) == [(0,)]


@pytest.fixture
def cloud(gateway, alice, contact):
    """A WhatsApp endpoint of alice's that contact has just written to."""
    with whatsapp.Simulator(retry_base=0.2) as sim:
        number = gateway.declare(whatsapp, sim, alice).number
        sim.inbound(contact, number, "send it")
        alice.inbox.wait()
        yield sim


def uploaded(sim, contact, kind):
    entry = sim.wait_sent(contact, kind, timeout=60)
    wait_until(lambda: entry["media"], "the upload")
    return entry["media"][0]


def test_heic_on_whatsapp_is_shown_as_a_picture(gateway, alice, contact, cloud, pictures):
    alice.submit(gateway.address(contact, "whatsapp"), "", attachments=[
        ("IMG.HEIC", "image/heic", (pictures / "photo.heic").read_bytes())])
    assert uploaded(cloud, contact, "image")["type"] == "image/jpeg"


def test_a_large_jpeg_on_whatsapp_is_a_picture_and_no_document(gateway, alice, contact, cloud, pictures):
    large = (pictures / "large.jpg").read_bytes()
    assert len(large) > 5 * LIMIT
    alice.submit(gateway.address(contact, "whatsapp"), "", attachments=[("IMG_9.jpg", "image/jpeg", large)])
    medium = uploaded(cloud, contact, "image")
    assert medium["type"] == "image/jpeg" and len(medium["content"]) <= 5 * LIMIT


@pytest.mark.parametrize("name, content_type, seconds", [("note.amr", "audio/amr", 5), ("tone.oga", "audio/ogg", 20)])
def test_amr_and_vorbis_on_whatsapp_become_voice_messages(gateway, alice, contact, cloud, sounds, tmp_path, name, content_type, seconds):
    alice.submit(gateway.address(contact, "whatsapp"), "", attachments=[(name, content_type, (sounds / name).read_bytes())])
    medium = uploaded(cloud, contact, "audio")
    codec, duration = probe(medium["content"], tmp_path)
    assert medium["type"] == "audio/ogg" and codec == "opus" and abs(duration - seconds) < 1


@pytest.mark.parametrize("name, content_type", [("tone.m4a", "audio/x-m4a"), ("tone.ogg", "application/ogg")])
def test_m4a_and_opus_on_whatsapp_stay(gateway, alice, contact, cloud, sounds, name, content_type):
    content = (sounds / name).read_bytes()
    alice.submit(gateway.address(contact, "whatsapp"), "", attachments=[(name, content_type, content)])
    medium = uploaded(cloud, contact, "audio")
    assert medium["content"] == content and medium["type"] == {"tone.m4a": "audio/mp4", "tone.ogg": "audio/ogg"}[name]


# --- the program by itself

def run(data, limit=LIMIT, becomes="image/jpeg"):
    return subprocess.run([CONVERT, becomes, str(limit)], input=data, capture_output=True, timeout=60)


def test_the_sandbox_holds():
    done = subprocess.run([CONVERT, "--check"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "the sandbox holds\n"), done.stdout + done.stderr


def test_the_sandbox_is_closed_before_the_first_byte_is_read():
    for becomes in ("image/jpeg", "audio/ogg"):
        with subprocess.Popen([CONVERT, becomes, "1000"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            status = Path(f"/proc/{process.pid}/status")
            wait_until(lambda: "Seccomp:\t2" in status.read_text(), "the filter")
            assert "NoNewPrivs:\t1" in status.read_text()
            limits = Path(f"/proc/{process.pid}/limits").read_text()
            assert [line.split()[3:5] for line in limits.splitlines() if line.startswith("Max open files")] == [["3", "3"]]
            process.kill()


@pytest.mark.parametrize("data, words", [
    (b"", "no picture"), (b"GIF89a", "no picture"), (b"\xff\xd8\xff\xe0" + bytes(100), "no picture"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>", "no picture"),
    (b"%!PS-Adobe-3.0\n", "no picture"), (b"push graphic-context\nviewbox 0 0 640 480\n", "no picture")],
    ids=["nothing", "a head", "JPEG's head", "SVG", "PostScript", "MVG"])
def test_what_is_no_picture_is_said(data, words):
    done = run(data)
    assert done.returncode == 1 and done.stdout == b"" and words in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1


def test_a_bomb_is_known_by_its_head():
    done = run(bomb())
    assert done.returncode == 1 and b"100 megapixels" in done.stderr


def test_a_long_sound_is_refused_before_it_is_decoded():
    done = run(b"#!AMR\n" + b"\x7c" * 250000, becomes="audio/ogg")
    assert done.returncode == 1 and done.stdout == b"" and b"longer than an hour" in done.stderr


@pytest.mark.parametrize("becomes, codec", [("audio/ogg", "opus"), ("audio/mpeg", "mp3"), ("audio/mp4", "aac")])
def test_sounds_become_each_other_without_their_tags(sounds, tmp_path, becomes, codec):
    for path in sorted(sounds.iterdir()):
        done = run(path.read_bytes(), 150_000, becomes)
        assert done.returncode == 0, (path.name, done.stderr)
        assert probe(done.stdout, tmp_path) == (codec, pytest.approx(5 if path.suffix == ".amr" else 20, abs=0.2))
        assert b"52.5 13.4" not in done.stdout and len(done.stdout) <= 150_000


def test_sound_becomes_as_small_as_it_must(sounds):
    wav = (sounds / "tone.wav").read_bytes()
    sizes = [len(run(wav, limit, "audio/ogg").stdout) for limit in (200_000, 50_000, 30_000)]
    assert sizes == sorted(sizes, reverse=True) and all(0 < size <= limit for size, limit in zip(sizes, (200_000, 50_000, 30_000)))
    refused = run(wav, 5000, "audio/ogg")
    assert (refused.returncode, refused.stderr) == (1, b"it does not become that small\n")


@pytest.mark.parametrize("becomes", ["audio/ogg", "audio/mpeg", "audio/mp4", "image/jpeg"])
def test_damaged_media_end_in_a_sentence(pictures, sounds, becomes):
    """Cut anywhere, with bytes turned: the program says what is wrong, or makes what it can; it never crashes."""
    names = ["photo.heic", "small.webp", "small.png"] if becomes == "image/jpeg" else sorted(path.name for path in sounds.iterdir())
    for index, name in enumerate(names):
        whole = ((pictures if becomes == "image/jpeg" else sounds) / name).read_bytes()[:400_000]
        for share in (3, 7, 11):
            data = bytearray(whole[:len(whole) * share // 12])
            for at in range(share + index, len(data), 977):
                data[at] ^= 0x55
            done = run(bytes(data), 150_000, becomes)
            assert done.returncode in (0, 1), (name, share, done)
            assert done.returncode == 0 or (done.stdout == b"" and done.stderr.count(b"\n") == 1), (name, share, done)


def test_where_it_was_taken_is_not_told(pictures, tmp_path):
    """EXIF goes, and with it the place; what it says of the way up is applied before."""
    exif = (b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", 1) + struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0) + struct.pack(">I", 0)
            + b"GPS 52.5 13.4")
    tool("vips", "jpegsave", pictures / "small.png", tmp_path / "plain.jpg")
    plain = (tmp_path / "plain.jpg").read_bytes()
    turned = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:]
    done = run(turned)
    assert done.returncode == 0 and b"GPS" not in done.stdout and b"Exif" not in done.stdout
    assert size_of(done.stdout) == (200, 320)


def test_wrong_use_says_how():
    for arguments in ([], ["image/jpeg"], ["image/jpeg", "many"], ["image/jpeg", "0"], ["1000", "image/jpeg"],
                      ["video/mp4", "1000"], ["audio/ogg", "-1"]):
        done = subprocess.run([CONVERT, *arguments], capture_output=True, text=True, timeout=60)
        assert done.returncode == 64 and "usage: ump-convert TYPE MAX" in done.stderr
