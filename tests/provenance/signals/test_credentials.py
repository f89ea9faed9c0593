"""C2PA manifests in pictures: a refusal counts in any state, a permission only where the signature holds."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from copycat.provenance.signals import combine
from copycat.provenance.signals.credentials import read_credentials
from copycat.provenance.signals.embedded import read_embedded

USE = "generative-training"
ALLOWED_IN_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" '
    b'plus:DataMining="DMI-ALLOWED"/></x:xmpmeta>'
)
Signed = Callable[..., bytes]


def answer(raw: bytes) -> str:
    return combine(read_embedded(raw, "a.jpg")).answers[USE]  # type: ignore[index]


def bent(raw: bytes) -> bytes:
    """The same picture with a byte of its pixels changed: the hash that was signed no longer holds."""
    changed = bytearray(raw)
    changed[-20] ^= 0x55
    return bytes(changed)


def test_a_picture_without_a_manifest_says_nothing(plain_picture: bytes) -> None:
    assert list(read_embedded(plain_picture, "a.jpg")) == []


@pytest.mark.parametrize(("word", "said"), [("notAllowed", "deny"), ("constrained", "deny"), ("allowed", "allow")])
def test_a_signed_assertion_says_what_its_entry_says(signed_picture: Signed, word: str, said: str) -> None:
    assert answer(signed_picture(word)) == said


def test_the_old_assertion_of_c2pa_is_read_too(signed_picture: Signed) -> None:
    raw = signed_picture("notAllowed", "c2pa.training-mining", "c2pa.ai_generative_training")

    assert [signal.source for signal in read_credentials(raw, "a.jpg")] == ["c2pa"]
    assert answer(raw) == "deny"


def test_a_refusal_counts_where_the_signature_does_not_hold(signed_picture: Signed) -> None:
    assert answer(bent(signed_picture("notAllowed"))) == "deny"


def test_a_permission_does_not_count_where_the_signature_does_not_hold(signed_picture: Signed) -> None:
    signals = list(read_credentials(bent(signed_picture("allowed")), "a.jpg"))

    assert combine(signals).answers[USE] == "unknown"
    assert "permissions do not stand" in signals[0].note


def test_a_picture_that_is_cut_off_never_permits(signed_picture: Signed) -> None:
    raw = signed_picture("allowed")

    assert all(answer(raw[: len(raw) * share // 20]) != "allow" for share in range(1, 20))


def test_a_manifest_that_cannot_be_read_is_not_mended_by_a_permission_elsewhere(
    signed_picture: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = signed_picture("allowed") + ALLOWED_IN_XMP
    monkeypatch.setitem(sys.modules, "c2pa", None)

    signals = list(read_embedded(raw, "a.jpg"))

    assert answer(ALLOWED_IN_XMP) == "allow"
    assert combine(signals).answers[USE] == "unknown"
    assert any("copycat[c2pa]" in signal.note for signal in signals)


def test_a_refusal_in_a_manifest_is_made_out_without_the_library(
    signed_picture: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = signed_picture("notAllowed")
    monkeypatch.setitem(sys.modules, "c2pa", None)

    assert answer(raw) == "deny"


def test_a_manifest_that_a_picture_names_by_its_address_is_not_fetched(plain_picture: bytes) -> None:
    """c2pa-python would ask for it; whoever made the picture could have it ask inside of the user's own network."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        xmp = (
            '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            '<rdf:Description xmlns:dcterms="http://purl.org/dc/terms/" '
            f'dcterms:provenance="http://127.0.0.1:{server.getsockname()[1]}/m.c2pa"/></rdf:RDF></x:xmpmeta>'
        )
        body = b"http://ns.adobe.com/xap/1.0/\0" + xmp.encode()
        segment = b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body
        picture = plain_picture[:2] + segment + plain_picture[2:]

        def ask() -> None:
            with suppress(OSError):
                asked.append(server.accept()[0].recv(100))

        waiting = threading.Thread(target=ask)
        waiting.start()
        found = [list(read_embedded(picture + end, "a.jpg")) for end in (b"", b"c2pa jumb")]
        waiting.join()

    assert asked == []
    assert all(signals[-1].answers["training"] == "unknown" and signals[-1].note for signals in found)
