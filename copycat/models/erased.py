"""Edited weights on a pipeline: a folder with a card and a delta, put on and taken off again."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from copycat.errors import DataError, UnsupportedError, first_faults
from copycat.mitigations import NONE, Mitigation
from copycat.paths import file_sha256, shown
from copycat.schema import Character, Erasure, ErasureCard, ImageRequest

CARD, DELTA = "card.json", "delta.safetensors"
"""An erasure's folder: its card, and the edited tensors, each named 'component.parameter'."""

ASKED, COMMAND = "erasing.json", "command.txt"
"""Of an erasure that is not finished: what was asked for, and what was typed to ask for it."""


def read_card(folder: Path) -> ErasureCard:
    """Read the card of an erasure, and check that its delta is the one it speaks of.

    Raises:
        DataError: no such folder, a broken card, or a delta that is missing or another one.
    """
    try:
        card = ErasureCard.model_validate_json((folder / CARD).read_text(encoding="utf-8"))
    except OSError as error:
        raise _not_finished(folder) from error
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise DataError([f"{shown(folder / CARD)}: {fault}" for fault in first_faults(faults)]) from error
    delta = folder / DELTA
    if not delta.is_file() or file_sha256(delta) != card.delta_sha256:
        raise DataError(
            [f"{shown(delta)}: missing, or not the weights that {CARD} speaks of"], "  erase again into a new folder"
        )
    return card


def _not_finished(folder: Path) -> DataError:
    """Say that nothing is there, or how far it came and what goes on with it."""
    if not (folder / ASKED).is_file():
        if not folder.is_dir():
            return DataError([f"{shown(folder)}: no such folder"], "  needed: one that copycat.erase made")
        return DataError(
            [f"{shown(folder)}: no finished erasure there ({CARD} is missing)"],
            "  make one: python -m copycat.erase --model MODEL --method esd --concept NAME --out DIR",
        )
    reached = [path.stem.rpartition("-")[2] for path in folder.glob("checkpoint-*.safetensors")]
    steps = max((int(number) for number in reached if number.isdecimal()), default=0)
    try:
        planned = json.loads((folder / ASKED).read_text(encoding="utf-8"))["settings"]["steps"]
    except (OSError, ValueError, KeyError, TypeError):  # a closed form has one step; of a damaged file nothing is known
        planned = None
    at = f"at step {steps} of {planned}" if isinstance(planned, int) else f"at step {steps}"
    return DataError(
        [f"{shown(folder)}: unfinished, {at} ({CARD} is missing)"],
        f"  go on: {_command_of(folder) or 'the command that began it, again'}",
    )


def _command_of(folder: Path) -> str:
    """Read the command that goes on; "" where there is none. A folder may be anybody's: no other command is shown."""
    try:
        text = (folder / COMMAND).read_text(encoding="utf-8").strip()
        words = shlex.split(text)
    except (OSError, ValueError):
        return ""
    is_ours = text.isprintable() and words[:3] == ["python", "-m", "copycat.erase"]
    return shlex.join(words) if is_ours else ""


def check_base(card: ErasureCard, model: str, source: str, revision: str) -> None:
    """Refuse a delta that was made for other weights.

    Raises:
        UnsupportedError: source or revision is another.
    """
    if (card.source, card.revision) != (source, revision):
        raise UnsupportedError(
            f"this erasure was made for {card.source} at {card.revision[:12]}, and '{model}' is {source} at "
            f"{revision[:12]}\n  use the model it was made for, or erase again: python -m copycat.erase "
            f"--model {model} --method {card.method} --concept '{','.join(card.concepts)}'{_anchors_of(card)} --out DIR"
        )


def _anchors_of(card: ErasureCard) -> str:
    """Give the option that says what takes the place of the concepts, where all are known."""
    known = [anchor for anchor in card.anchors if anchor is not None]
    return f" --anchor '{','.join(known)}'" if known and len(known) == len(card.concepts) else ""


def components_of(delta: Path) -> set[str]:
    """Name the parts of a pipeline that a delta edits, such as 'unet'."""
    from safetensors import safe_open

    with safe_open(delta, framework="pt") as file:
        return {name.partition(".")[0] for name in file.keys()}  # noqa: SIM118


def put_on(pipeline: Any, delta: Path) -> dict[str, Any]:
    """Put edited tensors in place of a pipeline's own, as far as it has the components.

    Returns: the pipeline's own tensors by name, for `take_off`.

    Raises:
        DataError: a tensor that the component does not have, or of another shape.
    """
    from safetensors.torch import load_file

    own: dict[str, Any] = {}
    for name, edited in load_file(delta).items():
        component, _, parameter = name.partition(".")
        module = getattr(pipeline, component, None)
        if module is None:  # the half without this component was loaded
            continue
        held = _parameter_of(module, parameter)
        if held is None or held.shape != edited.shape:
            take_off(pipeline, own)
            raise DataError([f"{shown(delta)}: '{name}' does not fit the model's {component}"])
        own[name] = held.data
        held.data = edited.to(held.device, held.dtype)
    return own


def take_off(pipeline: Any, own: dict[str, Any]) -> None:
    """Give a pipeline its own tensors back."""
    for name, tensor in own.items():
        component, _, parameter = name.partition(".")
        getattr(pipeline, component).get_parameter(parameter).data = tensor


def _parameter_of(module: Any, name: str) -> Any:
    try:
        return module.get_parameter(name)
    except AttributeError:
        return None


# ------------------------------------------------------------------ erasures as something to evaluate

PREFIX = "erased:"
"""How the label of an erasure begins, where other mitigations have their names."""

MOST_NAMED = 3
"""Concepts that a label spells out; of more it tells the number."""


