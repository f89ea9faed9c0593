"""provenance.yaml in a dataset: how it is to be checked, and which findings its maintainers have decided to ignore."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator

from copycat.errors import DataError, UnknownNameError
from copycat.paths import shown
from copycat.provenance.dataset.card import load_plain_yaml
from copycat.provenance.dataset.columns import STANDARD
from copycat.provenance.dataset.opening import CHECK_FILE
from copycat.provenance.records import PURPOSES, Purpose
from copycat.provenance.rules import RULES
from copycat.schema import Record
from copycat.schema.base import Text

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

REGION = r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$"
MAX_BYTES = 1 << 20


class Ignored(Record):
    """A decision that a finding does not count until a day.

    Attributes:
        rule: all findings of this rule; finding: only the one with this fingerprint. One of them is given, or both.
        reason: why; until: the last day on which it does not count.
    """

    rule: Text | None = None
    finding: Text | None = None
    reason: Text
    until: date

    @model_validator(mode="after")
    def _says_which(self) -> Ignored:
        if self.rule is None and self.finding is None:
            raise ValueError("neither rule nor finding is given; needed: one of them")
        return self

    @property
    def name(self) -> str:
        """What it is about, as it is written there: rule, fingerprint, or both."""
        return " ".join(part for part in (self.rule, self.finding) if part)


class CheckSettings(Record):
    """The content of provenance.yaml; what is not there is asked of the command line."""

    purpose: str | None = Field(default=None, alias="for")
    output_licence: Text | None = None
    region: Annotated[str, StringConstraints(to_upper=True, pattern=REGION)] | None = None
    columns: dict[str, Text] = Field(default_factory=dict)
    sample: int | None = Field(default=None, ge=1)
    ignore: tuple[Ignored, ...] = ()

    @field_validator("region", mode="before")
    @classmethod
    def _upper(cls, region: Any) -> Any:
        # YAML 1.1 reads the country code NO as false
        return "NO" if region is False else region


def read_settings(folder: Path) -> CheckSettings:
    """Read provenance.yaml of a dataset's folder; nothing is set where there is none.

    Raises:
        DataError: it is no plain YAML, a field is unknown or wrong, or it names a rule that is not there.
    """
    path = folder / CHECK_FILE
    if not folder.is_dir() or not path.is_file():
        return CheckSettings()
    name = shown(path)
    fix = "  the form: docs/provenance.md, 'Settings of a check'"
    if path.stat().st_size > MAX_BYTES:
        raise DataError([f"{name}: has more than {MAX_BYTES} bytes"], fix)
    try:
        content = load_plain_yaml(path.read_bytes().decode("utf-8-sig")) or {}
    except (ValueError, OSError) as error:
        raise DataError([f"{name}: is not plain YAML: {error}"], fix) from error
    if not isinstance(content, dict):
        raise DataError([f"{name}: is not a mapping"], fix)
    try:
        settings = CheckSettings.model_validate({str(key): value for key, value in content.items()})
    except ValidationError as error:
        raise DataError([f"{name}: {_fault(each)}" for each in error.errors()], fix) from error
    if unknown := [entry.rule for entry in settings.ignore if entry.rule and entry.rule not in RULES.names()]:
        raise UnknownNameError("rule", unknown[0], RULES.names(), f"named in {name}")
    return settings


WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is no setting",
    "string_too_short": "is empty",
    "string_pattern_mismatch": "is no country's two letters (ISO 3166), US-CA, or EU",
}
"""Kinds of faults of pydantic -> what is wrong; the pattern is that of a region."""


def _fault(error: ErrorDetails) -> str:
    """Say what is wrong with a setting, such as "ignore, entry 1: reason is missing"."""
    *above, last = error["loc"] or ("",)
    where = "".join(f"{part}: " for part in above if isinstance(part, str))
    entry = next((part for part in error["loc"] if isinstance(part, int)), None)
    if entry is not None:
        where = f"{where.removesuffix(': ')}, entry {entry + 1}: "
    message = error["msg"].removeprefix("Value error, ")
    said = WORDS.get(error["type"], f"is wrong: {message[:1].lower()}{message[1:]}")
    if error["type"] == "value_error":
        said = message
    return f"{where}{last} {said}" if isinstance(last, str) and last else f"{where}{said}"


def find_purpose(name: str) -> Purpose:
    """Give the purpose of this name.

    Raises:
        UnknownNameError: there is none; the text suggests near names.
    """
    if name not in PURPOSES:
        raise UnknownNameError("purpose", name, PURPOSES, "all of them: python -m copycat.provenance check --list")
    return PURPOSES[name]


def require_standard(columns: dict[str, str]) -> dict[str, str]:
    """Give the columns back if each of them stands for a standard one.

    Raises:
        UnknownNameError: one does not; the text suggests near names.
    """
    for standard in columns:
        if standard not in STANDARD:
            hint = "needed: --column STANDARD=NAME, such as licence=license_text"
            raise UnknownNameError("standard column", standard, STANDARD, hint)
    return columns
