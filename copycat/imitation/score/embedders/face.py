"""Faces: a class of the user's own, for whatever face recognition they may use.

None is shipped: the model packs of InsightFace, which FIT used, are for non-commercial research only (its code is MIT);
others have other licences. The class needs one method, and may have more:

    class MyFaces:
        licence = "..."                       # told in the report
        revision = "my weights, version 2"    # else the source file is hashed; other weights need another one
        def embed(self, pictures):            # RGB pictures of Pillow -> a vector for each; None: no face, or several
            ...
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL.Image import Image

from copycat.errors import CopycatError, UserError
from copycat.imitation.score.embedders import Vector
from copycat.judges.open_clip_hub import sha40
from copycat.registry import resolve

FOUND = "needed: a module of yours in this folder or on PYTHONPATH, with this class, and all that it imports"
FORM = "  needed: face:MODULE:CLASS, a class with embed(pictures) -> a vector or None for each; see docs/imitation.md"


class FaceEmbedder:
    """Asks somebody else's class, and believes nothing that it says without looking."""

    def __init__(self, name: str, source: str, device: str) -> None:
        self.owner, self.source, self.device = f"embedder '{name}'", source, device
        self._class = resolve(source, self.owner, FOUND)
        if not callable(getattr(self._class, "embed", None)):
            raise UserError(f"{self.owner}: '{source}' has no method embed\n{FORM}")

    def revision(self) -> str:
        """Hash what the class calls its revision, else its source file."""
        return sha40("face-1", self.source, self._revision)

    def facts(self) -> dict[str, str]:
        """Say which class it is, and its licence as it tells it."""
        licence = str(getattr(self._class, "licence", "not told; many face models are for non-commercial use only"))
        return {"weights": self.source, "commit": self._revision, "licence": licence}

    def embed(self, pictures: Sequence[Image]) -> Sequence[Vector | None]:
        """Embed all; see the protocol.

        Raises:
            UserError: the class fails, or gives something else than a vector or None for each picture.
        """
        try:
            found = list(self._object.embed(list(pictures)))
        except CopycatError:
            raise
        except Exception as error:  # somebody else's class may raise anything
            raise UserError(f"{self.owner} failed\n  {type(error).__name__}: {error}") from error
        if len(found) != len(pictures):
            raise UserError(f"{self.owner} gave {len(found)} answers for {len(pictures)} pictures\n{FORM}")
        return [None if each is None else self._vector(each) for each in found]

    def _vector(self, given: Any) -> Vector:
        try:
            vector = np.asarray(given, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise UserError(f"{self.owner} gave {type(given).__name__}, and a vector is needed\n{FORM}") from error
        if vector.ndim != 1:
            raise UserError(f"{self.owner} gave an array of shape {vector.shape}, and a vector is needed\n{FORM}")
        return vector

    @cached_property
    def _object(self) -> Any:
        try:
            return self._class()
        except CopycatError:
            raise
        except Exception as error:
            raise UserError(f"{self.owner} cannot be made\n  {type(error).__name__}: {error}") from error

    @cached_property
    def _revision(self) -> str:
        told = getattr(self._class, "revision", None)
        if isinstance(told, str):
            return told
        try:
            content = Path(str(inspect.getsourcefile(self._class))).read_bytes()
        except (OSError, TypeError) as error:
            raise UserError(
                f"{self.owner}: nobody can tell one version of it from another\n"
                f'  needed: revision = "..." in the class {self.source}'
            ) from error
        return f"source file {hashlib.sha256(content).hexdigest()[:16]}"
