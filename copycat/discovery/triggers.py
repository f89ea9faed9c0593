"""Trigger search: the shortest innocent prompt that brings a character back, measured on seeds it was not picked by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from copycat.catalog import PromptSet, prompt_set_of, with_lists
from copycat.discovery.candidates import Source, from_list, read_file
from copycat.discovery.drawing import About, Hits, Lab, LabJob, Shots, chosen_characters, open_lab
from copycat.discovery.filters import Filter
from copycat.discovery.keywords import ALL, OWN, gather
from copycat.discovery.search import Ask, Found, Rules, Search, Tally, Words, search
from copycat.errors import UnknownNameError, UserError
from copycat.metrics.intervals import wilson
from copycat.runs.folder import write_json
from copycat.schema import Character, CharacterSet, Estimate, Record

REPORT = "triggers.json"
FRESH = "fresh"
SEPARATOR = ", "
"""Between the words of a prompt, as in keyword anchors."""

MOST_ALTERNATIVES = 5

OnEnd = Callable[[str, Found], object]


class TriggerJob(LabJob):
    """What the user asked for.

    `pool` is "own" (a character's own keywords), "all" (those of everybody), or a file of candidates;
    `ranker` names the list of keywords; no candidate may hold a word of `without`.
    """

    pool: str = OWN
    ranker: str | None = None
    without: tuple[str, ...] = ()
    target: float = Field(default=0.8, gt=0, lt=1)
    budget: int = Field(default=300, ge=1)
    longest: int = Field(default=8, ge=1)
    fresh: int = Field(default=20, ge=1)
    seed: int = 0


class Alternative(Record):
    """Another prompt, with what the search saw of it; picked by these very pictures, so the share flatters."""

    prompt: str
    hits: int
    n: int


class TriggerFound(Record):
    """What the search found for one character.

    `reached`: the lower bound of the search reached the target. `hits` of `n` are the search's own pictures of the
    prompt, by which it was picked; `fresh` is DETECT on other seeds, the figure to report. `removed` are candidates
    that would have given the character away.
    """

    character: str
    prompt: str | None
    words: Words
    reached: bool
    search_pictures: int
    hits: int
    n: int
    fresh: Estimate | None
    alternatives: tuple[Alternative, ...] = ()
    removed: tuple[str, ...] = ()
    reason: str | None = None


class TriggerReport(Record):
    """triggers.json: what searched, by which rules, and what it found."""

    schema_version: int = 1
    lab: About
    pool: str
    target: float
    budget: int
    longest: int
    fresh_pictures: int
    seed: int
    is_sandbox: bool
    found: tuple[TriggerFound, ...]


class Candidates(NamedTuple):
    """Innocent words for each character, the most telling first, and what was taken out of them."""

    pool: Mapping[str, tuple[str, ...]]
    removed: Mapping[str, tuple[str, ...]]


def find_triggers(
    job: TriggerJob, advance: Callable[[int], object] = lambda _: None, on_end: OnEnd = lambda _, __: None
) -> TriggerReport:
    """Search for every character, measure what was found on fresh seeds, and write `<out>/triggers.json`.

    The same call again takes up a search that was stopped.

    Args:
        advance: told of pictures as they are judged.
        on_end: told of each character's search as it ends, before the fresh figure.

    Raises:
        UserError: anything that the user must fix; nothing is drawn then.
    """
    lab = open_lab(job, keeps=lambda row: row.startswith(f"{FRESH}/"), advance=advance)
    characters = lab.stage.characters
    try:
        wanted = chosen_characters(characters, job.only)
        candidates = find_candidates(job, characters, wanted)
        lab.expect(len(wanted) * (job.budget + job.fresh))
        rules = Rules(target=job.target, budget=job.budget, longest=job.longest, seed=job.seed)
        ended = search_all(lab, _searches(characters, wanted, candidates, rules), on_end)
        found = measure_fresh(lab, ended, candidates, job.fresh)
    finally:
        lab.close()
    report = TriggerReport(
        lab=lab.about,
        pool=job.pool,
        target=job.target,
        budget=job.budget,
        longest=job.longest,
        fresh_pictures=job.fresh,
        seed=job.seed,
        is_sandbox=characters.is_sandbox,
        found=tuple(found),
    )
    write_json(job.out / REPORT, report.model_dump(mode="json"))
    return report


def find_candidates(job: TriggerJob, characters: CharacterSet, wanted: Sequence[Character]) -> Candidates:
    """Gather the candidates and take out what gives a character away.

    Raises:
        UserError: there are no candidates; UnknownNameError, DataError: the list or the file is wrong.
    """
    prompt_set = with_lists(prompt_set_of(characters), job.lists)
    if job.pool in (OWN, ALL):
        source = from_list(prompt_set, _ranker(job, prompt_set))
        gathered = gather([source], characters, pool=job.pool, without=job.without)
    else:
        gathered = gather([_read_pool(job.pool, characters)], characters, without=job.without)
    removed: dict[str, list[str]] = {who.id: [] for who in characters.characters}
    for one in gathered.removed:
        removed[one.character].append(f"'{one.text}' {one.reason}")
    return Candidates(
        {who.id: gathered.pool.get(who.id, ()) for who in wanted},
        {who.id: tuple(removed[who.id]) for who in wanted},
    )


def search_all(lab: Lab, searches: Mapping[str, Search], on_end: OnEnd = lambda _, __: None) -> dict[str, Found]:
    """Run the searches of many characters side by side, so that each batch is as full as can be."""
    ended: dict[str, Found] = {}
    asking: dict[str, tuple[Ask, ...]] = {}

    def go_on(who: str, tallies: list[Tally] | None) -> None:
        try:
            asking[who] = next(searches[who]) if tallies is None else searches[who].send(tallies)
        except StopIteration as stop:
            ended[who] = stop.value
            asking.pop(who, None)
            on_end(who, ended[who])

    for who in searches:
        go_on(who, None)
    while asking:
        order = [(who, ask) for who, asks in asking.items() for ask in asks]
        looks = iter(lab.look([_search_shots(who, ask) for who, ask in order]))
        answers = {who: [tally_of(next(looks)) for _ in asks] for who, asks in asking.items()}
        for who, tallies in answers.items():
            go_on(who, tallies)
    return {who: ended[who] for who in searches}


def measure_fresh(lab: Lab, ended: Mapping[str, Found], candidates: Candidates, n: int) -> list[TriggerFound]:
    """Draw the trigger of each character with seeds that no search used, and put the results together."""
    have = [who for who, found in ended.items() if found.triggers]
    shots = [Shots(who, prompt_of(ended[who].triggers[0].words), f"{FRESH}/{who}", 0, n) for who in have]
    fresh = dict(zip(have, lab.look(shots), strict=True))
    return [_result(who, found, candidates, fresh.get(who)) for who, found in ended.items()]


def tally_of(hits: Hits) -> Tally:
    """Count hits; pictures without a verdict are drawn but not judged."""
    judged = [hit for hit in hits if hit is not None]
    return Tally(sum(judged), len(judged), len(hits))


def detect_of(hits: Hits) -> Estimate:
    """Give DETECT of one prompt over its pictures, which differ in nothing but the seed: Wilson's interval.

    Unit: share in [0, 1]. Direction: lower protects better. Null where nothing was judged.
    """
    tally = tally_of(hits)
    interval = wilson(tally.hits, tally.n) if tally.n else None
    return Estimate(
        metric="detect",
        anchor="trigger",
        value=tally.rate if interval else None,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        k=tally.hits,
        n=tally.n,
        unit="share",
        better="lower",
        method="wilson",
        reason=None if interval else "no picture was judged",
    )


def prompt_of(words: Words) -> str:
    """Join words as keyword anchors do."""
    return SEPARATOR.join(words)


def _search_shots(who: str, ask: Ask) -> Shots:
    prompt = prompt_of(ask.words)
    return Shots(who, prompt, f"search/{who}/{prompt}", ask.first, ask.n)


def _searches(
    characters: CharacterSet, wanted: Sequence[Character], candidates: Candidates, rules: Rules
) -> dict[str, Search]:
    """Make the search of each character; words that are innocent alone must not spell a name together."""
    guard = Filter(characters)

    def innocent(who: Character) -> Callable[[Words], bool]:
        return lambda words: bool(guard.keep(who, [prompt_of(words)])[0])

    return {who.id: search(candidates.pool[who.id], rules, innocent(who)) for who in wanted}


def _result(who: str, found: Found, candidates: Candidates, fresh: Hits | None) -> TriggerFound:
    best = found.triggers[0] if found.triggers else None
    reason = None
    if best is None:
        reason = "no prompt brought it back" if found.pictures else "no candidate is left"
    return TriggerFound(
        character=who,
        prompt=prompt_of(best.words) if best else None,
        words=best.words if best else (),
        reached=found.reached,
        search_pictures=found.pictures,
        hits=best.tally.hits if best else 0,
        n=best.tally.n if best else 0,
        fresh=detect_of(fresh) if fresh is not None else None,
        alternatives=tuple(
            Alternative(prompt=prompt_of(one.words), hits=one.tally.hits, n=one.tally.n)
            for one in found.triggers[1 : MOST_ALTERNATIVES + 1]
        ),
        removed=candidates.removed[who],
        reason=reason,
    )


def _ranker(job: TriggerJob, prompt_set: PromptSet) -> str:
    if (name := job.ranker or prompt_set.default_ranker) is None:
        raise UserError(
            f"character set '{prompt_set.id}' has no keywords\n  needed: --pool FILE with a word on each line, "
            "or a list of yours: python -m copycat.discover keywords"
        )
    return name


def _read_pool(pool: str, characters: CharacterSet) -> Source:
    if not Path(pool).suffix:
        raise UnknownNameError("pool", pool, [OWN, ALL], "a file works as well: --pool words.txt")
    return read_file(Path(pool), characters)
