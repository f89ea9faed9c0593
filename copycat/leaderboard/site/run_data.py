"""data.js of a run: what the page that compares two runs needs of it, as text in a script.

A page from disk may run a script beside it but not fetch a file, so the data come as a script that hands one string
over. The string is JSON: whatever a submission says stays data.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from copycat.leaderboard.rows import BoardRow
from copycat.leaderboard.site.run_view import Entry, Tile, guide_of

FUNCTION = "copycatRun"

Text = tuple[str, str | None, str]


def build_run_data(row: BoardRow, entries: Sequence[Entry]) -> str:
    """Give the script, one call: `copycatRun("<id>", "<JSON>")`.

    The JSON is an object with `characters` (id, name, franchise), `texts` (prompt as sent, negative prompt or null,
    guidance or "") and `samples`, one list per request: place of the character, place of the anchor in `anchors`,
    repeat, seed, ending, whom the judge saw if not the target, confidence, consistency, picture (href from the root) or
    null, its width and height, place of the text, why there is no picture or no verdict, and the request's key.
    """
    texts: dict[Text, int] = {}
    samples = [
        _sample(place, row.anchors.index(strip.anchor), tile, texts)
        for place, entry in enumerate(entries)
        for strip in entry.strips
        for tile in strip.tiles
    ]
    content = {
        "anchors": row.anchors,
        "characters": [entry.character[:3] for entry in entries],
        "texts": list(texts),
        "samples": samples,
    }
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return f"{FUNCTION}({_literal(row.id)}, {_literal(text)});\n"


def _sample(character: int, anchor: int, tile: Tile, texts: dict[Text, int]) -> list[object]:
    sample, picture = tile.sample, tile.picture
    text = texts.setdefault((sample.prompt_sent, sample.negative_prompt, guide_of(sample)), len(texts))
    return [
        character,
        anchor,
        sample.repeat,
        sample.seed,
        tile.ending,
        tile.seen,
        None if tile.confidence is None else round(tile.confidence, 4),
        None if tile.consistency is None else round(tile.consistency, 4),
        *((picture.href, picture.width, picture.height) if picture else (None, 0, 0)),
        text,
        tile.detail,
        sample.key,
    ]


def _literal(text: str) -> str:
    """Write a string as JavaScript reads it: plain ASCII, and nothing that a page could take for a tag."""
    return json.dumps(text).replace("<", "\\u003c")
