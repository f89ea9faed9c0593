"""A spec -> the characters, prompts and requests that it stands for, made again from what ships with copycat."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from copycat.attacks import ATTACKED, ATTACKS, Attacked, attacked_name, build_attack, canonical_attack
from copycat.catalog import (
    PromptSet,
    build_prompts,
    characters_sha256,
    list_character_sets,
    parse_anchor,
    prompt_set_of,
    prompts_sha256,
    read_character_set,
    with_lists,
)
from copycat.errors import UnknownNameError, UnsupportedError, UserError
from copycat.leaderboard.faults import Fault
from copycat.leaderboard.layout import SizeLimits
from copycat.leaderboard.records import SETTINGS, SubmittedSample
from copycat.mitigations import NONE, Mitigation, Setting, build_mitigation, canonical_mitigation
from copycat.plan import build_requests
from copycat.schema import BENIGN, Character, CharacterSet, ImageRequest, Prompt, RunSpec

NO_LISTS = Path("/nonexistent")
ERASED = "erased"
"""In place of a mitigation's name: an erasure, see `copycat.models.erased`."""

OWN_TEXTS = ("rewrites", "term")
"""Kinds of unknown names that are those of lists of texts, which somebody else may have."""


class Suite(NamedTuple):
    """What the suite has for a spec."""

    characters: CharacterSet
    prompt_set: PromptSet
    prompts: tuple[Prompt, ...]


class Derived(NamedTuple):
    """A suite, None where it cannot be made again; and what of the spec is not the suite's."""

    suite: Suite | None
    faults: tuple[Fault, ...] = ()


class Replanned(NamedTuple):
    """All requests of a spec in their order, None where they cannot be made again.

    `own_texts` says why the texts of the mitigation are the submitter's word; None where they were made again here.
    """

    requests: tuple[ImageRequest, ...] | None
    faults: tuple[Fault, ...] = ()
    own_texts: str | None = None


def derive_suite(spec: RunSpec, lists: Path | None, limits: SizeLimits) -> Derived:
    """Make the prompts of a spec again, and compare characters and prompts by their hashes.

    Args:
        lists: folder of frozen lists beside those that ship.
    """
    shipped = list_character_sets()
    if spec.characters not in shipped:
        said = f"character set '{spec.characters}' does not ship with copycat; the suite has {', '.join(shipped)}"
        return Derived(None, (_fault("unknown-characters", said),))
    characters = shipped_characters(spec.characters)
    faults = []
    if BENIGN in spec.anchors:
        return Derived(None, (_fault("unknown-anchor", "a run on benign prompts is after nobody and has no row"),))
    if spec.characters_sha256 != (true := characters_sha256(characters)):
        said = f"the characters of '{spec.characters}' have another hash than the suite's, {true[:12]}...: not its set"
        faults.append(_fault("characters-changed", said))
    if (n := len(spec.anchors) * len(characters.characters) * spec.seeds) > limits.lines or not spec.anchors:
        return Derived(None, (*faults, _fault("too-large", f"plans {n:,} pictures, 1 to {limits.lines:,} are allowed")))
    try:
        prompt_set = _prompt_set(spec.characters, lists or NO_LISTS)
        prompts = build_prompts(
            characters, prompt_set, [parse_anchor(text, prompt_set.default_ranker) for text in spec.anchors]
        )
    except UserError as error:
        hint = "a list of your own is no part of the suite; one that was published is verified with --lists DIR"
        return Derived(None, (*faults, _fault("unknown-anchor", f"{str(error).splitlines()[0]}; {hint}")))
    if tuple(dict.fromkeys(prompt.anchor for prompt in prompts)) != spec.anchors:
        faults.append(_fault("unknown-anchor", "anchors are not given by their full labels"))
        return Derived(None, tuple(faults))
    if spec.prompts_sha256 != (true := prompts_sha256(prompts)):
        faults.append(_fault("prompts-changed", f"the prompts have another hash than the suite's, {true[:12]}..."))
    return Derived(Suite(characters, prompt_set, prompts), tuple(faults))


@lru_cache
def shipped_characters(name: str) -> CharacterSet:
    """Read a character set that ships, once: a board has many submissions of few sets."""
    return read_character_set(name)


@lru_cache
def _prompt_set(name: str, lists: Path) -> PromptSet:
    return with_lists(prompt_set_of(shipped_characters(name)), lists)


