"""Recorded answers <-> files: JSON, JSONL, a folder, a robots.txt (`recorded.py` tells the form)."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from copycat.errors import DataError
from copycat.provenance.records import SIDECAR_FOLDER
from copycat.provenance.signals.recorded import MAX_BODY_BYTES, Header, Recorded, Response

KEYS = {"url", "status", "headers", "body", "body_file", "body_base64", "fetched_at", "error", "robots", "tdmrep",
        "licence", "licences", "license", "place", "is_cut"}  # fmt: skip
ROBOTS = ("robots.txt",)
TDMREP = ("tdmrep.json", ".well-known/tdmrep.json")
LICENCES = ("license.xml", "licence.xml", "rsl.xml", "licenses.xml")
RESPONSE = "response.json"
MAX_FILE_BYTES = 256 << 20
NEEDED = (
    '  needed: {"url": ..., "status": 200, "headers": {...}, "robots": text, "tdmrep": [...], "licences": [...]}, '
    "any of them, or a list or lines of such; else a robots.txt, a picture, or a dataset"
)


class Twice(dict[str, Any]):
    """An object of JSON in which a key may stand twice: `items()` has all of its pairs, `[key]` the last."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs

    def items(self) -> Any:  # Any: a list for a view
        """Give all pairs, in their order."""
        return self.pairs

    @property
    def repeated(self) -> str:
        """Give a key that stands there twice, "" where none does."""
        names = [name for name, _ in self.pairs]
        return next((name for at, name in enumerate(names) if name in names[:at]), "") if len(names) > len(self) else ""


def is_recorded(path: Path) -> bool:
    """Whether a file or folder holds recorded answers, and not a dataset (which may have a robots.txt, too)."""
    if path.is_dir() and any((path / name).exists() for name in ("README.md", SIDECAR_FOLDER)):
        return False
    if path.is_dir():
        return any((path / name).is_file() for name in (RESPONSE, *ROBOTS, *TDMREP))
    name = path.name.casefold()
    if name in ROBOTS or name.endswith("robots.txt") or name.endswith("tdmrep.json"):
        return True
    if name.endswith(".json"):
        return True
    return name.endswith(".jsonl") and _begins_as_recorded(path)


