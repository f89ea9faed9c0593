"""Judges that are named by what drives them: `open_clip:MODEL/PRETRAINED`, `vlm:HUB-ID`, `either:A+B`, ...

A family is a row of FAMILIES; `resolve_judge` reads a name of it into a JudgeRow.
"""

from __future__ import annotations

from typing import NamedTuple

from copycat.errors import UnknownNameError, UserError
from copycat.judges import JUDGES, NO_JUDGE, Judge, JudgeRow
from copycat.registry import resolve
from copycat.services.memory import AnswerMemory

ENSEMBLE = "copycat.judges.ensemble"
DEFAULT = "default"
DEFAULT_VLM = "vlm:Qwen/Qwen3-VL-8B-Instruct"
DEFAULT_SCREEN = "open_clip:ViT-L-14/datacomp_xl_s13b_b90k@0.02"
DEFAULT_NAME = f"screen:{DEFAULT_SCREEN}+{DEFAULT_VLM}"
"""What 'default' stands for. The threshold is low on purpose: a screen must let through what might be somebody."""


class Family(NamedTuple):
    """All judges whose names begin with `prefix:`.

    `n_members` is (fewest, most) for ensembles, None for judges of their own. `bare` is what the prefix
    alone stands for, if anything.
    """

    prefix: str
    target: str
    form: str
    summary: str
    n_members: tuple[int, int] | None = None
    takes_references: bool = False
    takes_threshold: bool = False
    bare: str | None = None
    is_heavy: bool = False


FAMILIES: tuple[Family, ...] = (
    Family(
        prefix="open_clip",
        target="copycat.judges.open_clip_hub:build",
        form="open_clip:MODEL/PRETRAINED[@THRESHOLD]",
        summary="zero-shot over names, aliases and distractors; with --references, likeness to your pictures",
        takes_references=True,
        takes_threshold=True,
    ),
    Family(
        prefix="dino",
        target="copycat.judges.dino:DinoJudge",
        form="dino[:HUB-ID|./FOLDER][@THRESHOLD]",
        summary="likeness to your own pictures of each character (--references); gives no CONS",
        takes_references=True,
        takes_threshold=True,
        bare="facebook/dinov2-base",
    ),
    Family(
        prefix="vlm",
        target="copycat.judges.vlm:VlmJudge",
        form="vlm:HUB-ID[@REVISION] or vlm:./FOLDER",
        summary="a vision-language model on this machine, asked with and without the target's name; CONS is P(Yes)",
        is_heavy=True,
    ),
    Family(
        prefix="openai",
        target="copycat.judges.openai_judge:OpenAIJudge",
        form="openai:MODEL",
        summary="a vision-language model behind any OpenAI-compatible address (OPENAI_BASE_URL), such as a vLLM server",
    ),
    Family(
        prefix="screen",
        target=f"{ENSEMBLE}:ScreenJudge",
        form="screen:CHEAP+COSTLY",
        summary="the costly judge looks only where the cheap one sees somebody, and at 1 in 20 of the others",
        n_members=(2, 2),
    ),
    Family(
        prefix="either",
        target=f"{ENSEMBLE}:VoteJudge",
        form="either:A+B[+...]",
        summary="a character is shown if any member sees it",
        n_members=(2, 9),
    ),
    Family(
        prefix="majority",
        target=f"{ENSEMBLE}:VoteJudge",
        form="majority:A+B+C[+...]",
        summary="a character is shown if more than half of the members see it",
        n_members=(3, 9),
    ),
    Family(
        prefix="cons",
        target=f"{ENSEMBLE}:SplitJudge",
        form="cons:A+B",
        summary="DETECT from A, CONS from B",
        n_members=(2, 2),
    ),
)


def resolve_judge(name: str, references: str | None = None, *, may_ignore: bool = False) -> JudgeRow:
    """Find what a judge's name stands for; loads nothing.

    Args:
        references: folder with pictures of each character, for the judges that compare with pictures.
        may_ignore: somebody else needs the references, so that this judge need not.

    Raises:
        UnknownNameError: no row and no family has it.
        UserError: the name has the wrong form; references were given and nobody compares with them.
    """
    row = _resolve(name, references)
    if references is not None and not may_ignore and not _uses_references(row):
        takers = " or ".join(family.form for family in FAMILIES if family.takes_references)
        raise UserError(f"judge '{row.name}' compares with no pictures\n  leave out --references, or use {takers}")
    return row


def build_judge(row: JudgeRow, device: str, memory: AnswerMemory | None = None) -> Judge:
    """Make the judge of a row; its weights are loaded when it judges."""
    judge: Judge = resolve(row.target, f"judge '{row.name}'")(row, device)
    remember_in = getattr(judge, "remember_in", None)
    if memory is not None and remember_in is not None:
        remember_in(memory)
    return judge


def _resolve(name: str, references: str | None) -> JudgeRow:
    name = DEFAULT_NAME if name == DEFAULT else name
    prefix, colon, rest = name.partition(":")
    family = next((family for family in FAMILIES if family.prefix == prefix), None)
    if family is None or name in JUDGES.names():
        known = [*JUDGES.names(), DEFAULT, *(f.prefix for f in FAMILIES)]
        if name not in JUDGES.names():
            raise UnknownNameError("judge", prefix, known, JUDGES.hint)
        return JUDGES.get(name)
    if not colon:
        rest = family.bare or ""
    if not rest:
        raise UserError(f"judge '{name}' is not complete\n  needed: {family.form}")
    return _ensemble(family, rest, references) if family.n_members else _single(family, rest, references)


def _single(family: Family, rest: str, references: str | None) -> JudgeRow:
    source, *parts = rest.split("@")
    threshold = revision = None
    for part in parts:
        if (number := _number(part)) is None:
            revision = part
        else:
            threshold = number
    if not source or (threshold is not None and not (family.takes_threshold and 0 <= threshold <= 1)):
        raise UserError(f"judge '{family.prefix}:{rest}' has the wrong form\n  needed: {family.form}")
    return JudgeRow(
        name=f"{family.prefix}:{rest}",
        target=family.target,
        source=source,
        summary=family.summary,
        revision=revision,
        threshold=threshold,
        references=references if family.takes_references else None,
        is_heavy=family.is_heavy,
    )


def _ensemble(family: Family, rest: str, references: str | None) -> JudgeRow:
    members = tuple(_resolve(part, references) for part in rest.split("+"))
    fewest, most = family.n_members or (0, 0)
    if not fewest <= len(members) <= most or any(member.members for member in members):
        raise UserError(
            f"judge '{family.prefix}:{rest}' has the wrong form\n"
            f"  needed: {family.form}, {fewest if fewest == most else f'{fewest} to {most}'} judges, none of them "
            "an ensemble itself"
        )
    if any(member.name == NO_JUDGE for member in members):
        raise UserError(f"judge '{family.prefix}:{rest}': '{NO_JUDGE}' looks at nothing and can be no member")
    known = {member.knows for member in members} - {None}
    return JudgeRow(
        name=f"{family.prefix}:{rest}",
        target=family.target,
        source="+".join(member.source for member in members),
        summary=family.summary,
        knows=known.pop() if len(known) == 1 else None,
        is_heavy=any(member.is_heavy for member in members),
        members=members,
    )


def _uses_references(row: JudgeRow) -> bool:
    return row.references is not None or any(_uses_references(member) for member in row.members)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
