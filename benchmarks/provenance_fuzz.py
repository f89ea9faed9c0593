"""Fuzz the readers of signals: nothing may crash, and no refusal may turn into a permission.

    python benchmarks/provenance_fuzz.py [--inputs 100000] [--seed 0]

Half of the inputs are refusals that were changed in ways that must not weaken them: letter case, spaces, other keys,
duplicates, unknown lines, more signals, a cut behind the refusal, bytes that are no text. Each must still be `deny` for
the use that it refused, or (where a cut or noise destroys the refusal itself) at least not `allow`. The other half are
permissions and rubbish, bent at random: they need only not crash, give only uses and answers of ours, and give the same
answer twice. Exit 0 if both counts are 0.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple, get_args

from copycat.provenance.records import USES, Answer, Use
from copycat.provenance.signals import Header, Recorded, Response, resolve

PARTS = ("header", "robots", "tdmrep", "xmp", "rsl", "html")
PLUS = "http://ns.useplus.org/ldf/xmp/1.0/"


class Case(NamedTuple):
    """One input: the part, what it says, the use that it refuses (None: nothing), and which answers it may have."""

    part: str
    recorded: Recorded
    use: Use | None
    may_be: tuple[Answer, ...]


ANY: tuple[Answer, ...] = get_args(Answer)


def any_case(rng: random.Random, text: str) -> str:
    """Give the same letters in any case."""
    return "".join(letter.upper() if rng.random() < 0.5 else letter.lower() for letter in text)


def spaces(rng: random.Random) -> str:
    """Give some white space, mostly none."""
    return "".join(rng.choice(" \t") for _ in range(rng.choice((0, 0, 1, 3))))


def noise(rng: random.Random, size: int = 12) -> str:
    """Give letters of all kinds."""
    pool = "abcyn01=,;:\"'{}[]<>/*$#%&?! \t\\\u00e9\u4e2d\u200b\ufeff\x00\x1b\x7f💥"
    return "".join(rng.choice(pool) for _ in range(rng.randrange(size)))


def entities(rng: random.Random, text: str) -> str:
    """Give the same letters, some as entities of HTML."""
    return "".join(f"&#{ord(letter)};" if rng.random() < 0.2 else letter for letter in text)


def word(rng: random.Random) -> str:
    """Give a harmless word."""
    return rng.choice(("foo", "bar", "nofollow", "x-thing", "max-age", "cat", "indexes"))


# ------------------------------------------------------------------------------------- refusals


def denied_header(rng: random.Random) -> tuple[list[Header], Use]:
    """Give headers of which one refuses, in some form."""
    kind = rng.randrange(4)
    if kind == 0:
        value = rng.choice(("noai", "noimageai", "no-ai", "NoAI"))
        many = [value, *(word(rng) for _ in range(rng.randrange(3)))]
        rng.shuffle(many)
        name, value, use = (
            "X-Robots-Tag",
            any_case(rng, (rng.choice((", ", ",", "; ")) + spaces(rng)).join(many)),
            "training",
        )
    elif kind == 1:
        value = rng.choice(("1", "1, 1", '"1"', "1;a=b", "0, 1", "1,"))
        name, use = "TDM-Reservation", "mining"
    elif kind == 2:
        key = any_case(rng, "train-ai") if rng.random() < 0.5 else "train-ai"
        value = f"{key}={rng.choice(('n', 'no', 'N', '?0', chr(34) + 'n' + chr(34)))}"
        more = [f"{word(rng)}={rng.choice('yn')}" for _ in range(rng.randrange(3))] + ["train-ai=y"] * rng.randrange(2)
        many = [value, *more]
        rng.shuffle(many)
        name, value, use = "Content-Usage", (spaces(rng) + "," + spaces(rng)).join(many), "generative-training"
    else:
        many = [any_case(rng, "ai-train") + "=" + any_case(rng, "no"), *(["search=yes"] * rng.randrange(2))]
        rng.shuffle(many)
        name, value, use = "Content-Signal", ",".join(many), "training"
    name = rng.choice((name, name, name.replace("-", "_"), f"HTTP_{name}", f"\ufeff{name}:", name.replace("-", " - ")))
    value = rng.choice((value, value, value.replace("train-ai", "train_ai"), f"\r\n {value}"))
    if rng.random() < 0.0003:
        value = "x=1," * 20_000 + value if use != "mining" else value
    headers = [Header(spaces(rng) + any_case(rng, name) + spaces(rng), spaces(rng) + value + spaces(rng))]
    headers += [Header(name, rng.choice(("all", "0", "train-ai=y", "ai-train=yes")))] * rng.randrange(2)
    headers += [Header(word(rng), noise(rng)) for _ in range(rng.randrange(3))]
    rng.shuffle(headers)
    return headers, use  # type: ignore[return-value]


def denied_robots(rng: random.Random) -> tuple[str, Use]:
    """Give a robots.txt that refuses everything to an agent, or by a preference."""
    agent, use = rng.choice(
        (("GPTBot", "training"), ("CCBot", "mining"), ("*", "search"), ("PerplexityBot", "inference"))
    )
    names = [agent, *(word(rng) for _ in range(rng.randrange(3)))]
    rng.shuffle(names)
    lines = []
    for name in names:
        lines.append(f"{any_case(rng, 'user-agent')}{spaces(rng)}:{spaces(rng)}{any_case(rng, name)}{spaces(rng)}")
        if rng.random() < 0.3:
            lines.append(
                rng.choice(("Crawl-delay: 3", "Foo: bar", "# a comment", "", "nonsense", noise(rng).replace(":", "")))
            )
    lines.append(f"{any_case(rng, 'disallow')}{spaces(rng)}:{spaces(rng)}/{spaces(rng)}" + rng.choice(("", "# all")))
    before = [f"User-agent: {word(rng)}", "Allow: /", ""] if rng.random() < 0.5 else []
    after = ["", f"User-agent: {word(rng)}x", "Allow: /", f"Sitemap: {noise(rng)}"] if rng.random() < 0.5 else []
    if rng.random() < 0.1 and agent != "*":
        lines[0] = f"User-agent: {rng.choice(('DuckDuckBot, ', 'Mozilla/5.0 (compatible; ', chr(34)))}{agent}{chr(34)}"
    if rng.random() < 0.0003:
        before = ["# " + "x" * 500_000, ""]
    if rng.random() < 0.2:
        rule = f"{any_case(rng, 'content-usage')}:{spaces(rng)}/ train-ai=n"
        before, lines, after, use = [], ["User-agent: *", rule], [], "generative-training"
    return rng.choice(("\n", "\r\n", "\r")).join([*before, *lines, *after, ""]), use  # type: ignore[return-value]


def denied_tdmrep(rng: random.Random) -> tuple[str, Use]:
    """Give a tdmrep.json whose first match reserves."""
    rule = {
        any_case(rng, "location"): rng.choice(("/", "/*", "*", "/a*", "a/")),
        "tdm-reservation": rng.choice((1, "1", True)),
    }
    pairs = list(rule.items())
    pairs += [(word(rng), noise(rng)) for _ in range(rng.randrange(2))]
    pairs += [("tdm-reservation", 0)] * rng.randrange(2)
    rng.shuffle(pairs)
    text = "{" + ",".join(f"{json.dumps(key)}:{spaces(rng)}{json.dumps(value)}" for key, value in pairs) + "}"
    silent = ['{"location": "/"}', '{"location": "https://other.example/", "tdm-reservation": 0}']
    if rng.random() < 0.3:
        return spaces(rng) + "[" + ",".join([rng.choice(silent), text]) + "]", "mining"
    others = [json.dumps({"location": "/zzz", "tdm-reservation": 0})] * rng.randrange(2)
    later = [json.dumps({"location": "/", "tdm-reservation": 0})] * rng.randrange(2)
    return spaces(rng) + "[" + ",\n".join([*others, text, *later]) + "]", "mining"


def denied_xmp(rng: random.Random) -> tuple[str, Use]:
    """Give an XMP packet that prohibits."""
    term = rng.choice(("DMI-PROHIBITED", "DMI-PROHIBITED-AIMLTRAINING", "DMI-PROHIBITED-SEECONSTRAINT"))
    value = rng.choice(("http://ns.useplus.org/ldf/vocab/", "")) + term
    prefix = rng.choice(("plus", "p", "PLUS"))
    name = f"{prefix}:DataMining"
    inside = rng.choice(
        (
            value,
            f"<rdf:Bag><rdf:li>DMI-ALLOWED</rdf:li><rdf:li>{value}</rdf:li></rdf:Bag>",
            f'<rdf:Description rdf:value="{value}"/>',
            f"<![CDATA[{value}]]>",
            value.replace("DMI", "&#68;MI"),
        )
    )
    said = f'{name}="{value}"/>' if rng.random() < 0.3 else f"><{name}>{spaces(rng)}{inside}</{name}></rdf:Description>"
    inner = f'<rdf:Description xmlns:{prefix}="{PLUS}" {said}'
    more = '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" dc:title="x"/>' * rng.randrange(3)
    packet = f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">{more}{inner}{more}</rdf:RDF>'
    wrapped = f'<x:xmpmeta xmlns:x="adobe:ns:meta/">{packet}</x:xmpmeta>' if rng.random() < 0.7 else packet
    return noise(rng).replace("<", "") + wrapped + noise(rng).replace("<", ""), "training"


def denied_rsl(rng: random.Random) -> tuple[str, Use]:
    """Give a licence that prohibits training, beside offers that permit it."""
    offer = "<license><permits type='usage'>all</permits><payment type='free'/></license>"
    refusal = (
        f"<license><prohibits type='usage'>{rng.choice(('ai-train', 'all', 'search, ai-all'))}</prohibits></license>"
    )
    refusal = rng.choice((refusal, refusal[9:-10], refusal.replace("-", "_"), refusal.replace("license", "licence")))
    licences = [refusal, *[offer] * rng.randrange(3)]
    rng.shuffle(licences)
    name = rng.choice((' xmlns="https://rslstandard.org/rsl"', ""))
    inner = f"<{word(rng)}/>" * rng.randrange(2) + "".join(licences)
    address = rng.choice(("/", "/*", "", "https://example.org/*", "https://example.org/"))
    return f"<rsl{name}>{spaces(rng)}<content url='{address}'>{inner}</content></rsl>", "training"


def denied_html(rng: random.Random) -> tuple[str, Use]:
    """Give a page whose meta tags refuse."""
    name, content, use = rng.choice(
        (("robots", "noai", "training"), ("tdm-reservation", "1", "mining"), ("GPTBot", "noai", "training"))
    )
    quote = rng.choice("\"'")
    attributes = [
        f"{any_case(rng, 'name')}={quote}{any_case(rng, name)}{quote}",
        f"content{spaces(rng)}={spaces(rng)}{quote}{entities(rng, content)}{quote}",
        rng.choice((word(rng), f'title="a > b {word(rng)}"', f'style="{"x" * rng.choice((1, 9, 9000))}"')),
    ]
    rng.shuffle(attributes)
    if rng.random() < 0.2:
        attributes.append("content=all")
    tag = f"<{any_case(rng, 'meta')} {' '.join(attributes)}{rng.choice(('>', '/>', ' >'))}"
    tag = rng.choice((tag, tag, f"<noscript>{tag}</noscript>", f"<!-- {tag.replace(' > ', ' ')} -->"))
    tag = "x" * 500_000 * (rng.random() < 0.0003) + tag
    junk = noise(rng, 30).replace("<", "").replace("!", "")
    return f"<html><head>{junk}<title>{junk}</title>{tag}{noise(rng, 30)}", use  # type: ignore[return-value]


MAKERS: dict[str, Callable[[random.Random], tuple[str, Use]]] = {
    "robots": denied_robots,
    "tdmrep": denied_tdmrep,
    "xmp": denied_xmp,
    "rsl": denied_rsl,
    "html": denied_html,
}


# ------------------------------------------------------------------------------------- changes


def bend(rng: random.Random, raw: bytes) -> bytes:
    """Change bytes at random: flip, cut, double, insert."""
    data = bytearray(raw)
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(4)
        if kind == 0 and data:
            data[at % len(data)] = rng.randrange(256)
        elif kind == 1:
            del data[at : at + rng.randrange(8)]
        elif kind == 2:
            data[at:at] = data[max(0, at - rng.randrange(20)) : at]
        else:
            data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(6)))
    return bytes(data)


def recorded(part: str, raw: bytes, headers: list[Header], more: Recorded | None = None) -> Recorded:
    """Put a part in its place."""
    base = more or Recorded()
    response = Response(status=200, body=raw)
    page = Response(status=200, headers=tuple(headers), body=raw if part in ("xmp", "html") else b"")
    return Recorded(
        url="https://example.org/a/b.jpg",
        page=page if part in ("xmp", "html", "header") else base.page,
        robots=response if part == "robots" else base.robots,
        tdmrep=response if part == "tdmrep" else base.tdmrep,
        licences=(response,) if part == "rsl" else base.licences,
    )


PERMITS = {
    "header": Recorded(page=Response(headers=(Header("Content-Usage", "train-ai=y, search=y, ai-use=y"),))),
    "robots": Recorded(robots=Response(status=200, body=b"User-agent: *\nAllow: /\nContent-Signal: ai-train=yes\n")),
    "rsl": Recorded(licences=(Response(status=200, body=b"<rsl><content url='/'><license><permits type='usage'>all"
                                       b"</permits></license></content></rsl>"),)),
}  # fmt: skip
"""Permissions of other forms, which a refusal must survive."""


def refusal(rng: random.Random) -> Case:
    """Give a refusal, changed in a way that must not weaken it."""
    part = rng.choice(PARTS)
    more = rng.choice((None, *[permit for name, permit in PERMITS.items() if name != part]))
    if part == "header":
        headers, use = denied_header(rng)
        return Case(part, recorded(part, b"", headers, more), use, ("deny",))
    text, use = MAKERS[part](rng)
    raw = text.encode("utf-8", "replace")
    change = rng.randrange(4)
    if change == 0 and part in ("robots", "html"):
        raw += bytes(rng.randrange(256) for _ in range(rng.randrange(40)))
    elif change == 1 and part in ("robots", "html", "tdmrep", "rsl"):
        raw = text.encode(rng.choice(("utf-8-sig", "utf-16")), "replace")
    elif change == 2:
        cut = raw[: rng.randrange(len(raw) + 1)]
        return Case(part, recorded(part, cut, [], more), use, ("deny", "unknown") if more is None else ANY)
    return Case(part, recorded(part, raw, [], more), use, ("deny",))


def rubbish(rng: random.Random) -> Case:
    """Give something bent at random; nothing is known of what it says."""
    part = rng.choice(PARTS)
    if part == "header":
        headers, _ = denied_header(rng)
        bent = [Header(name, bend(rng, value.encode("utf-8", "replace")).decode("latin-1")) for name, value in headers]
        return Case(part, recorded(part, b"", bent), None, ANY)
    text, _ = MAKERS[part](rng)
    return Case(part, recorded(part, bend(rng, text.encode("utf-8", "replace")), []), None, ANY)


def fault_of(case: Case) -> str:
    """Say what is wrong with the answer to an input; "" where nothing is."""
    try:
        decision = resolve(case.recorded)
        again = resolve(case.recorded)
    except Exception:  # noqa: BLE001 - any is what is looked for
        return f"crash: {traceback.format_exc()}"
    if set(decision.answers) != set(USES) or not set(decision.answers.values()) <= set(ANY) or decision != again:
        return f"crash: answers that are none, or not the same twice: {decision.answers}"
    if case.use is not None and decision.answers[case.use] not in case.may_be:
        return f"weaker: a refusal of {case.use} became {decision.answers[case.use]}"
    return ""


def main(arguments: list[str] | None = None) -> int:
    """Run, print counts and time, and give the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=5)
    options = parser.parse_args(arguments)
    rng = random.Random(options.seed)
    began = time.perf_counter()
    counts: Counter[str] = Counter()
    for number in range(options.inputs):
        case = (refusal if number % 2 == 0 else rubbish)(rng)
        counts[case.part] += 1
        fault = fault_of(case)
        if fault:
            kind = fault.split(":", maxsplit=1)[0]
            counts[kind] += 1
            if counts[kind] <= options.show:
                print(f"{fault}\n  {case.part}: {case.recorded!r}\n", file=sys.stderr)
    seconds = time.perf_counter() - began
    parts = ", ".join(f"{part} {counts[part]:,}" for part in PARTS)
    print(f"{options.inputs:,} inputs (seed {options.seed}): {parts}")
    print(f"crashes {counts['crash']}, refusals weakened {counts['weaker']}, {seconds:.1f} s")
    return 1 if counts["crash"] or counts["weaker"] else 0


if __name__ == "__main__":
    sys.exit(main())
