"""Where the weights of an open_clip model are: a folder, a pretrained tag, or a repository of the Hub."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from copycat.errors import DataError, UnknownNameError, UserError
from copycat.models.fingerprint import fingerprint
from copycat.models.hub import Source, read_json_object, used_weights
from copycat.paths import located, shown

HUB_PREFIX = "hf-hub:"
CONFIG_FILE = "open_clip_config.json"
DEFAULT_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
PREPROCESSING = ("mean", "std", "interpolation", "resize_mode")
AS_FETCHED = "fetch the weights again"


class Loaded(NamedTuple):
    """A model with its weights, and how pictures and texts are made ready for it (Any: open_clip ships no types)."""

    model: Any
    preprocess: Any
    tokenizer: Any


class Weights(Protocol):
    """Weights that are found by name. All of them load strictly: never a model with random ones."""

    def identity(self) -> str:
        """Name the exact content, without loading it."""

    def facts(self) -> dict[str, str]:
        """Say where they come from."""

    def load(self, device: str) -> Loaded:
        """Read them; downloads what is not on this machine.

        Raises:
            DataError: damaged.
            MissingExtraError: not there, and no way to fetch them.
        """


def find_weights(source: str, owner: str, revision: str | None = None) -> Weights:
    """Find what a source stands for; loads nothing.

    Args:
        source: 'package:FOLDER', './FOLDER', 'hf-hub:org/name' or 'MODEL/PRETRAINED'.
        owner: whose they are, as error texts say it: "judge 'sandbox'".
        revision: of a repository of the Hub.
    """
    folder = located(source)
    if source.startswith("package:") or folder.is_absolute() or source.startswith((".", "~")):
        return FolderWeights(folder.expanduser(), owner)
    if source.startswith(HUB_PREFIX):
        return RepositoryWeights(source.removeprefix(HUB_PREFIX), owner, revision)
    return TagWeights(source, owner, revision)


class FolderWeights:
    """A folder in open_clip's own format: open_clip_config.json and one file of weights."""

    def __init__(self, folder: Path, owner: str, fix: str = AS_FETCHED) -> None:
        self.folder, self.owner, self.fix = folder, owner, fix

    def identity(self) -> str:
        """Hash the folder.

        Raises:
            UserError: it is no such folder.
        """
        if not (self.folder / CONFIG_FILE).is_file():
            raise UserError(
                f"{self.owner}: {shown(self.folder)} is no open_clip folder\n"
                f"  needed in it: {CONFIG_FILE} and {DEFAULT_FILES[0]}"
            )
        return fingerprint(self.folder)

    def facts(self) -> dict[str, str]:
        """Say where they come from."""
        return {"weights": shown(self.folder), "commit": f"fingerprint {self.identity()}"}

    def load(self, device: str) -> Loaded:
        """Read them; see the protocol."""
        return _load(f"local-dir:{self.folder}", self.folder, self.fix, device=device)


class RepositoryWeights:
    """A repository of the Hub in open_clip's own format."""

    def __init__(self, repository: str, owner: str, revision: str | None) -> None:
        self.files = Source(repository, owner, revision, used_weights(CONFIG_FILE))

    def identity(self) -> str:
        """Name repository and commit."""
        return f"{self.files.text}@{self.files.commit}"

    def facts(self) -> dict[str, str]:
        """Say where they come from."""
        return {"weights": self.files.text, "commit": str(self.files.commit)}

    def load(self, device: str) -> Loaded:
        """Read them; see the protocol."""
        config = self.files.fetch(CONFIG_FILE)
        self.files.fetch(*DEFAULT_FILES)
        folder, text = config.parent, read_json_object(config).get("model_cfg", {}).get("text_cfg", {})
        # A tokenizer of transformers lies in a repository of its own, which open_clip finds by the name of this one.
        elsewhere = f"{HUB_PREFIX}{self.files.text}" if text.get("hf_tokenizer_name") else None
        return _load(f"local-dir:{folder}", folder, AS_FETCHED, device=device, tokenizer_name=elsewhere)


class TagWeights:
    """A model that open_clip knows, with weights that it knows: 'ViT-B-32/laion2b_s34b_b79k'."""

    def __init__(self, name: str, owner: str, revision: str | None) -> None:
        self.name, self.owner, self._revision = name, owner, revision

    def identity(self) -> str:
        """Name model, repository and commit."""
        return f"{self._model} {self.files.text}@{self.files.commit}"

    def facts(self) -> dict[str, str]:
        """Say where they come from."""
        return {"weights": self.files.text, "commit": str(self.files.commit)}

    @cached_property
    def files(self) -> Source:
        """The repository in which open_clip keeps them.

        Raises:
            UnknownNameError: open_clip knows no such model or no such weights of it.
        """
        repository, names = self._place
        return Source(repository, self.owner, self._revision, used_weights(*names))

    def load(self, device: str) -> Loaded:
        """Read them; see the protocol.

        open_clip is given the file of our commit, and with it what it would have read from the tag. Many weights
        ("openai" among them) were trained with another activation (QuickGELU) than the model of that name has;
        open_clip only warns of it, and every score would be off.
        """
        path = self.files.fetch(*self._place[1])
        told = {f"image_{key}": self._settings[key] for key in PREPROCESSING if key in self._settings}
        return _load(
            self._model,
            path,
            AS_FETCHED,
            device=device,
            pretrained=str(path),
            force_quick_gelu=bool(self._settings.get("quick_gelu")),
            **told,
        )

    @property
    def _model(self) -> str:
        return self.name.rpartition("/")[0]

    @property
    def _place(self) -> tuple[str, tuple[str, ...]]:
        """The repository, and the names that its file may have, safetensors first."""
        repository, _, name = str(self._settings["hf_hub"]).rpartition("/")
        if not name:
            return repository, DEFAULT_FILES
        path = Path(name)
        return repository, (path.with_suffix(".safetensors").name, name) if path.suffix in {".bin", ".pth"} else (name,)

    @cached_property
    def _settings(self) -> Mapping[str, Any]:
        """What open_clip's table says of these weights."""
        import open_clip

        found: dict[str, Any] = open_clip.get_pretrained_cfg(self._model, self.name.rpartition("/")[2])
        if not found.get("hf_hub"):
            known = ["/".join(pair) for pair in open_clip.list_pretrained()]
            of_model = [name for name in known if name.startswith(f"{self._model or self.name}/")]
            hint = "needed: MODEL/PRETRAINED of open_clip.list_pretrained(), hf-hub:org/name, or ./FOLDER"
            raise UnknownNameError("open_clip model", self.name, of_model or known, hint)
        return found


def _load(name: str, place: Path, fix: str, *, tokenizer_name: str | None = None, **settings: Any) -> Loaded:
    import open_clip
    from safetensors import SafetensorError

    try:
        model, _, preprocess = open_clip.create_model_and_transforms(
            name, require_pretrained=True, pretrained_text=False, **settings
        )
        tokenizer = open_clip.get_tokenizer(tokenizer_name or name)
    except (OSError, RuntimeError, ValueError, SafetensorError) as error:
        raise DataError([f"{shown(place)}: cannot be loaded ({error})"], f"  {fix}") from error
    return Loaded(model.eval(), preprocess, tokenizer)
