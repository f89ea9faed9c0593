"""What the report shows, worked out before the template sees it: pure, records in, records out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from copycat.errors import DataError
from copycat.metrics import ALL_ANCHORS, join_outcomes
from copycat.metrics.texts import METRIC_TEXTS, text_of
from copycat.models.frames import columns_of
from copycat.runs.changes import changes_of
from copycat.runs.report_pictures import picture_data_uri
from copycat.runs.report_records import (
    Entry,
    FigureGroup,
    FigureRow,
    Half,
    Pair,
    PictureLoader,
    PromptSent,
    ReportInput,
    RunView,
    Strip,
    Tile,
    Verdict,
    Who,
)
from copycat.schema import Character, CharacterSet, Judgement, Sample

HEAT_LEVELS = 8
_DIFFERENCE = "_difference"
_Sent = tuple[str, str | None, tuple[str, ...]]
"""A prompt, a negative prompt, and what else acted."""


def build_figures(report: ReportInput) -> tuple[FigureGroup, ...]:
    """Arrange every estimate of both runs by metric and anchor; no estimate is left out."""
    runs = [report.run] + ([report.baseline] if report.baseline else [])
    found = {e.metric for run in runs for e in run.result.estimates if not e.metric.endswith(_DIFFERENCE)}
    metrics = [m for m in METRIC_TEXTS if m in found] + sorted(found - set(METRIC_TEXTS))
    return tuple(
        FigureGroup(metric=m, name=text_of(m).name, meaning=text_of(m).meaning, rows=_figure_rows(report, m))
        for m in metrics
    )


def build_entries(report: ReportInput, load: PictureLoader, load_baseline: PictureLoader) -> tuple[Entry, ...]:
    """Arrange every sample of both runs by character, anchor and repeat.

    Characters come in the order of what survives: most often recognised in the run first, then in
    the baseline. Those without a sample (a limited run) are left out.

    Raises:
        DataError: a sample names a character that is not in the set.
    """
    sides = [_Side(report, report.run, load)]
    if report.baseline is not None:
        sides.append(_Side(report, report.baseline, load_baseline))
    _require_known_characters(report.characters, sides)
    anchors = _anchors(report, sides)
    entries = [_entry(character, anchors, sides) for character in report.characters.asked]
    return tuple(sorted((e for e in entries if e.strips), key=_survival))


class _Side:
    """One run, indexed."""

    def __init__(self, report: ReportInput, run: RunView, load: PictureLoader) -> None:
        self.load, self.folder = load, run.folder
        self.columns = columns_of(len(report.spec.sampling.kept_frames or (0,)))
        self.names = {c.id: c.name for c in report.characters.characters}
        outcomes = join_outcomes(run.samples, run.judgements)
        self.verdicts = {row.sample.key: row.judgement for row in outcomes.rows}
        self.reasons = {j.key: j.reason for j in run.judgements}
        self.figures = {(f.character, f.anchor): f for f in run.per_character}
        self.samples: dict[tuple[str, str], dict[int, Sample]] = {}
        for sample in run.samples:
            self.samples.setdefault((sample.character, sample.anchor), {})[sample.repeat] = sample

    def half(self, character: str, anchor: str) -> Half:
        figure = self.figures.get((character, anchor))
        return _half(figure.k, figure.n, figure.consistency) if figure else _half(0, 0)

    def tile(self, sample: Sample | None) -> Tile:
        if sample is None:
            return Tile(status="not run", detail="this run has no such request")
        if sample.status != "ok":
            return Tile(status=sample.status, detail=sample.detail)
        content = self.load(sample.key)
        src = picture_data_uri(content, self.columns) if content is not None else None
        video = f"{self.folder}{sample.video}" if sample.video else None
        judgement = self.verdicts[sample.key]
        if judgement is None:
            reason = self.reasons.get(sample.key) or "no judgement of this picture"
            return Tile(status="ok", verdict="unjudged", detail=reason, src=src, video=video)
        return Tile(
            status="ok",
            verdict=_verdict(sample, judgement),
            seen=self.names.get(judgement.detected, judgement.detected) if judgement.detected else "",
            confidence=judgement.confidence,
            consistency=judgement.consistency,
            src=src,
            video=video,
            frames=_frames_of_target(sample, judgement),
            names=judgement.names,
            closed=judgement.closed,
            flags=judgement.flags or (),
            screening=judgement.screening,
        )


def _entry(character: Character, anchors: Sequence[str], sides: Sequence[_Side]) -> Entry:
    keys = [(character.id, a) for a in anchors if any((character.id, a) in side.samples for side in sides)]
    strips = tuple(_strip(key, sides) for key in keys)
    return Entry(
        character=character,
        strips=strips,
        baseline=_half(sum(s.baseline.k for s in strips), sum(s.baseline.n for s in strips)),
        run=_half(sum(s.run.k for s in strips), sum(s.run.n for s in strips)),
    )


def _strip(key: tuple[str, str], sides: Sequence[_Side]) -> Strip:
    by_repeat = [side.samples.get(key, {}) for side in sides]
    repeats = sorted(set().union(*by_repeat))
    first = next(sample for samples in by_repeat for sample in samples.values())
    return Strip(
        anchor=key[1],
        planned=first.prompt,
        prompts=_prompts_sent(by_repeat),
        pairs=tuple(_pair(repeat, [s.get(repeat) for s in by_repeat], sides) for repeat in repeats),
        baseline=sides[1].half(*key) if len(sides) > 1 else _half(0, 0),
        run=sides[0].half(*key),
    )


def _pair(repeat: int, samples: Sequence[Sample | None], sides: Sequence[_Side]) -> Pair:
    tiles = [side.tile(sample) for side, sample in zip(sides, samples, strict=True)]
    verdicts = [tile.verdict or "nothing" for tile in tiles]
    tags = [f"run-{verdicts[0]}", *(f"baseline-{v}" for v in verdicts[1:]), *verdicts]
    if len({(tile.verdict, tile.seen) for tile in tiles}) > 1:
        tags.append("changed")
    return Pair(
        repeat=repeat,
        seeds=tuple(dict.fromkeys(sample.seed for sample in samples if sample)),
        baseline=tiles[1] if len(tiles) > 1 else None,
        run=tiles[0],
        tags=" ".join(dict.fromkeys(tags)),
    )


def _prompts_sent(by_repeat: Sequence[Mapping[int, Sample]]) -> tuple[PromptSent, ...]:
    """Give the distinct texts that each run was given, the baseline's first; told once where both agree."""
    run, *baseline = [_texts(samples) for samples in by_repeat]
    sides: list[tuple[Who, dict[_Sent, int]]] = [("baseline", texts) for texts in baseline]
    sides = [("both", run)] if baseline == [run] else [*sides, ("run", run)]
    return tuple(
        PromptSent(who=who, text=text, negative=negative, n_cut=n_cut, changes=changes)
        for who, texts in sides
        for (text, negative, changes), n_cut in texts.items()
    )


