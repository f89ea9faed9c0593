"""Rerank by the generator: of many prompts for a character, which bring it back, and which cannot be told apart.

All prompts of a character are drawn from the same seeds, so that their pictures are pairs. Two questions, each
answered so that all of its answers for a character hold together in 95 of 100 cases:

    does it trigger?        exact intervals of level 1 - 0.05/m for m prompts (Bonferroni)
    is the best better?     McNemar's exact test on pairs of pictures, adjusted by Holm for all pairs of prompts; all,
                            not only those with the best, because the best was picked by the same pictures
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field, ValidationError

from copycat.catalog import PromptSet, build_prompts, parse_anchor, prompt_set_of, with_lists
from copycat.discovery.candidates import FORMS, from_list, read_file
from copycat.discovery.drawing import About, Hits, Lab, LabJob, Shots, chosen_characters, open_lab
from copycat.discovery.filters import Filter
from copycat.discovery.triggers import TriggerReport, tally_of
from copycat.errors import DataError, UserError
from copycat.metrics.intervals import Interval
from copycat.metrics.significance import LEVEL, holm, mcnemar_exact
from copycat.paths import shown
from copycat.runs.folder import write_json
from copycat.schema import CharacterSet, Estimate, Record

REPORT = "rerank.json"

Answer = Literal["yes", "no", "open"]


class RerankJob(LabJob):
    """What the user asked for.

    `sources` are files of prompts, the triggers.json of a search, lists of descriptions, or anchors such as
    'keywords:cooccurrence-5'. `target` is the rate from which a prompt counts as a trigger.
    """

    sources: tuple[str, ...]
    seeds: int = Field(default=20, ge=1)
    target: float = Field(default=0.5, gt=0, lt=1)


class Reranked(Record):
    """One prompt with its figures.

    `detect` has an interval that holds for all prompts of the character together. `triggers`: whether that interval
    lies from the target up ("yes"), below it ("no"), or across ("open"). `p_holm` is of the test against the best,
    null for the best itself; `tells` says what in the prompt gives the character away, null for an innocent one.
    """

    prompt: str
    detect: Estimate
    triggers: Answer
    p_holm: float | None
    is_best: bool
    tells: str | None = None


class Ranking(Record):
    """The prompts of one character, the highest DETECT first; no test tells those of `not_worse` from the best."""

    character: str
    prompts: tuple[Reranked, ...]
    not_worse: tuple[str, ...]


class RerankReport(Record):
    """rerank.json: what drew and judged, and the rankings."""

    schema_version: int = 1
    lab: About
    sources: tuple[str, ...]
    seeds: int
    target: float
    level: float = LEVEL
    is_sandbox: bool
    rankings: tuple[Ranking, ...]


class Comparison(NamedTuple):
    """What was found of each prompt, in the order in which the prompts were given."""

    intervals: list[Interval]
    best: int
    p_holm: list[float | None]

    @property
    def not_worse(self) -> list[int]:
        """Give the places of the prompts that cannot be told from the best, itself among them."""
        return [place for place, p in enumerate(self.p_holm) if p is None or p > LEVEL]


def rerank_by_generator(job: RerankJob, advance: Callable[[int], object] = lambda _: None) -> RerankReport:
    """Draw every prompt of every character, rank them, and write `<out>/rerank.json`; the same call resumes.

    Raises:
        UserError: anything that the user must fix; nothing is drawn then.
    """
    lab = open_lab(job, advance=advance)
    characters = lab.stage.characters
    try:
        prompts = find_prompts(job, characters)
        lab.expect(sum(map(len, prompts.values())) * job.seeds)
        rankings = rerank(lab, prompts, job.seeds, job.target)
    finally:
        lab.close()
    report = RerankReport(
        lab=lab.about,
        sources=job.sources,
        seeds=job.seeds,
        target=job.target,
        is_sandbox=characters.is_sandbox,
        rankings=tuple(rankings),
    )
    write_json(job.out / REPORT, report.model_dump(mode="json"))
    return report


def rerank(lab: Lab, candidates: Mapping[str, Sequence[str]], seeds: int, target: float = 0.5) -> list[Ranking]:
    """Draw `seeds` pictures of each prompt and rank the prompts of each character.

    Args:
        candidates: Character id -> prompts; what is given twice is drawn once.
        target: The rate from which a prompt counts as a trigger.
    """
    distinct = {who: list(dict.fromkeys(prompts)) for who, prompts in candidates.items() if prompts}
    shots = [Shots(who, prompt, f"rerank/{who}", 0, seeds) for who, prompts in distinct.items() for prompt in prompts]
    looks = iter(lab.look(shots))
    guard = Filter(lab.stage.characters)
    whole = {character.id: character for character in lab.stage.characters.characters}
    rankings = []
    for who, prompts in distinct.items():
        told = [guard.keep(whole[who], [prompt])[1] for prompt in prompts]
        tells = [gone[0].reason if gone else None for gone in told]
        rankings.append(rank_one(who, prompts, [next(looks) for _ in prompts], target, tells))
    return rankings


def rank_one(
    who: str, prompts: Sequence[str], hits: Sequence[Hits], target: float, tells: Sequence[str | None]
) -> Ranking:
    """Put the prompts of one character in order, the highest DETECT first; equal ones by length, then as given."""
    found = compare_prompts(prompts, hits)
    tallies = [tally_of(one) for one in hits]
    order = sorted(range(len(prompts)), key=lambda i: _worth(prompts, hits, i))
    rows = tuple(
        Reranked(
            prompt=prompts[i],
            detect=_estimate(tallies[i].hits, tallies[i].n, found.intervals[i]),
            triggers=_answer(found.intervals[i], target),
            p_holm=found.p_holm[i],
            is_best=i == found.best,
            tells=tells[i],
        )
        for i in order
    )
    return Ranking(character=who, prompts=rows, not_worse=tuple(prompts[i] for i in order if i in found.not_worse))


def compare_prompts(prompts: Sequence[str], hits: Sequence[Hits]) -> Comparison:
    """Bound each prompt's rate, and test all pairs of prompts on the pictures of which both have a verdict.

    Shapes:
        prompts: (M,), M >= 1; hits: (M, N), picture i of each from the same seed.
    """
    m = len(prompts)
    tallies = [tally_of(one) for one in hits]
    intervals = [clopper_pearson(tally.hits, tally.n, LEVEL / m) for tally in tallies]
    best = min(range(m), key=lambda i: _worth(prompts, hits, i))
    pairs = list(combinations(range(m), 2))
    adjusted = dict(zip(pairs, holm([_p_of(hits[a], hits[b]) for a, b in pairs]), strict=True))
    p_holm = [None if i == best else adjusted[min(i, best), max(i, best)] for i in range(m)]
    return Comparison(intervals, best, p_holm)


def clopper_pearson(k: int, n: int, alpha: float) -> Interval:
    """Bound a rate of k of n independent observations exactly, at level 1 - alpha.

    The lower bound is the alpha/2 quantile of a beta with k and n - k + 1, the upper one the 1 - alpha/2 quantile of a
    beta with k + 1 and n - k. Of nothing, it is all of [0, 1].

    Unit: share in [0, 1].

    Source: Clopper & Pearson 1934, Biometrika 26:404.
    """
    from scipy.special import betaincinv  # type: ignore[import-untyped]

    low = float(betaincinv(k, n - k + 1, alpha / 2)) if k else 0.0
    high = float(betaincinv(k + 1, n - k, 1 - alpha / 2)) if k < n else 1.0
    return Interval(low, high, "clopper-pearson-bonferroni")


def find_prompts(job: RerankJob, characters: CharacterSet) -> dict[str, tuple[str, ...]]:
    """Gather the prompts of all sources for each character.

    Raises:
        UserError: no source, or there is nothing in them; UnknownNameError, DataError: one of them is wrong.
    """
    if not job.sources:
        raise UserError(
            "no prompts\n  needed: --from FILE, triggers.json, or an anchor: --from keywords:cooccurrence-5"
        )
    prompt_set = with_lists(prompt_set_of(characters), job.lists)
    sources = [_read_source(name, characters, prompt_set) for name in job.sources]
    wanted = [who.id for who in chosen_characters(characters, job.only)]
    found = {who: tuple(dict.fromkeys(text for one in sources for text in one.get(who, ()))) for who in wanted}
    if not any(found.values()):
        raise UserError(f"{', '.join(job.sources)}: holds no prompt for these characters\n  look at --only and --from")
    return found


def _read_source(name: str, characters: CharacterSet, prompt_set: PromptSet) -> Mapping[str, tuple[str, ...]]:
    path = Path(name)
    if path.suffix.lower() == ".json":
        return _read_report(path)
    if path.suffix.lower() in FORMS:
        return read_file(path, characters).pool
    if name in prompt_set.described:
        return from_list(prompt_set, name, descriptions=True).pool
    anchor = parse_anchor(name, prompt_set.default_ranker)
    return {prompt.character: (prompt.text,) for prompt in build_prompts(characters, prompt_set, [anchor])}


def _read_report(path: Path) -> dict[str, tuple[str, ...]]:
    """Give the triggers of a search with their alternatives."""
    try:
        report = TriggerReport.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError([f"{shown(path)}: is no triggers.json"], "  needed: one that a search has written") from error
    return {
        one.character: (one.prompt, *(other.prompt for other in one.alternatives))
        for one in report.found
        if one.prompt is not None
    }


def _p_of(first: Hits, second: Hits) -> float:
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    return mcnemar_exact(sum(a and not b for a, b in pairs), sum(b and not a for a, b in pairs))


def _worth(prompts: Sequence[str], hits: Sequence[Hits], place: int) -> tuple[float, int, int]:
    return -tally_of(hits[place]).rate, len(prompts[place]), place


def _answer(interval: Interval, target: float) -> Answer:
    if interval.low >= target:
        return "yes"
    return "no" if interval.high < target else "open"


def _estimate(k: int, n: int, interval: Interval) -> Estimate:
    return Estimate(
        metric="detect",
        anchor="trigger",
        value=k / n if n else None,
        low=interval.low if n else None,
        high=interval.high if n else None,
        k=k,
        n=n,
        unit="share",
        better="lower",
        method=interval.method,
        reason=None if n else "no picture was judged",
    )
