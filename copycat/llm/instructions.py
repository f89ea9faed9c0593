"""prompts/instructions/NAME-vN.md -> Instruction: what a language model is told, in versions that never change."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from copycat.errors import DataError, UnknownNameError
from copycat.paths import data_folder, shown

FOLDER = "instructions"

_FORM = re.compile(r"---\ntemperature: (\d(?:\.\d+)?)\nmax_tokens: (\d+)\n---\n+(.+)", re.DOTALL)


class Instruction(NamedTuple):
    """What a model is told, and how its answer is drawn; `sha256` is of the whole file."""

    id: str
    text: str
    sha256: str
    temperature: float
    max_tokens: int


def read_instruction(instruction_id: str) -> Instruction:
    """Read an instruction such as 'rewrite-v1'.

    Raises:
        UnknownNameError: there is none of this name.
        DataError: its file has another form.
    """
    folder = data_folder("prompts") / FOLDER
    known = {path.stem: path for path in sorted(folder.glob("*.md"))}
    if instruction_id not in known:
        raise UnknownNameError("instruction", instruction_id, known)
    whole = known[instruction_id].read_text(encoding="utf-8")  # a checkout may have other line ends
    match = _FORM.fullmatch(whole)
    if match is None:
        raise DataError([f"{shown(known[instruction_id])}: needed: temperature and max_tokens between '---', a text"])
    temperature, max_tokens, text = match.groups()
    sha256 = hashlib.sha256(whole.encode()).hexdigest()
    return Instruction(instruction_id, text.strip(), sha256, float(temperature), int(max_tokens))
