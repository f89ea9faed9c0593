"""Add verdicts up: several names in one picture, several frames of one clip."""

from __future__ import annotations

from collections.abc import Sequence

from copycat.judges import Verdict


def first_of(named: Sequence[str], asked_for: str) -> str | None:
    """Choose the one character that a picture is said to show: the one asked for if it is among those seen."""
    if asked_for in named:
        return asked_for
    return named[0] if named else None


def combine_frames(verdicts: Sequence[Verdict], asked_for: str) -> Verdict:
    """Add up the verdicts on the frames of one clip, as CopyCat does: the most telling frame counts.

    Args:
        verdicts: one per kept frame, at least one.
        asked_for: id of the character that the prompt was after.

    Returns: detected is `asked_for` if any frame shows it, else whom the surest frame shows, if any;
        confidence and consistency are the largest of any frame (of those that show `detected`, for confidence).
        Everything else is that of the frame that decided, but for `named` and `names`, which hold all frames'.
        Where a frame has no answer and no other frame shows the one asked for, the clip has none either.
    """
    answered = [verdict for verdict in verdicts if verdict.is_answered]
    wanted = [verdict for verdict in answered if verdict.shows(asked_for)]
    if not wanted and len(answered) < len(verdicts):
        return next(verdict for verdict in verdicts if not verdict.is_answered)
    seen = [verdict for verdict in answered if verdict.detected is not None]
    surest = max(wanted or seen or answered, key=lambda verdict: verdict.confidence or 0.0)
    consistencies = [verdict.consistency for verdict in answered if verdict.consistency is not None]
    return surest._replace(
        consistency=max(consistencies, default=None),
        named=_all([verdict.named for verdict in answered]),
        names=_all([verdict.names for verdict in answered]),
        closed=_any([verdict.closed for verdict in answered]),
    )


def _all(lists: Sequence[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    """Everything that any of them holds, once; None where none holds anything to begin with."""
    given = [names for names in lists if names is not None]
    return tuple(dict.fromkeys(name for names in given for name in names)) if given else None


def _any(answers: Sequence[bool | None]) -> bool | None:
    given = [answer for answer in answers if answer is not None]
    return any(given) if given else None