def _texts(samples: Mapping[int, Sample]) -> dict[_Sent, int]:
    """Each distinct prompt and negative prompt with what else acted, and the most tokens that were cut."""
    texts: dict[_Sent, int] = {}
    for sample in samples.values():
        text = (sample.prompt_sent, sample.negative_prompt, changes_of(sample))
        cut = sample.truncated_tokens + sample.truncated_negative_tokens
        texts[text] = max(texts.get(text, 0), cut)
    return texts


def _verdict(sample: Sample, judgement: Judgement) -> Verdict:
    if judgement.detected is None:
        return "none"
    return "target" if judgement.detected == sample.character else "other"


def _frames_of_target(sample: Sample, judgement: Judgement) -> tuple[int, int] | None:
    if judgement.frames is None:
        return None
    return sum(seen == sample.character for seen in judgement.frames), len(judgement.frames)


def _half(k: int, n: int, consistency: float | None = None) -> Half:
    return Half(k=k, n=n, level=round(HEAT_LEVELS * k / n) if n else None, consistency=consistency)


def _survival(entry: Entry) -> tuple[int, int, str]:
    return (-entry.run.k, -entry.baseline.k, entry.character.name)


def _anchors(report: ReportInput, sides: Sequence[_Side]) -> list[str]:
    seen = sorted({anchor for side in sides for _, anchor in side.samples})
    return list(dict.fromkeys([*report.spec.anchors, *seen]))


def _figure_rows(report: ReportInput, metric: str) -> tuple[FigureRow, ...]:
    run = {e.anchor: e for e in report.run.result.estimates if e.metric == metric}
    baseline_estimates = report.baseline.result.estimates if report.baseline else ()
    baseline = {e.anchor: e for e in baseline_estimates if e.metric == metric}
    differences = {e.anchor: e for e in report.differences if e.metric == metric + _DIFFERENCE}
    known = [a for a in report.spec.anchors if a in run or a in baseline]
    order = dict.fromkeys([*known, *sorted((set(run) | set(baseline)) - {ALL_ANCHORS}), ALL_ANCHORS])
    tests = {t.anchor: t for t in report.tests if t.metric == metric + _DIFFERENCE}
    return tuple(
        FigureRow(anchor=a, baseline=baseline.get(a), run=run.get(a), difference=differences.get(a), test=tests.get(a))
        for a in order
        if a in run or a in baseline
    )


def _require_known_characters(characters: CharacterSet, sides: Sequence[_Side]) -> None:
    unknown = sorted({c for side in sides for c, _ in side.samples} - {c.id for c in characters.asked})
    if unknown:
        raise DataError(
            [f"samples.jsonl: character '{c}' is not in set '{characters.id}'" for c in unknown],
            "the set was changed after the run; run it again, or report it with the set that it was made from",
        )
