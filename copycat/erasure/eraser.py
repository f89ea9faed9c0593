"""What every eraser has: settings, the parameters it edits, what it prepares, and one step of training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

from copycat.errors import UnsupportedError
from copycat.live import LivePipeline
from copycat.schema import Record

Advance = Callable[[int], None]
"""Told how many more of something are done, as `console.progress_bar` yields it."""


Progress = Callable[[str, int], Any]
"""`progress(title, total)` gives a context whose value is an `Advance`."""


class Concept(Record):
    """What is erased: the words that a prompt would use, and what is put in their place where a method wants that.

    Attributes:
        name: as in a prompt, such as "Zoravi".
        anchor: for methods that map the concept to something harmless, such as "cat"; None where nobody said.
    """

    name: str
    anchor: str | None = None


class NoAnchorError(UnsupportedError):
    """A method maps a concept to its anchor, and nobody said which."""


class Eraser(Protocol):
    """One method at work on one pipeline. Built as `method(live, concepts, settings, seed)`.

    All randomness comes from `live.step_generator(seed, purpose, number)`, so that a resumed run repeats it.

    Attributes:
        SETTINGS: the record of the method's settings; its defaults are the corrected ones.
        PRESETS: named changes to the defaults; "published" is the one of the paper and its code. Those of "sandbox" are
            laid over whichever was chosen where the denoiser is small, so that they hold rates and sizes only.
        n_steps: how many steps a whole run has; 1 for a closed form.
    """

    SETTINGS: ClassVar[type[Record]]
    PRESETS: ClassVar[Mapping[str, Mapping[str, Any]]]
    n_steps: int

    def edited(self) -> dict[str, Any]:
        """Give the parameters that change, by 'component.parameter'. The optimiser's states are not among them.

        Right after building, before `prepare`, their data become float32 if they are not.
        """

    def prepare(self, folder: Path, progress: Progress) -> None:
        """Make what must be there before the first step, such as a bank of latents; what lies in `folder` is used.

        Args:
            folder: for files of its own; each says which settings made it, and one from others is refused.
            progress: `progress(title, total)` gives a context whose value is an `Advance`.

        Raises:
            DataError: what lies there was made with other settings.
        """

    def step(self, number: int) -> dict[str, float]:
        """Do step `number`, from 0, and give its losses by name. A loss may be no number; the caller stops then."""

    def state(self) -> dict[str, Any]:
        """Give what a later step needs beside the edited parameters, as tensors by name: optimisers and the like."""

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up what `state` gave; the edited parameters are in place already."""


class EraserClass(Protocol):
    """How a method is built."""

    def __call__(self, live: LivePipeline, concepts: tuple[Concept, ...], settings: Record, seed: int) -> Eraser:
        """Get ready on a pipeline; refuse what the method cannot do with it.

        Raises:
            UnsupportedError: the pipeline lacks the part that the method edits, or the concept lacks an anchor.
        """