class Erased(NamedTuple):
    """An erasure that is evaluated: what it is called in tables, its card, and its file of weights."""

    label: str
    card: ErasureCard
    delta: Path

    def named_with(self, mitigation: str) -> str:
        """Give the name of a mitigation on these weights: 'erased:esd-zoravi+negprompt:name'."""
        return self.label if mitigation == NONE else f"{self.label}+{mitigation}"

    def over(self, mitigation: Mitigation) -> Mitigation:
        """Let a mitigation act on these weights."""
        return _OnErased(mitigation, self.card.erasure)


class _OnErased:
    """A mitigation whose requests are drawn by edited weights."""

    def __init__(self, mitigation: Mitigation, erasure: Erasure) -> None:
        self._mitigation, self._erasure = mitigation, erasure

    def apply(self, request: ImageRequest, target: Character | None) -> ImageRequest:
        """Apply the mitigation, and name the weights."""
        return self._mitigation.apply(request, target).model_copy(update={"erasure": self._erasure})


def read_erasures(folders: Sequence[Path]) -> tuple[Erased, ...]:
    """Read erasures and call each by its method and concepts: by nothing that depends on where it lies.

    A seed other than 0, the published preset and a run that diverged are told, too; those that are alike even so get
    some digits of their hash. The same weights twice are one.

    Raises:
        DataError: as `read_card`.
    """
    by_hash = {card.delta_sha256: (card, folder) for folder in folders for card in (read_card(folder),)}
    labels = [_label(card) for card, _ in by_hash.values()]
    n_called = Counter(labels)
    return tuple(
        Erased(label if n_called[label] == 1 else f"{label}-{sha256[:6]}", card, (folder / DELTA).resolve())
        for label, (sha256, (card, folder)) in zip(labels, by_hash.items(), strict=True)
    )


def _label(card: ErasureCard) -> str:
    slugs = ["-".join("".join(c if c.isalnum() else " " for c in concept).lower().split()) for concept in card.concepts]
    more = [f"and-{len(slugs) - MOST_NAMED}-more"] if len(slugs) > MOST_NAMED else []
    told = [*(["published"] if card.preset == "published" else []), *([f"s{card.seed}"] if card.seed else [])]
    told += ["diverged"] if card.status == "diverged" else []
    return PREFIX + "-".join([card.method, *slugs[:MOST_NAMED], *more, *told])


# ------------------------------------------------------------------ erasures on a model at work


class Edits:
    """Finds the weights that requests name, and puts them on pipelines.

    Args:
        files: paths by hash, of `ModelRow.files`.
        model: its name, for messages.
    """

    def __init__(self, files: Mapping[str, str], model: str) -> None:
        self._files, self._model = files, model
        self._checked: dict[str, Path] = {}
        self._components: dict[str, set[str]] = {}
        self._own: dict[str, Any] = {}
        self._on: tuple[int, str] | None = None

    def check(self, requests: Sequence[ImageRequest], components: set[str]) -> None:
        """Refuse weights that are not there, or that are of components which a pipeline has not.

        Raises:
            UnsupportedError: either.
        """
        for erasure in {r.erasure.sha256: r.erasure for r in requests if r.erasure is not None}.values():
            if strange := sorted(self.components(erasure) - components):
                raise UnsupportedError(
                    f"'{self._model}' has no {' and no '.join(strange)}, which the erasure of "
                    f"{', '.join(erasure.concepts)} by {erasure.method} edits\n  use the model it was made for"
                )

    def components(self, erasure: Erasure) -> set[str]:
        """Name the components that an erasure edits."""
        if erasure.sha256 not in self._components:
            self._components[erasure.sha256] = components_of(self._delta(erasure))
        return self._components[erasure.sha256]

    def text_key(self, erasure: Erasure | None) -> str | None:
        """Say whose encodings of texts to use: None for those of the model's own encoders."""
        if erasure is None or not any(name.startswith("text_encoder") for name in self.components(erasure)):
            return None
        return erasure.sha256

    def switch(self, pipeline: Any, erasure: Erasure | None) -> None:
        """Let a pipeline have the weights of an erasure, or its own; does nothing where it has them already.

        Raises:
            DataError: as `put_on`.
        """
        wanted = None if erasure is None else (id(pipeline), erasure.sha256)
        if wanted == self._on:
            return
        self.forget(pipeline)
        if erasure is not None:
            self._own = put_on(pipeline, self._delta(erasure))
            self._on = wanted

    def forget(self, pipeline: Any) -> None:
        """Give a pipeline its own weights back."""
        if self._on is not None and pipeline is not None and self._on[0] == id(pipeline):
            take_off(pipeline, self._own)
        self._own, self._on = {}, None

    @contextmanager
    def on(self, pipeline: Any, erasure: Erasure | None) -> Iterator[None]:
        """Lend a pipeline the weights of an erasure."""
        own = {} if erasure is None else put_on(pipeline, self._delta(erasure))
        try:
            yield
        finally:
            take_off(pipeline, own)

    def _delta(self, erasure: Erasure) -> Path:
        if erasure.sha256 not in self._checked:
            path = self._files.get(erasure.sha256)
            if path is None or not Path(path).is_file() or file_sha256(Path(path)) != erasure.sha256:
                raise UnsupportedError(
                    f"'{self._model}' was asked to draw with the erasure of {', '.join(erasure.concepts)} by "
                    f"{erasure.method}, and its weights ({erasure.sha256[:12]}) are not at hand\n"
                    "  needed: --erased DIR, the folder of that erasure, readable on every machine that draws"
                )
            self._checked[erasure.sha256] = Path(path)
        return self._checked[erasure.sha256]
