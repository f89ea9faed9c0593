"""`--list models`: two lines or more for each model, in groups, as wide as the terminal."""

from __future__ import annotations

import datetime
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from copycat.models import SANDBOX, ModelRow
from copycat.models.table_baselines import BASELINE_ROWS
from copycat.models.table_services import RETIRED

HEADING, NAMES, MODEL, NOTE = "bold", "dim underline", "", "dim"
"""Styles of lines; what they say is in the words too, for a file and for black and white."""

NAME_WIDTH, GAP, MAX_WIDTH = 17, 2, 120
BASELINES = frozenset(row.name for row in BASELINE_ROWS)
MARKS = {"negative prompt": "N", "guidance": "G", "seed": "S"}

LEGEND = (
    "honours: N negative prompt, G guidance, S seed; anything else is refused before a model is loaded",
    "GiB: GPU memory for one picture, worked out from published sizes, not measured; ? if unknown",
    "gated: accept the terms at https://huggingface.co/REPOSITORY first, then type: hf auth login",
    "presets: --preset NAME; 'paper' has the settings of CopyCat (arXiv 2406.14526), section 4",
)
OTHERS = (
    ("--model ./folder", "a diffusers pipeline on this disk"),
    ("--model hub/repo-id", "a diffusers pipeline on the Hugging Face Hub"),
    ("--model openai:MODEL", "any other model of a service; OPENAI_BASE_URL=http://HOST/v1 says whose"),
)


class Line(NamedTuple):
    """One line to print."""

    text: str
    style: str = MODEL


class Column(NamedTuple):
    """One column of the first lines: its heading, its width, and what stands there."""

    heading: str
    width: int
    value: Callable[[ModelRow], str]
    is_right: bool = True

    def cell(self, text: str) -> str:
        """Put a text into the column."""
        return text.rjust(self.width) if self.is_right else text.ljust(self.width)


def model_lines(rows: Sequence[ModelRow], width: int, today: datetime.date) -> Iterator[Line]:
    """Lay out all models, what they need, and how to reach any other."""
    width = min(width, MAX_WIDTH)
    for title, members, columns in groups(rows):
        yield from _wrapped(title, width, HEADING)
        yield Line(_first_line("name", [column.cell(column.heading) for column in columns]), NAMES)
        for row in members:
            is_long = len(row.name) > NAME_WIDTH
            yield from [Line(row.name)] * is_long
            yield Line(_first_line("" if is_long else row.name, [c.cell(c.value(row)) for c in columns]))
            yield from _filled(_about(row, today), width)
        yield Line("")
    yield from _retired(width)
    yield Line("any other", HEADING)
    for typed, meaning in OTHERS:
        yield from _wrapped(f"{typed:<22}{meaning}", width, MODEL, "", " " * 22)
    yield Line("")
    for text in LEGEND:
        yield from _wrapped(text, width, NOTE, "", "  ")


def groups(rows: Sequence[ModelRow]) -> list[tuple[str, list[ModelRow], tuple[Column, ...]]]:
    """Sort models into groups, those with the paper's settings first; a plug-in's go where they belong."""
    apart = {SANDBOX, *BASELINES}
    here = [row for row in rows if not row.is_service and row.name not in apart]
    found = [
        ("the embedded world", [row for row in rows if row.name == SANDBOX], PICTURE_COLUMNS),
        ("image models", _paper_first([row for row in here if not row.sampling.is_video]), PICTURE_COLUMNS),
        ("video models", _paper_first([row for row in here if row.sampling.is_video]), CLIP_COLUMNS),
        ("services: somebody else's machine draws", [row for row in rows if row.is_service], SERVICE_COLUMNS),
        ("baselines: the ends of every leaderboard", [row for row in rows if row.name in BASELINES], PICTURE_COLUMNS),
    ]
    return [(title + _of_the_paper(members), members, columns) for title, members, columns in found if members]


def _paper_first(rows: Sequence[ModelRow]) -> list[ModelRow]:
    return sorted(rows, key=lambda row: "paper" not in row.presets)


