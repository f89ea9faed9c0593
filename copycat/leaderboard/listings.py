"""A YAML list that people keep by hand -> records, with every fault and its line."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from copycat.catalog.faults import duplicate_key_faults, rendered, schema_faults
from copycat.catalog.marked_yaml import read_marked_yaml
from copycat.errors import DataError
from copycat.schema import Record

R = TypeVar("R", bound=Record)


def read_listing(path: Path, record: type[R], entry: type[Record], needed: dict[str, str]) -> R:
    """Read one file as one record.

    Args:
        path: The YAML file.
        record: What the file holds.
        entry: The record whose fields people most often misspell; names near to them are suggested.
        needed: What to write for a missing field, by its name.

    Raises:
        DataError: all faults, in the order of the file.
    """
    document = read_marked_yaml(path)
    faults = duplicate_key_faults(document)
    try:
        found = record.model_validate(document.value)
    except ValidationError as error:
        faults += schema_faults(document, error, entry, needed)
        found = None
    if faults or found is None:
        raise DataError(rendered(document.path, faults))
    return found
