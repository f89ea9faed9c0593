"""Whatever is served: no traceback, and a refusal stays one. `benchmarks/provenance_fuzz.py` does it 100,000 times."""

from __future__ import annotations

import importlib.util
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copycat.provenance.records import USES
from copycat.provenance.signals import Header, Recorded, Response, combine, resolve
from copycat.provenance.signals.embedded import read_embedded
from copycat.provenance.signals.recorded import from_headers

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "provenance_fuzz.py"
REFUSALS = [
    ("X-Robots-Tag", "NoAI"),
    ("tdm-reservation", "1, 1"),
    ("content-usage", "train-ai=n"),
    ("Content-Signal", "ai-train=no"),
]
NAMES = st.sampled_from(["X-Robots-Tag", "Content-Usage", "TDM-Reservation", "Content-Signal", "Link"])
VALUES = st.one_of(st.text(max_size=40), st.sampled_from(["train-ai=y", "0", "all", "ai-train=yes", "search=y"]))


@given(st.binary(max_size=300), st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_bytes_in_any_place_are_answered(raw: bytes, url: str) -> None:
    response = Response(status=200, body=raw)
    recorded = Recorded(url=url, page=response, robots=response, tdmrep=response, licences=(response,))

    assert set(resolve(recorded).answers) == set(USES)


@given(st.sampled_from(REFUSALS), st.lists(st.tuples(NAMES, VALUES), max_size=4), st.integers(0, 4))
@settings(max_examples=60, deadline=None)
def test_a_refusal_in_a_header_survives_all_other_headers(
    refusal: tuple[str, str], others: list[tuple[str, str]], at: int
) -> None:
    headers = [*others[:at], refusal, *others[at:]]

    assert resolve(from_headers("https://example.org/", headers)).answers["generative-training"] == "deny"


@given(st.text(max_size=80), st.text(max_size=80))
@settings(max_examples=50, deadline=None)
def test_a_refusal_in_robots_txt_survives_what_stands_around_it(before: str, after: str) -> None:
    text = f"{before}\n\nUser-agent: GPTBot\nDisallow: /\n\nUser-agent: nobody\n{after}"
    robots = Response(status=200, body=text.encode("utf-8", "replace"))

    assert resolve(Recorded(url="https://example.org/a", robots=robots)).answers["training"] == "deny"


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    spec = importlib.util.spec_from_file_location("provenance_fuzz", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["provenance_fuzz"] = module
    spec.loader.exec_module(module)
    return module


def test_the_benchmark_finds_nothing_in_its_first_inputs(fuzz: ModuleType) -> None:
    rng = random.Random(7)
    cases = [make(rng) for _ in range(150) for make in (fuzz.refusal, fuzz.rubbish)]

    assert [fuzz.fault_of(case) for case in cases if fuzz.fault_of(case)] == []


def test_the_benchmark_would_see_a_refusal_that_is_lost(fuzz: ModuleType) -> None:
    allowed = Recorded(page=Response(headers=(Header("Content-Usage", "train-ai=y"),)))

    assert "became allow" in fuzz.fault_of(fuzz.Case("header", allowed, "generative-training", ("deny",)))


@pytest.mark.slow
def test_bent_pictures_with_manifests_never_permit_what_was_refused(
    signed_picture: Callable[..., bytes], fuzz: ModuleType
) -> None:
    rng = random.Random(0)
    pictures = [signed_picture(word) for word in ("notAllowed", "constrained")]

    for number in range(1000):
        raw = fuzz.bend(rng, pictures[number % 2])
        assert combine(read_embedded(raw, "a.jpg")).answers["generative-training"] != "allow"


ENORMOUS = {
    "page": [
        b"<html>" + b"<meta name=" * 20_000,
        b"<html>" + b"<!--" * 50_000,
        b"<html><!-- <meta " + b"x" * 60_000,
        b"<html>" + b"<script>" * 50_000,
    ],
    "robots": [b"User-agent: GPTBot\nDisallow: /a\n" * 4_000, b"User-agent: GPTBot\nDisallow: /" + b"*a" * 20_000],
    "tdmrep": [
        b"[" * 200_000,
        b"tdm-reservation:" + b" " * 60_000,
        b'[{"location":"/b*c*d"},' * 1 + b'{"location":"/z"},' * 10_000 + b"{}]",
    ],
    "licence": [b"<prohibits " * 20_000, b"<rsl>" + b"<content url='/'>" * 10_000, b"<a>" * 20_000 + b"</a>" * 20_000],
    "xmp": [
        b"DataMining" + b"<rdf:RDF " * 50_000,
        b"<rdf:RDF tdm:reservation=" + b" " * 60_000,
        b"PK.opf",
        b"<html>" + b"<meta '" * 10_000,
        b"%PDF-" + b"/Type /Metadata " * 20_000,
    ],
}


def test_enormous_and_nested_input_takes_no_longer_than_its_size() -> None:
    """Each of these took minutes in a reader that looks back: some twenty inputs of up to 0.6 MB."""
    began = time.process_time()

    for place, bodies in ENORMOUS.items():
        for body in bodies:
            response = Response(status=200, body=body)
            parts = {
                "page": response if place in ("page", "xmp") else None,
                "robots": response if place == "robots" else None,
                "tdmrep": response if place == "tdmrep" else None,
            }
            licences = (response,) if place == "licence" else ()
            assert set(resolve(Recorded(url="https://example.org/a", licences=licences, **parts)).answers) == set(USES)

    assert time.process_time() - began < 10
