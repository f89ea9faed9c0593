"""Rule S2: names without case, values in whatever form; and where another library lets in what was refused."""

from __future__ import annotations

import pytest

from copycat.provenance.signals import resolve
from copycat.provenance.signals.recorded import from_headers

FOOLED = [
    ("X-Robots-Tag", "NoAI"),
    ("x-robots-tag", "noai"),
    ("TDM-Reservation", "1"),
    ("tdm-reservation", "1, 1"),
]
"""What datadiligence 0.1.7 answers with "allowed", measured; each is a refusal."""


@pytest.mark.parametrize(("name", "value"), FOOLED)
@pytest.mark.parametrize("use", ["training", "generative-training"])
def test_the_four_inputs_that_fool_datadiligence_are_denied(name: str, value: str, use: str) -> None:
    """S2, positive."""
    assert resolve(from_headers("https://example.org/", [(name, value)])).answers[use] == "deny"  # type: ignore[index]


NAMES = ["X-Robots-Tag", "x-robots-tag", "X-ROBOTS-TAG", "X_Robots_Tag", " X-Robots-Tag ", "X-Robots-Tag:"]
VALUES = ["noai", "NOAI", "No-AI", "no ai", "noai;", "'noai'", "index,noai", "gptbot: noai", "\uff4eoai", "n\u200boai"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", VALUES)
def test_a_refusal_is_read_in_whatever_form(name: str, value: str) -> None:
    """S2, positive."""
    assert resolve(from_headers("", [(name, value)])).answers["training"] == "deny"


@pytest.mark.parametrize("value", ["1", " 1 ", '"1"', "1;a", "0, 1", "true", "01", "1.0", "1,"])
def test_a_reservation_is_read_in_whatever_form(value: str) -> None:
    """S2, positive."""
    assert resolve(from_headers("", [("tdm-reservation", value)])).answers["mining"] == "deny"


@pytest.mark.parametrize("value", ["", "2", "-1", "10", "11", "no", "\x00", "1x", "💥"])
def test_what_is_no_value_says_nothing_and_the_note_tells_it(value: str) -> None:
    """S2, malformed."""
    decision = resolve(from_headers("", [("tdm-reservation", value)]))

    assert decision.answers["mining"] == "unknown"
    assert "as if unset" in decision.signals[0].note


@pytest.mark.parametrize("value", ["0", "00", "0, 0", "false"])
def test_only_a_plain_zero_permits(value: str) -> None:
    """S2, negative."""
    said = resolve(from_headers("", [("tdm-reservation", value)])).answers["mining"]

    assert said == ("allow" if value == "0" else "unknown")