def replan(spec: RunSpec, derived: Derived, samples: Sequence[SubmittedSample]) -> Replanned:
    """Make all requests of a spec again.

    Where the mitigation asks a language model, embeds texts or reads lists that are not here, what it made of the
    prompts is taken from the samples, so that keys and seeds can be checked all the same.
    """
    lacking = _lacking(spec.mitigation)
    if derived.suite is None or lacking is not None:
        return Replanned(None, () if lacking is None else (_fault("weights-elsewhere", lacking),))
    suite = derived.suite
    setting = Setting(suite.characters, suite.prompt_set)
    own_texts = None
    mitigation: Mitigation
    plain, attack = _parted(spec.mitigation)
    try:
        full = canonical_mitigation(plain, setting)
        full = full if attack is None else attacked_name(full, canonical_attack(attack, setting))
        if full != spec.mitigation:
            said = f"mitigation '{spec.mitigation}' is not given by its full name, '{full}'"
            return Replanned(None, (_fault("unknown-mitigation", said),))
        mitigation = _attacked(build_mitigation(plain, setting), attack, setting)
        requests = _requests(spec, suite, mitigation)
    except UnsupportedError as error:
        own_texts = str(error).splitlines()[0]
    except UnknownNameError as error:
        if error.kind not in OWN_TEXTS:
            return Replanned(None, (_fault("unknown-mitigation", str(error).splitlines()[0]),))
        own_texts = f"{error.kind} '{error.name}' are not here"
    except UserError as error:
        return Replanned(None, (_fault("unknown-mitigation", str(error).splitlines()[0]),))
    if own_texts is None:
        return Replanned(requests)
    replay = _attacked(_Replay(samples), attack, setting)
    return Replanned(_requests(spec, suite, replay), own_texts=own_texts)


def parts_of(mitigation: str) -> set[str]:
    """Give the names of the parts of a mitigation, without their variants."""
    return {part.partition(":")[0] for part in mitigation.split("+")}


def _parted(mitigation: str) -> tuple[str, str | None]:
    """Part a full name into the mitigation and the attack behind it; None where there is no attack."""
    plain, found, attack = mitigation.partition(ATTACKED)
    return plain.removesuffix("+") or NONE, attack if found else None


def _attacked(mitigation: Mitigation, attack: str | None, setting: Setting) -> Mitigation:
    return mitigation if attack is None else Attacked(mitigation, build_attack(attack, setting))


def _lacking(mitigation: str) -> str | None:
    """Say why a mitigation cannot be made again without weights or embeddings that no submission holds.

    An attack that is anything but a name of the table is one of these: its text is a stranger's, and would be read as
    a folder.
    """
    plain, attack = _parted(mitigation)
    if ERASED in parts_of(plain):
        return (
            "the edited weights of an erasure are no part of a submission, and without them nothing can be drawn "
            "again; save the erased pipeline (python -m copycat.erase --export DIR), publish it, and hand in a run of "
            "that model"
        )
    if attack is None:
        return None
    name = attack.partition(":")[0]
    if "/" in attack or name not in ATTACKS.names() or ATTACKS.get(name).is_searched:
        return (
            f"attack '{attack[:80]}' stands on what was searched for on one model, which no submission holds; hand in "
            "runs under attacks that need no search, such as arc:O1"
        )
    return None


class _Replay:
    """A mitigation that makes of each prompt what a submission says it became."""

    def __init__(self, samples: Sequence[SubmittedSample]) -> None:
        self.samples = {(sample.character, sample.anchor, sample.repeat): sample for sample in samples}

    def apply(self, request: ImageRequest, target: Character | None) -> ImageRequest:
        """Give the request with the texts of its sample; as it is where there is none."""
        del target
        sample = self.samples.get((request.character, request.anchor, request.repeat))
        if sample is None:
            return request
        changes = {
            "prompt_sent": sample.prompt_sent,
            "negative_prompt": sample.negative_prompt,
            "guide": sample.guide,
            "output_filter": sample.output_filter,
        }
        return request.model_copy(update=changes)


def _requests(spec: RunSpec, suite: Suite, mitigation: Mitigation) -> tuple[ImageRequest, ...]:
    whole = spec.model_copy(update={"limit": None})
    return build_requests(whole, suite.prompts, suite.characters.characters, mitigation)


def _fault(kind: str, what: str) -> Fault:
    return Fault(kind=kind, where=SETTINGS, what=what)