def _begins_as_recorded(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            first = json.loads(stream.readline(MAX_BODY_BYTES).decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(first, dict) and "url" in first and set(first) <= KEYS and len(first) > 1


def read_recorded(path: Path, url: str = "") -> list[Recorded]:
    """Read recorded answers, one for each address.

    Args:
        url: the address that they are about, for files that do not say (robots.txt, a folder without response.json).

    Raises:
        DataError: it cannot be read, or is not of the form; the line is told.
    """
    if path.is_dir():
        return [_of_folder(path, url)]
    raw = _read(path)
    name = path.name.casefold()
    if name.endswith("robots.txt"):
        return [Recorded(url=url, robots=Response(body=raw, status=200, place=path.name))]
    if name.endswith("tdmrep.json"):
        return [Recorded(url=url, tdmrep=Response(body=raw, status=200, place=path.name))]
    if name.endswith(".jsonl"):
        return list(_of_lines(path, raw, url))
    held = _json(raw, f"{path}")
    many = held if isinstance(held, list) else [held]
    return [recorded_of(one, path.parent, f"{path}", url) for one in many]


def _of_lines(path: Path, raw: bytes, url: str) -> Iterator[Recorded]:
    for number, line in enumerate(raw.splitlines(), 1):
        if line.strip():
            where = f"{path}:{number}"
            yield recorded_of(_json(line, where), path.parent, where, url)


def _of_folder(path: Path, url: str) -> Recorded:
    own = path / RESPONSE
    held = _json(_read(own), f"{own}") if own.is_file() else {}
    recorded = recorded_of(held, path, f"{own}", url)
    extra: dict[str, Any] = {}
    robots, tdmrep = _first(path, ROBOTS), _first(path, TDMREP)
    if recorded.robots is None and robots is not None:
        extra["robots"] = robots
    if recorded.tdmrep is None and tdmrep is not None:
        extra["tdmrep"] = tdmrep
    if not recorded.licences:
        extra["licences"] = tuple(held for name in LICENCES if (held := _first(path, (name,))) is not None)
    bodies = sorted(file for file in path.iterdir() if file.stem == "body" and file.is_file())
    if bodies and not (recorded.page and recorded.page.body):
        page = recorded.page or Response(url=recorded.url)
        extra["page"] = page.model_copy(update={"body": _read(bodies[0]), "place": page.place or bodies[0].name})
    return recorded.model_copy(update=extra)


def _first(folder: Path, names: Sequence[str]) -> Response | None:
    for name in names:
        if (folder / name).is_file():
            return Response(body=_read(folder / name), status=200, place=name)
    return None


def recorded_of(held: Any, folder: Path, where: str, url: str = "") -> Recorded:
    """Make the record of one JSON object.

    Raises:
        DataError: it is not of the form.
    """
    if not isinstance(held, Mapping):
        raise DataError([f"{where}: is no object"], NEEDED)
    _require_once(held, where)
    if held and not set(held) & KEYS:
        raise DataError([f"{where}: has none of the keys of a recorded answer"], NEEDED)
    address = str(held.get("url") or url)
    own = {"status", "headers", "body", "body_file", "body_base64", "error", "fetched_at"} & set(held)
    licences = held.get("licences", held.get("licence", held.get("license", ())))
    if licences and not isinstance(licences, list):
        licences = [licences]
    fetched = held.get("fetched_at")
    return Recorded(
        url=address,
        page=_response({**held, "url": address}, folder, where) if own else None,
        robots=_part(held, "robots", folder, where, fetched),
        tdmrep=_part(held, "tdmrep", folder, where, fetched),
        licences=tuple(_response(_object(one, fetched), folder, f"{where} licences") for one in licences or ()),
    )


def _require_once(held: Any, where: str) -> None:
    if isinstance(held, Twice) and held.repeated:
        raise DataError([f"{where}: has {held.repeated[:40]!r} twice"], "  needed: each key once")


def _part(held: Mapping[str, Any], name: str, folder: Path, where: str, fetched: Any) -> Response | None:
    part = held.get(name)
    if part is None:
        return None
    place = {"robots": "robots.txt", "tdmrep": "tdmrep.json"}[name]
    own = _object(part, fetched)
    return _response({**own, "place": own.get("place") or own.get("url") or place}, folder, f"{where} {name}")


def _object(part: Any, fetched: Any) -> dict[str, Any]:
    """Give a response as an object: text is a body, JSON that is no response is one, too."""
    if isinstance(part, str):
        return {"body": part, "status": 200, "fetched_at": fetched}
    if isinstance(part, Mapping) and set(part) <= KEYS:
        _require_once(part, "an answer")
        return {"fetched_at": fetched, **part}
    return {"body": json.dumps(part), "status": 200, "fetched_at": fetched}


def _response(held: Mapping[str, Any], folder: Path, where: str) -> Response:
    status = held.get("status")
    if status is not None and (isinstance(status, bool) or not isinstance(status, int)):
        raise DataError([f"{where}: status is {str(status)[:40]!r}"], "  needed: a number such as 200")
    fetched = held.get("fetched_at")
    return Response(
        url=str(held.get("url") or ""),
        status=status,
        headers=headers_of(held.get("headers"), where),
        body=_body(held, folder, where),
        fetched_at=None if fetched is None else str(fetched),
        error=str(held.get("error") or ""),
        is_cut=bool(held.get("is_cut")),
        place=str(held.get("place") or held.get("url") or ""),
    )


def headers_of(held: Any, where: str) -> tuple[Header, ...]:
    """Give headers of any usual form: an object, a list of pairs, of objects with name and value, or lines of text.

    Raises:
        DataError: it is none of these.
    """
    if held is None:
        return ()
    if isinstance(held, str):
        return _of_text(held, where)
    pairs: Iterable[Any] = held.items() if isinstance(held, Mapping) else held
    if not isinstance(held, (Mapping, list, tuple)):
        raise DataError([f"{where}: headers are {type(held).__name__}"], "  needed: an object, or a list of pairs")
    headers: list[Header] = []
    for held_pair in pairs:
        is_named = isinstance(held_pair, Mapping) and "name" in held_pair
        pair = (held_pair["name"], held_pair.get("value")) if is_named else held_pair
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise DataError([f"{where}: a header is {str(pair)[:80]!r}"], "  needed: a name and a value")
        name, value = pair
        values = value if isinstance(value, (list, tuple)) else [value]
        headers += [Header(str(name), "" if one is None else str(one)) for one in values]
    return tuple(headers)


def _of_text(text: str, where: str) -> tuple[Header, ...]:
    stripped = text.strip()
    if stripped[:1] in "{[" and stripped:
        try:
            held = json.loads(stripped, object_pairs_hook=Twice)
        except (ValueError, RecursionError):
            raise DataError([f"{where}: headers are no JSON"], "  needed: an object, or a list of pairs") from None
        return headers_of(held, where)
    unfolded = re.sub(r"\r?\n[ \t]+", " ", stripped)  # RFC 9112, 5.2: a line that begins with a space goes on
    lines = [line for line in unfolded.splitlines() if line.strip() and not line.startswith("HTTP/")]
    faulty = next((line for line in lines if ":" not in line), None)
    if faulty is not None:
        raise DataError([f"{where}: a header is {faulty[:80]!r}"], "  needed: a name, a colon and a value")
    return tuple(Header(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines))


def _body(held: Mapping[str, Any], folder: Path, where: str) -> bytes:
    if held.get("body_file"):
        name = str(held["body_file"])
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise DataError(
                [f"{where}: body_file {name[:80]!r} is outside of its folder"], "  needed: a file beside it"
            )
        return _read(path)
    if held.get("body_base64"):
        try:
            return base64.b64decode(str(held["body_base64"]), validate=True)[:MAX_BODY_BYTES]
        except (binascii.Error, ValueError):
            raise DataError([f"{where}: body_base64 is no base64"], "  needed: bytes in base64") from None
    body = held.get("body")
    if body is None or isinstance(body, str):
        return (body or "").encode("utf-8", "replace")[:MAX_BODY_BYTES]
    return json.dumps(body).encode()


def object_of(recorded: Recorded) -> dict[str, Any]:
    """Give the JSON object of a record, from which `recorded_of` makes the same record."""
    held: dict[str, Any] = {"url": recorded.url}
    if recorded.page is not None:
        held |= {**_object_of(recorded.page), "url": recorded.url or recorded.page.url}
    for name, part in (("robots", recorded.robots), ("tdmrep", recorded.tdmrep)):
        if part is not None:
            held[name] = _object_of(part)
    if recorded.licences:
        held["licences"] = [_object_of(licence) for licence in recorded.licences]
    return held


def _object_of(response: Response) -> dict[str, Any]:
    held: dict[str, Any] = {"url": response.url, "status": response.status, "headers": [*map(list, response.headers)]}
    if response.fetched_at:
        held["fetched_at"] = response.fetched_at
    if response.error:
        held["error"] = response.error
    if response.place and response.place != response.url:
        held["place"] = response.place
    if response.is_cut:
        held["is_cut"] = True
    if response.body:
        try:
            held["body"] = response.body.decode("utf-8")
        except UnicodeDecodeError:
            held["body_base64"] = base64.b64encode(response.body).decode("ascii")
    return held


def _json(raw: bytes, where: str) -> Any:
    try:
        return json.loads(raw.decode("utf-8-sig"), object_pairs_hook=Twice)
    except (ValueError, RecursionError) as error:
        raise DataError([f"{where}: is no JSON: {str(error)[:120]}"], NEEDED) from None


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise DataError([f"{path}: has more than {MAX_FILE_BYTES} bytes"], "  needed: a smaller file")
        return path.read_bytes()
    except OSError as error:
        raise DataError([f"{path}: cannot be read: {error.strerror}"], NEEDED) from None
