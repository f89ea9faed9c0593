"""One canonical JSON form, and the hashes made of it."""

from __future__ import annotations

import hashlib
import json


def canonical_json(value: object) -> str:
    """Give the one JSON text of `value`: sorted keys, no spaces, no NaN, letters unescaped."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def canonical_sha256(value: object) -> str:
    """Give the sha256, in hex, of the canonical JSON of `value` as UTF-8."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
