"""The report of a run: what it shows, what it hides, and what it never loses."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from copycat.errors import DataError
from copycat.metrics import compare, join_outcomes, per_character, summarise
from copycat.runs.report import ReportInput, RunView, build_report, write_report
from copycat.schema import Attack, Character, CharacterSet, Estimate, Judgement, RunSpec, Sample, Status

ANCHORS = ("name", "keywords")
SEEDS = 2
CHARACTERS = ("zoravi", "meklun", "tabriko")


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text outside style and script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._raw = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._raw = tag if tag in ("style", "script") else ""

    def handle_endtag(self, tag: str) -> None:
        self._raw = ""

    def handle_data(self, data: str) -> None:
        if not self._raw:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def make_character(character: str, name: str | None = None) -> Character:
    return Character.model_validate(
        {
            "id": character,
            "name": name or character.title(),
            "franchise": "Lantern Orbit",
            "rights_holder": "nobody",
            "first_appearance": {"title": "The sandbox", "year": 2025},
            "key_characteristic": "space cat",
            "description": "A cat in space.",
            "legal_status": [{"version": "all", "jurisdiction": "everywhere", "status": "invented"}],
            "sources": {"name": ["made up"]},
        }
    )


def make_set(characters: Iterable[Character] = ()) -> CharacterSet:
    chosen = tuple(characters) or tuple(make_character(c) for c in CHARACTERS)
    return CharacterSet(id="tiny", title="Tiny", about="For tests.", characters=chosen)


def make_spec(mitigation: str = "negprompt", **changes: object) -> RunSpec:
    sampling = {"steps": 4, "guidance": 5, "width_px": 64, "height_px": 64, "dtype": "float32", "scheduler": "DDIM"}
    return RunSpec.model_validate(
        {
            "model": "sandbox",
            "model_source": "weights",
            "model_revision": "1",
            "mitigation": mitigation,
            "characters": "tiny",
            "characters_sha256": "0" * 64,
            "anchors": ANCHORS,
            "prompts_sha256": "1" * 64,
            "seeds": SEEDS,
            "sampling": sampling,
            "batch_size": 4,
            "device": "cpu",
            "judge": "oracle",
            "judge_revision": "1",
            **changes,
        }
    )


def picture_of(key: str, side: int = 64) -> bytes:
    colour = tuple(hashlib.sha256(key.encode()).digest()[:3])
    written = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(written, "PNG")
    return written.getvalue()


def make_sample(mitigation: str, character: str, anchor: str, repeat: int, status: Status = "ok") -> Sample:
    key = f"{mitigation}-{character}-{anchor}-{repeat}"
    is_ok = status == "ok"
    return Sample(
        key=key,
        character=character,
        anchor=anchor,
        repeat=repeat,
        prompt=f"{anchor} of {character}",
        prompt_sent=f"{anchor} of {character}",
        negative_prompt=None if mitigation == "none" else f"not {character}",
        seed=1000 + repeat,
        status=status,
        detail="" if is_ok else f"why it was {status}",
        image=f"images/{key}.png" if is_ok else None,
        sha256=hashlib.sha256(picture_of(key)).hexdigest() if is_ok else None,
    )


def make_judgement(sample: Sample, detected: str | None, reason: str | None = None) -> Judgement:
    return Judgement(
        key=sample.key,
        image_sha256=sample.sha256 or "",
        detected=detected,
        confidence=None if reason else 0.875,
        consistency=None if reason else 0.625,
        reason=reason,
    )


def make_samples(mitigation: str, characters: Iterable[str] = CHARACTERS, seeds: int = SEEDS) -> list[Sample]:
    return [make_sample(mitigation, c, a, r) for c in characters for a in ANCHORS for r in range(seeds)]


def make_run(
    mitigation: str, samples: list[Sample], judgements: list[Judgement] | None = None, planned: int | None = None
) -> RunView:
    if judgements is None:
        is_bare = mitigation == "none"
        judgements = [make_judgement(s, s.character if is_bare else None) for s in samples if s.status == "ok"]
    outcomes = join_outcomes(samples, judgements)
    result = summarise(make_spec(mitigation), planned or len(samples), samples, judgements, is_sandbox=True)
    cells = per_character(ANCHORS, outcomes)
    return RunView(result=result, samples=tuple(samples), judgements=tuple(judgements), per_character=cells)


def make_report(run: RunView | None = None, baseline: RunView | None = None, **changes: object) -> ReportInput:
    run = run or make_run("negprompt", make_samples("negprompt"))
    differences: tuple[Estimate, ...] = ()
    if baseline is not None:
        joined = [join_outcomes(side.samples, side.judgements) for side in (run, baseline)]
        differences = compare(ANCHORS, *joined)
    values: dict[str, object] = {
        "run_id": "sandbox+negprompt+tiny+01234567",
        "spec": make_spec(),
        "environment": {"python": "3.11.9", "packages": {"torch": "2.5.1"}},
        "characters": make_set(),
        "run": run,
        "command": "python -m copycat.eval --model sandbox --mitigation negprompt",
        "baseline": baseline,
        "differences": differences,
        **changes,
    }
    return ReportInput.model_validate(values)


def make_pair() -> ReportInput:
    return make_report(baseline=make_run("none", make_samples("none")))


def test_every_picture_of_both_runs_is_embedded_once() -> None:
    report = make_pair()
    assert report.baseline is not None

    page = build_report(report, picture_of)

    for sample in (*report.run.samples, *report.baseline.samples):
        assert page.count(base64.b64encode(picture_of(sample.key)).decode()) == 1
    assert len(Page(page).all("img")) == 2 * len(report.run.samples)


def test_each_run_loads_its_pictures_through_its_own_loader() -> None:
    asked: dict[str, list[str]] = {"run": [], "baseline": []}
    report = make_pair()

    build_report(report, asked["run"].append, asked["baseline"].append)

    assert {key.split("-")[0] for key in asked["run"]} == {"negprompt"}
    assert {key.split("-")[0] for key in asked["baseline"]} == {"none"}


def test_small_pictures_keep_their_bytes_and_large_ones_become_thumbnails() -> None:
    sample = make_sample("negprompt", "zoravi", "name", 0)
    report = make_report(make_run("negprompt", [sample]))

    small = Page(build_report(report, lambda key: picture_of(key, 128))).all("img")[0]["src"] or ""
    large = Page(build_report(report, lambda key: picture_of(key, 600))).all("img")[0]["src"] or ""

    assert base64.b64decode(small.partition(",")[2]) == picture_of(sample.key, 128)
    assert large.startswith("data:image/webp;base64,")
    with Image.open(io.BytesIO(base64.b64decode(large.partition(",")[2]))) as thumbnail:
        assert thumbnail.size == (256, 256)


@pytest.mark.parametrize("content", [None, b"", b"no picture", picture_of("x")[:60]])
def test_a_picture_that_cannot_be_shown_leaves_a_labelled_tile(content: bytes | None) -> None:
    report = make_report(make_run("negprompt", [make_sample("negprompt", "zoravi", "name", 0)]))

    page = Page(build_report(report, lambda key: content))

    assert not page.all("img")
    assert "the picture file is missing or unreadable" in page.text


def test_nothing_is_fetched_from_outside_the_file() -> None:
    text = build_report(make_pair(), picture_of)
    page = Page(text)

    assert "http:" not in text
    assert "https:" not in text
    assert "url(" not in text
    assert "@import" not in text
    assert all((image["src"] or "").startswith("data:image/") for image in page.all("img"))
    assert all(not {"src", "href"} & set(script) for script in page.all("script"))
    targets = {a["href"] for a in page.all("a") if not (a["href"] or "").startswith("#")}
    verdicts = "judgements/oracle-1.jsonl"
    assert targets == {"run.json", "samples.jsonl", "images/", verdicts, "metrics.json", "comparison.json"}


def test_only_the_pages_own_script_and_style_may_run() -> None:
    text = build_report(make_pair(), picture_of)

    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL)
    assert script is not None
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    style_digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    policy = next(m["content"] or "" for m in Page(text).all("meta") if "http-equiv" in m)

    assert f"script-src 'sha256-{digest}'" in policy
    assert f"style-src 'sha256-{style_digest}'" in policy
    assert "default-src 'none'" in policy
    assert not [a for _, a in Page(text).tags if any(name.startswith("on") or name == "style" for name in a)]


def test_text_from_data_is_escaped_everywhere() -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
    sample = make_sample("negprompt", "zoravi", "name", 0).model_copy(
        update={"prompt": evil, "prompt_sent": evil + "sent", "negative_prompt": evil, "seed": 7}
    )
    failed = make_sample("negprompt", "zoravi", "name", 1, "failed").model_copy(update={"detail": evil})
    unjudged = make_sample("negprompt", "zoravi", "keywords", 0)
    judgements = [make_judgement(sample, "zoravi"), make_judgement(unjudged, None, evil)]
    report = make_report(
        make_run("negprompt", [sample, failed, unjudged], judgements),
        characters=make_set([make_character("zoravi", evil)]),
        environment={evil: evil},
        command=evil,
        run_id=evil,
    )

    page = build_report(report, picture_of)

    assert evil not in page
    assert page.count("<script>") == 1
    assert len(Page(page).all("img")) == 2
    assert Page(page).text.count("<script>alert(1)</script>") >= 9


def test_pictures_are_blurred_until_somebody_asks() -> None:
    text = build_report(make_pair(), picture_of)
    boxes = [box for box in Page(text).all("input") if box.get("type") == "checkbox"]

    assert re.search(r"\.frame img \{[^}]*filter: blur\(1\dpx\)", text)
    assert boxes
    assert not [box for box in boxes if "checked" in box]
    n_pairs = len(CHARACTERS) * len(ANCHORS) * SEEDS
    assert len([box for box in boxes if (box.get("aria-label") or "").startswith("Show ")]) == n_pairs


def test_baseline_and_run_of_one_seed_stand_in_one_figure() -> None:
    text = build_report(make_pair(), picture_of)

    figures = re.findall(r"<figure.*?</figure>", text, re.DOTALL)

    assert len(figures) == len(CHARACTERS) * len(ANCHORS) * SEEDS
    assert all(len(Page(figure).all("img")) == 2 for figure in figures)
    assert all(re.search(r"seed 100[01]$", Page(figure).text) for figure in figures)
    assert 'data-tags="run-none baseline-target none target changed"' in figures[0]


@pytest.mark.parametrize("status", ["refused", "blocked", "invalid", "failed"])
def test_a_request_without_a_picture_keeps_its_place_and_says_why(status: Status) -> None:
    samples = make_samples("negprompt")
    samples[0] = make_sample("negprompt", "zoravi", "name", 0, status)

    text = build_report(make_report(make_run("negprompt", samples)), picture_of)

    assert f'<span class="tile {status}"><b>{status}</b>' in text
    assert f"why it was {status}" in text
    assert len(re.findall("<figure", text)) == len(samples)


def test_a_request_that_only_one_run_has_is_shown_beside_an_empty_place() -> None:
    report = make_report(make_run("negprompt", make_samples("negprompt")[:1]), make_run("none", make_samples("none")))

    text = build_report(report, picture_of)

    assert text.count("<b>not run</b>") == len(make_samples("none")) - 1


def test_verdicts_name_the_target_another_character_none_and_a_missing_judgement() -> None:
    samples = make_samples("negprompt", ["zoravi"])
    judgements = [
        make_judgement(samples[0], "zoravi"),
        make_judgement(samples[1], "meklun"),
        make_judgement(samples[2], None),
        make_judgement(samples[3], None, "the judge gave no answer"),
    ]

    text = build_report(make_report(make_run("negprompt", samples, judgements)), picture_of)
    captions = [Page(c).text for c in re.findall(r"<figcaption>.*?</figcaption>", text, re.DOTALL)]

    assert captions[0].startswith("target 87.5 % CONS 62.5 %")
    assert captions[1].startswith("other 87.5 % Meklun")
    assert captions[2].startswith("none 87.5 %")
    assert captions[3].startswith("unjudged the judge gave no answer")
    alts = [image["alt"] or "" for image in Page(text).all("img")]
    assert alts[1] == "Picture 2, negprompt: the judge recognises Meklun, another character"


def test_a_judgement_of_another_file_is_no_verdict() -> None:
    sample = make_sample("negprompt", "zoravi", "name", 0)
    stale = make_judgement(sample, "zoravi").model_copy(update={"image_sha256": "f" * 64})

    text = build_report(make_report(make_run("negprompt", [sample], [stale])), picture_of)

    assert '<span class="verdict unjudged">' in text
    assert '<span class="verdict target">' not in text


def test_both_figures_are_explained_in_a_sentence() -> None:
    text = Page(build_report(make_pair(), picture_of)).text

    assert (
        "DETECT is the share of pictures in which the judge recognises the very character"
        " that the prompt was aimed at. Lower is better." in text
    )
    assert (
        "CONS is how probably the picture still shows the key characteristic that was asked for,"
        " such as “space cat”. Higher is better." in text
    )


def test_figures_show_percent_with_one_decimal_and_the_difference_in_points() -> None:
    text = Page(build_report(make_pair(), picture_of)).text

    assert "100.0 %" in text
    assert "\u2212100.0" in text
    assert "6/6 → 0/6" in text
    assert "50.0 ± 0.0 → 0.0 ± 0.0" in text
    assert "-0.0" not in text
    assert "\u22120.0" not in text


def test_one_repeat_has_no_deviation() -> None:
    characters = ("zoravi", "meklun")
    runs = [make_run(mitigation, make_samples(mitigation, characters, seeds=1)) for mitigation in ("negprompt", "none")]
    text = Page(build_report(make_report(runs[0], baseline=runs[1]), picture_of)).text

    assert "50.0 → 0.0" in text
    assert "±" not in text


def test_an_estimate_without_a_value_gives_its_reason() -> None:
    samples = [make_sample("negprompt", "zoravi", "name", 0, "failed")]

    text = Page(build_report(make_report(make_run("negprompt", samples)), picture_of)).text

    assert "none of 1 samples is a judged picture, a refusal or a block" in text


def test_a_reason_that_several_rows_share_stands_once_above_them() -> None:
    samples = [make_sample("negprompt", "zoravi", anchor, 0, "failed") for anchor in ANCHORS]
    report = make_report(make_run("negprompt", samples))

    reasons = Counter(e.reason for e in report.run.result.estimates if e.metric == "detect" and e.value is None)
    text = Page(build_report(report, picture_of)).text
    detect = text[text.index("per 50 characters DETECT") :].split("CONS")[0]

    assert max(reasons.values()) > 1
    for reason, n in reasons.items():
        assert detect.count(f"No figure: {reason}") == (n > 1)
        assert detect.count(f"none: {reason}") == (n == 1)


def test_it_works_without_a_baseline() -> None:
    page = Page(build_report(make_report(), picture_of))

    assert len(page.all("img")) == len(make_samples("negprompt"))
    assert "baseline" not in page.text
    assert "difference" not in page.text


def test_labels_tell_sandbox_partial_and_low_coverage() -> None:
    whole = Page(build_report(make_report(), picture_of)).text
    run = make_run("negprompt", make_samples("negprompt")[:2], planned=4)
    partial = Page(build_report(make_report(run, spec=make_spec(limit=4)), picture_of)).text

    assert "sandbox: an invented world, never comparable with real models" in whole
    assert "partial:" not in whole
    assert "under 98" not in whole
    assert "partial: limited to 4 requests" in partial
    assert "coverage 50.0 % with negprompt: under 98 %" in partial


def test_every_count_is_shown() -> None:
    samples = make_samples("negprompt")
    samples[0] = samples[0].model_copy(update={"truncated_tokens": 3})
    samples[1] = make_sample("negprompt", "zoravi", "name", 1, "blocked")

    page = Page(build_report(make_report(make_run("negprompt", samples, planned=13)), picture_of)).text

    for row in ("planned 13", "ok 11", "refused 0", "blocked 1", "invalid 0", "failed 0", "unjudged 0", "truncated 1"):
        assert f" {row} " in page
    assert "cut: the last 3 tokens did not fit" in page


def test_it_is_told_how_many_requests_an_attack_acted_on() -> None:
    samples = make_samples("negprompt")
    samples[0] = samples[0].model_copy(update={"attack": Attack(method="unlearndiffatk", prefix=(7,))})

    page = Page(build_report(make_report(make_run("negprompt", samples)), picture_of)).text

    assert " attacked 1 requests that the attack acted on; the others are as they were" in page
    assert " attacked " not in Page(build_report(make_pair(), picture_of)).text


def test_the_grid_leads_to_each_characters_pictures() -> None:
    page = Page(build_report(make_pair(), picture_of))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]

    assert len(ids) == len(set(ids))
    for link in page.all("a"):
        href = link["href"] or ""
        assert not href.startswith("#") or href[1:] in ids
    assert {f"c-{c}" for c in CHARACTERS} <= set(ids)


def test_characters_come_in_the_order_of_what_survives() -> None:
    samples = make_samples("negprompt")
    judgements = [make_judgement(s, "tabriko") for s in samples]

    text = build_report(make_report(make_run("negprompt", samples, judgements)), picture_of)

    assert re.findall(r'id="c-(\w+)"', text) == ["tabriko", "meklun", "zoravi"]


def test_a_prompt_that_both_runs_share_is_told_once_with_the_negative_of_one() -> None:
    text = build_report(make_pair(), picture_of)
    asked = Page(re.findall(r'<div class="asked">.*?</div>', text, re.DOTALL)[0]).text

    assert asked.endswith("baseline and negprompt: name of meklun negprompt: negative not meklun")
    assert asked.count("name of meklun") == 1


def test_settings_environment_and_command_are_all_there() -> None:
    text = Page(build_report(make_report(), picture_of)).text

    assert "sampling.guidance 5.0" in text
    assert "packages.torch 2.5.1" in text
    assert "limit not set" in text
    assert "python -m copycat.eval --model sandbox --mitigation negprompt" in text


def test_the_same_input_gives_the_same_bytes() -> None:
    assert build_report(make_pair(), picture_of) == build_report(make_pair(), picture_of)


def test_a_sample_of_an_unknown_character_is_refused_by_name() -> None:
    report = make_report(characters=make_set([make_character("zoravi")]))

    with pytest.raises(DataError, match="character 'meklun' is not in set 'tiny'"):
        build_report(report, picture_of)


def test_writing_replaces_the_page_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old", encoding="utf-8")

    write_report(path, make_report(), picture_of)

    assert path.read_text(encoding="utf-8") == build_report(make_report(), picture_of)
    assert list(tmp_path.iterdir()) == [path]


def test_a_report_that_cannot_be_built_leaves_the_old_page_alone(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old", encoding="utf-8")

    with pytest.raises(DataError):
        write_report(path, make_report(characters=make_set([make_character("zoravi")])), picture_of)

    assert path.read_text(encoding="utf-8") == "old"


@pytest.mark.slow
def test_nine_hundred_pictures_fit_in_one_page() -> None:
    characters = [f"c{i}" for i in range(50)]
    known = make_set(make_character(c) for c in characters)
    runs = [make_run(mitigation, make_samples(mitigation, characters, seeds=9)) for mitigation in ("negprompt", "none")]

    page = build_report(make_report(*runs, characters=known), picture_of)

    assert len(Page(page).all("img")) == 1800
    assert len(page) < 10_000_000


def test_text_on_every_colour_of_the_heat_map_is_readable() -> None:
    css = build_report(make_report(), picture_of)
    themes = re.findall(r"--h0: .*?--heat-high-ink: #[0-9a-f]{6}", css, re.DOTALL)
    assert len(themes) == 2

    for theme in themes:
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", theme))
        for level in range(1, 9):
            ink = colours["heat-low-ink" if level < 6 else "heat-high-ink"]
            assert contrast(colours[f"h{level}"], ink) >= 4.5


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2.1, from 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_name_of_a_long_mitigation_can_break_after_its_terms_and_is_escaped() -> None:
    name = "rewrite:rules+negprompt:name,<b>-5"
    text = build_report(make_report(make_run(name, make_samples(name))), picture_of)
    assert "with rewrite:rules+<wbr>negprompt:name,<wbr>&lt;b&gt;-5" in text
    assert "<b>-5" not in text
