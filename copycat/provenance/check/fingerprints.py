"""A name for each finding that is the same at the next check, so that it can be ignored, and followed over time."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

from copycat.provenance.records import Finding

LENGTH = 12
"""Letters of a fingerprint: 48 bits, for the few findings of one dataset."""

_NUMBERS = re.compile(r"\d[\d,.]*")


def fingerprints(findings: Sequence[Finding]) -> list[str]:
    """Give the fingerprint of each finding, in hex.

    It is made from the rule and what it says without the numbers in it, so that one record more or less does not change
    it, and neither do its evidence and severity. Findings that are the same in this are numbered in their order.
    """
    seen: Counter[str] = Counter()
    names = []
    for finding in findings:
        about = f"{finding.rule}\0{_NUMBERS.sub('#', finding.said)}"
        names.append(hashlib.sha256(f"{about}\0{seen[about]}".encode()).hexdigest()[:LENGTH])
        seen[about] += 1
    return names
