"""C2PA manifests in pictures: a refusal counts in any state, a permission only where the signature holds."""

from __future__ import annotations

import sys
from collections.abc import Callable

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
