"""A run in words, for the terminal and the page alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from copycat.fairuse.extract.axes import WITHOUT_TEXT
from copycat.fairuse.extract.gate import GateResult, worst_of_works
from copycat.fairuse.extract.job import Finished
from copycat.fairuse.extract.records import Ask, AskedWork, Group, Measures, RunFile

CONTROL_NAMES = {
    "held-out": "control: held-out works",
    "own-control": "control: works of yours",
    "shuffled": "control: another work",
}
AXES = ("prompt", "prefix", "decoding", "evasion")


def in_one_line(text: str) -> str:
    """Give a title without letters that would command a terminal, or turn the direction of what stands behind it."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def counted(count: int, noun: str) -> str:
    """Give '1 work' or '12 works'."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def headline_of(finished: Finished) -> str:
    """Say in one line what was asked and how the requests ended."""
    run, counts = finished.run, finished.measures.counts
    asked = [work.role == "work" for work in finished.measures.works if work.counts]
    n_works, n_controls = sum(asked), len(asked) - sum(asked)
    told = ", ".join(f"{counts[name]:,} {name}" for name in _ENDS if counts.get(name))
    return (
        f"{run.name}: {counted(n_works, 'work')} and {counted(n_controls, 'control')}, "
        f"{counted(counts['planned'], 'request')}: "
        f"{told or 'none answered'}"
    )


_ENDS = ("answered", "refused", "empty", "failed", "missing")


SANDBOX_NOTE = "sandbox: an invented world, never comparable with real models"


def warnings_of(finished: Finished) -> Iterator[str]:
    """Say what a reader has to know before the figures."""
    run, measures = finished.run, finished.measures
    for reason, count in run.left_out.items():
        yield f"left out: {counted(count, 'request')} {reason}"
    if finished.unknown_rows:
        yield f"{finished.unknown_rows:,} rows of the file belong to no request"
    if not finished.is_covered:
        yield f"only {measures.coverage:.1%} of the requests were answered: the run is not valid below 98 %"
    if measures.same_as_another:
        yield f"{measures.same_as_another:,} answers are the same as the answer about another work"
    if measures.repeating:
        yield f"{measures.repeating:,} answers end in a loop"
    yield from notes_of_works(run, measures)
    if all(work.role == "work" for work in measures.works if work.counts):
        yield "no control works: chance is told by answers measured against another work alone"
    if finished.spent.prompt_tokens and run.spec.unit == "words":
        spent = finished.spent
        usd = "" if finished.usd is None else f", about ${finished.usd:.2f}"
        yield (
            f"{counted(spent.requests, 'request')} sent, {spent.prompt_tokens:,} tokens in, "
            f"{spent.completion_tokens:,} out{usd}"
        )


MAX_NAMES = 5


def notes_of_works(run: RunFile, measures: Measures) -> Iterator[str]:
    """Say which works nothing was asked about, and of which recall is no share of a window."""
    asked = {work.work for work in measures.works if work.counts}
    unasked = [one for one in run.works if one.role == "work" and one.work.id not in asked]
    if not WITHOUT_TEXT & set(run.spec.prompts):
        if hashed := [one for one in unasked if one.work.withheld]:
            yield f"nothing was asked about {_named(hashed)}: a withheld work can be asked for by title or position"
        unasked = [one for one in unasked if not one.work.withheld]
    if unasked:
        yield f"nothing was asked about {_named(unasked)}: see what was left out"
    if n_hashed := sum(one.work.withheld for one in run.works if one.work.id in asked):
        yield f"of {counted(n_hashed, 'work')} withheld as hashes, recall is a share of the whole work, not of a window"


def share_of(run: RunFile, measures: Measures) -> str:
    """Say what recall is a share of, over the works that were asked about."""
    asked = {work.work for work in measures.works if work.counts and work.role == "work"}
    kinds = {one.work.withheld for one in run.works if one.work.id in asked}
    if kinds == {True}:
        return "the whole work, of which hashes alone are known"
    return "the window (of the whole work, where it is withheld as hashes)" if True in kinds else "the window"


def controls_reach(groups: Sequence[Group]) -> float | None:
    """Give the highest share of a work that lies in stretches among all controls; None without any."""
    found = (group.figures.get("covered") for group in groups if group.axis == "control")
    return max((one.highest for one in found if one is not None), default=None)


def chance_text(chance: float) -> str:
    """Give a chance with three digits; what is practically none has no such digits."""
    return "< 1e-6" if 0 < chance < 1e-6 else f"{chance:.3g}"


def _named(works: Sequence[AskedWork]) -> str:
    names = [one.work.id for one in works[:MAX_NAMES]]
    more = f" and {len(works) - MAX_NAMES:,} more" if len(works) > MAX_NAMES else ""
    return ", ".join(names) + more


def rows_of(measures: Measures) -> Iterator[tuple[str, Group]]:
    """Give all works, axes with several values, copies, and controls."""
    by_axis: dict[str, list[Group]] = {}
    for group in measures.groups:
        by_axis.setdefault(group.axis, []).append(group)
    yield from (("all works", group) for group in by_axis.get("all", []))
    for axis in AXES:
        if len(groups := by_axis.get(axis, [])) > 1:
            yield from ((f"{axis} {group.value}", group) for group in groups)
    for group in by_axis.get("copies", []):
        yield f"{group.value} cop{'y' if group.value == '1' else 'ies'} in training", group
    yield from ((CONTROL_NAMES[group.value], group) for group in by_axis.get("control", []))


def lift_lines(measures: Measures) -> Iterator[str]:
    """Say how far works lie above controls."""
    for lift in measures.lifts:
        if lift.figure == "recall":
            between = "" if lift.low is None else f" [{lift.low:+.3f}, {lift.high:+.3f}]"
            yield (
                f"above {CONTROL_NAMES[lift.control].removeprefix('control: ')}: {lift.difference:+.3f}{between} "
                f"(best recall of each work, {lift.works:.3f} against {lift.controls:.3f})"
            )


def gate_text(gate: GateResult) -> str:
    """Say whether the limits were held."""
    limits = ", ".join(f"{limit.figure} {limit.most:g}" for limit in gate.limits)
    against = f", new since {gate.baseline}" if gate.baseline else ""
    if not gate.passed:
        return f"gate ({limits}{against}): {'held' if gate.is_held else 'not known'}"
    n_answers, n_works = len({one.ask.key for one in gate.passed}), len({one.ask.work for one in gate.passed})
    return (
        f"gate ({limits}{against}): {n_answers:,} {'answer' if n_answers == 1 else 'answers'} about "
        f"{n_works:,} {'work' if n_works == 1 else 'works'} beyond"
    )


def passed_lines(gate: GateResult, most: int, titles: Mapping[str, str] | None = None) -> Iterator[str]:
    """Give a line for each work and figure beyond a limit: the most, where it lies, and how it was asked for."""
    rows = worst_of_works(gate.passed)
    for one, count in rows[:most]:
        unit = "characters" if one.ask.window_end else "letters"  # of a work that is withheld as hashes
        place = f", {unit} {one.stretch.reference_start:,} to {one.stretch.reference_end:,}" if one.stretch else ""
        more = f"; {count:,} answers" if count > 1 else ""
        name = (titles or {}).get(one.ask.work, one.ask.work)
        yield f"{name}: {one.figure} {one.value:.4g}{place} ({way_of(one.ask)}{more})"
    if len(rows) > most:
        yield f"and {len(rows) - most:,} more"
    if gate.not_told:
        yield f"{counted(gate.not_told, 'answer')} without such a figure: a work that is withheld as hashes has none"
    if gate.not_compared:
        few = "answer has no request like it" if gate.not_compared == 1 else "answers have no request like theirs"
        yield f"{gate.not_compared:,} {few} in the earlier run"


def way_of(ask: Ask) -> str:
    """Say how a work was asked for: 'prefix 25, greedy'."""
    parts = [f"{ask.prompt} {ask.prefix}" if ask.prefix else ask.prompt, ask.decoding]
    parts += [f"draw {ask.draw + 1}"] if ask.draw else []
    parts += [ask.evasion] if ask.evasion != "none" else []
    return ", ".join(parts)
