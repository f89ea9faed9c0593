"""What the pipelines of diffusers may be called with, remembered: importing diffusers takes seconds."""

from __future__ import annotations

import inspect
from contextlib import suppress
from importlib.metadata import version
from typing import NamedTuple

from copycat.models.cache import cache_folder, read_cache, write_cache
from copycat.models.hub import Source

FILE = "pipeline-signatures.json"


class Signatures(NamedTuple):
    """Names of the arguments with which a pipeline is called, and of those with which it is made."""

    call: frozenset[str]
    init: frozenset[str]


def read_signatures(source: Source, name: str) -> Signatures:
    """Give the arguments of a pipeline class; imports diffusers only for a class that it has not seen in this version.

    Raises:
        DataError: diffusers has no such pipeline, or its call takes no prompt.
    """
    path, key = cache_folder() / FILE, f"diffusers {version('diffusers')} {name}"
    kept = read_cache(path).get(key)
    if isinstance(kept, dict) and isinstance(kept.get("call"), list) and isinstance(kept.get("init"), list):
        return Signatures(frozenset(kept["call"]), frozenset(kept["init"]))
    from copycat.models.capabilities import pipeline_class

    found = pipeline_class(source, name)
    call, init = (sorted(inspect.signature(of).parameters) for of in (found.__call__, found))
    with suppress(OSError):
        write_cache(path, read_cache(path) | {key: {"call": call, "init": init}})
    return Signatures(frozenset(call), frozenset(init))