def _of_the_paper(rows: Sequence[ModelRow]) -> str:
    count = sum("paper" in row.presets for row in rows)
    return f": the first{f' {count}' if count > 1 else ''} of CopyCat's five" if count else ""


def _first_line(name: str, cells: Sequence[str]) -> str:
    return (" " * GAP).join([name.ljust(NAME_WIDTH), *cells]).rstrip()


def _about(row: ModelRow, today: datetime.date) -> list[str]:
    parts = [row.summary]
    if row.is_service:
        parts += [f"asks for {row.source}"] if row.source != row.name else []
        parts += [f"about ${row.usd_per_picture:g} a picture"] if row.usd_per_picture is not None else []
        parts += [_shutdown(row.shutdown, today)] if row.shutdown else []
        return parts
    parts += [f"{row.source} ({row.licence}{', gated' if row.is_gated else ''})"]
    parts += [f"presets: {', '.join(row.presets)}"] if row.presets else []
    return parts


def _shutdown(day: str, today: datetime.date) -> str:
    left = (datetime.date.fromisoformat(day) - today).days
    if left < 0:
        return f"WAS SHUT DOWN on {day}"
    return f"WILL BE SHUT DOWN on {day}, {f'in {left} days' if left > 1 else 'tomorrow' if left else 'today'}"


def _retired(width: int) -> Iterator[Line]:
    yield from _wrapped("retired: nobody can call these any more", width, HEADING)
    for name, retired in RETIRED.items():
        yield Line(f"{name:<{NAME_WIDTH}}  shut down on {retired.ended}; use {retired.instead}")
    yield Line("")


def _filled(parts: Sequence[str], width: int) -> Iterator[Line]:
    """Put as many parts into a line as fit; a line ends inside a part only where that part alone is too long."""
    line = ""
    for part in parts:
        if line and len(f"  {line}; {part}") > width:
            yield from _wrapped(line, width, NOTE, "  ", "    ")
            line = part
        else:
            line = f"{line}; {part}" if line else part
    yield from _wrapped(line, width, NOTE, "  ", "    ")


def _wrapped(text: str, width: int, style: str, indent: str = "", further: str | None = None) -> Iterator[Line]:
    further = indent if further is None else further
    whole = textwrap.TextWrapper(
        width, initial_indent=indent, subsequent_indent=further, break_on_hyphens=False, break_long_words=False
    )
    yield from (Line(part, style) for part in whole.wrap(text))


# ------------------------------------------------------------------------------- what stands in the columns


def _steps(row: ModelRow) -> str:
    stages = [row.sampling.steps, *(stage.steps for stage in row.sampling.upscaling or ())]
    return "+".join(str(steps) for steps in stages if steps is not None)


def _guidance(row: ModelRow) -> str:
    return "" if row.sampling.guidance is None else f"{row.sampling.guidance:g}"


def _size(row: ModelRow) -> str:
    return f"{row.sampling.width_px}x{row.sampling.height_px}"


def _memory(row: ModelRow) -> str:
    return "?" if row.memory_gib is None else f"{row.memory_gib:g}"


def _honours(row: ModelRow) -> str:
    return "".join(mark if feature in row.honours else "-" for feature, mark in MARKS.items())


STEPS, GUIDANCE, SIZE = Column("steps", 9, _steps), Column("guidance", 8, _guidance), Column("size", 9, _size)
FRAMES = Column("frames", 6, lambda row: str(row.sampling.frames or ""))
DTYPE, MEMORY = Column("dtype", 8, lambda row: row.sampling.dtype or "", is_right=False), Column("GiB", 4, _memory)
HONOURS = Column("honours", 7, _honours, is_right=False)
PICTURE_COLUMNS = (STEPS, GUIDANCE, SIZE, DTYPE, MEMORY, HONOURS)
CLIP_COLUMNS = (STEPS._replace(width=5), GUIDANCE, SIZE, FRAMES, DTYPE, MEMORY, HONOURS)
SERVICE_COLUMNS = (
    SIZE,
    Column("quality", 8, lambda row: row.sampling.quality or "", is_right=False),
    HONOURS,
)
