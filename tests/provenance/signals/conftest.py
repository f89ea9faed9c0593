"""What several tests of signals need: pictures with C2PA manifests, signed by a certificate made on the spot."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from PIL import Image


@cache
def _signer() -> Any:
    import c2pa
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    now = datetime.now(UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [
        x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, name), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test")]
        )
        for name in ("Test root", "Test signer")
    ]
    usage = dict.fromkeys(
        (
            *("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only"),
            "decipher_only",
        ),
        False,
    )
    certificates = []
    for number, is_root in enumerate((True, False)):
        builder = (
            x509.CertificateBuilder()
            .subject_name(names[number])
            .issuer_name(names[0])
            .public_key(keys[number].public_key())
            .serial_number(number + 1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(is_root, None), critical=True)
            .add_extension(
                x509.KeyUsage(digital_signature=not is_root, key_cert_sign=is_root, crl_sign=is_root, **usage),
                critical=True,
            )
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key()), critical=False)
        )
        if not is_root:
            purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
            builder = builder.add_extension(purpose, critical=False)
        certificates.append(builder.sign(keys[0], hashes.SHA256()))
    pem = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates[::-1])
    key = keys[1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return c2pa.Signer.from_info(c2pa.C2paSignerInfo(c2pa.C2paSigningAlg.ES256, pem, key, None))


def _plain_picture(kind: str = "JPEG") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (16, 16), (200, 30, 30)).save(stream, kind)
    return stream.getvalue()


@cache
def _signed_picture(
    word: str, label: str = "cawg.training-mining", entry: str = "cawg.ai_generative_training"
) -> bytes:
    """Give a JPEG whose manifest says `word` for one entry."""
    import c2pa

    created = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
    manifest = {
        "claim_generator_info": [{"name": "test", "version": "1"}],
        "assertions": [
            {
                "label": "c2pa.actions.v2",
                "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": created}]},
            },
            {"label": label, "data": {"entries": {entry: {"use": word}}}},
        ],
    }
    made = io.BytesIO()
    with c2pa.Builder(manifest) as builder:
        builder.sign(_signer(), "image/jpeg", io.BytesIO(_plain_picture()), made)
    return made.getvalue()


@pytest.fixture(scope="session")
def plain_picture() -> bytes:
    return _plain_picture()


@pytest.fixture(scope="session")
def signed_picture() -> Callable[..., bytes]:
    """Give a function: what an entry of the manifest says (and the label, and the entry) -> a signed JPEG."""
    return _signed_picture
