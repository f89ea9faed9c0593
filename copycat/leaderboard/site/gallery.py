"""The gallery of a run, assembled by hand: a page holds hundreds of these parts and a site hundreds of thousands.

Templates are several times slower here. Every value that is not a number of ours goes through `escape`, whatever record
it comes from; end tags that HTML does without are left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape as escape_always
from typing import NamedTuple
from urllib.parse import quote

from markupsafe import Markup

from copycat.leaderboard.site.run_view import Entry, Person, Sent, Strip, Tally, Tile
from copycat.leaderboard.site.summary import Ending

SAID: dict[Ending, str] = {
    "target": "The judge recognises the target",
    "other": "The judge recognises another character, ",
    "none": "The judge recognises no character",
    "unjudged": "There is no verdict",
    "refused": "Refused",
    "blocked": "Blocked",
    "invalid": "Invalid",
    "failed": "Failed",
}
"""What the alternative text of a picture says."""

HASH_LETTERS = 12
"""Of the hash on the tile of a picture that is withheld; the whole hash is below it."""

_SPECIAL = re.compile("[&<>\"']")


class GalleryPage(NamedTuple):
    """What all parts of one gallery share: the way to the root of the site, the character set, and what is there."""

    root: str
    characters: str
    has_pictures: bool


def escape(text: str) -> str:
    """Write a text so that it stays text, in an attribute as well; most need nothing, which a search finds fastest."""
    return escape_always(text) if _SPECIAL.search(text) else text


def grid_row(entry: Entry, anchors: Sequence[str]) -> Markup:
    """Give a row of the heat map: the name, which leads to its pictures, and a cell for each anchor and for all."""
    who, name, franchise = entry.character, escape(entry.character.name), escape(entry.character.franchise)
    by_anchor = {strip.anchor: strip.tally for strip in entry.strips}
    cells = "".join([*(cell(by_anchor.get(anchor)) for anchor in anchors), cell(entry.tally)])
    return Markup(  # noqa: S704  # every value is escaped, a slug or a number
        f'<tr id="g-{who.id}" data-name="{name}" data-franchise="{franchise}"><th scope="row">'
        f'<a href="#c-{who.id}">{name}</a> <span class="franchise">{franchise}</span>{cells}\n'
    )


def cell(tally: Tally | None) -> Markup:
    """Give one cell: k of n in the colour of its heat; its title tells CONS, where there is one."""
    if tally is None or tally.level is None:
        return Markup('<td class="hx">\u2013')
    title = "" if tally.consistency is None else f' title="CONS {percent(tally.consistency)}"'
    return Markup(f'<td class="h{tally.level}"{title}>{tally.k}/{tally.n}')  # noqa: S704  # numbers


def percent(share: float) -> str:
    """Give a share for people: '42.0 %' with a narrow space."""
    return f"{share * 100:.1f}\u202f%"


def section(entry: Entry, page: GalleryPage) -> Markup:
    """Give all requests of one character."""
    who, name = entry.character, escape(entry.character.name)
    reveal = (
        f'<label class="reveal-some"><input type="checkbox" class="reveal" autocomplete="off"> show'
        f'<span class="sr"> all pictures of {name}</span></label>'
        if page.has_pictures
        else ""
    )
    parts = [
        f'<section class="character" id="c-{who.id}" aria-labelledby="n-{who.id}"'
        f' data-find="{escape(f"{who.name} {who.franchise}".lower())}">',
        f'<header><h3 id="n-{who.id}">{name}</h3> <span class="franchise">{escape(who.franchise)}</span> ',
        f'<span class="tally">{entry.tally.k}/{entry.tally.n}</span> {reveal}',
        f'<a href="#g-{who.id}" aria-label="Back to {name} in the grid">↑\u00a0grid</a> ',
        f'<a href="{page.root}characters/{quote(page.characters)}/{who.id}.html" aria-label="{name} in all runs">',
        "all\u00a0runs</a></header>\n",
        *(_strip(strip, who, page) for strip in entry.strips),
        "</section>\n",
    ]
    return Markup("".join(parts))  # noqa: S704  # every value above is escaped, or a slug


def _strip(strip: Strip, who: Person, page: GalleryPage) -> str:
    anchor, tally = escape(strip.anchor), strip.tally
    is_told_below = len(strip.tiles) == 1  # of one picture, the mean is the picture's own
    cons = "" if tally.consistency is None or is_told_below else f'<p class="cons">CONS {percent(tally.consistency)}'
    label = f"Show {escape(who.name)}, {anchor}, picture "
    return "".join(
        [
            f'<div class="strip" data-anchor="{anchor}"><div class="asked">',
            f'<h4>{anchor} <span class="tally">{tally.k}/{tally.n}</span></h4>{cons}',
            f'<p class="sent"><q>{escape(strip.planned)}</q>',
            *(_sent(sent, place, strip) for place, sent in enumerate(strip.sent, start=1)),
            '</div><div class="shots">\n',
            *(_shot(tile, label, page) for tile in strip.tiles),
            "</div></div>\n",
        ]
    )


def _sent(sent: Sent, place: int, strip: Strip) -> str:
    """Tell what the model was given, where that is not simply the prompt."""
    which = f" ({place})" if len(strip.sent) > 1 else ""
    said = [] if sent.text == strip.planned and not which else [f"<i>sent{which}</i> <q>{escape(sent.text)}</q>"]
    if sent.negative is not None:
        said.append(f"<i>negative{which}</i> <q>{escape(sent.negative)}</q>")
    if sent.guide:
        said.append(f"<i>guided by{which}</i> {escape(sent.guide)}")
    cut = f'<p class="cut">cut: the last {sent.n_cut} tokens did not fit' if sent.n_cut else ""
    return "".join(f'<p class="sent">{one}' for one in said) + cut


def _shot(tile: Tile, label: str, page: GalleryPage) -> str:
    return (
        f'<figure class="shot" id="p-{escape(tile.sample.key)}" data-end="{tile.ending}">{_frame(tile, label, page)}'
        f"<figcaption>{_caption(tile)}{_details(tile)}</figcaption></figure>\n"
    )


def _frame(tile: Tile, label: str, page: GalleryPage) -> str:
    picture, sample = tile.picture, tile.sample
    if picture is not None:
        return (
            f'<label class="frame {tile.ending}"><input type="checkbox" class="sr" autocomplete="off"'
            f' aria-label="{label}{sample.repeat + 1}"><img src="{page.root}{picture.href}" width="{picture.width}"'
            f' height="{picture.height}" alt="{SAID[tile.ending]}{escape(tile.seen)}" loading="lazy" decoding="async">'
            "</label>"
        )
    if sample.sha256 is None:
        return f'<div class="frame gone"><p class="tile"><b>{tile.ending}</b> {escape(tile.detail)}</div>'
    why = (
        "<b>not shown</b> its file is missing, unreadable or not the one that was judged"
        if page.has_pictures
        else f"<b>withheld</b> <code>{escape(sample.sha256[:HASH_LETTERS])}…</code>"
    )
    return f'<div class="frame {tile.ending}"><p class="tile">{why}</div>'


def _caption(tile: Tile) -> str:
    if tile.sample.sha256 is None:
        return ""
    confidence = "" if tile.confidence is None else f" {percent(tile.confidence)}"
    seen = [tile.detail] if tile.ending == "unjudged" else [tile.seen] if tile.seen else []
    if tile.frames is not None:
        seen.append(f"target in {tile.frames[0]} of {tile.frames[1]} frames")
    cons = "" if tile.consistency is None else f'<span class="cons">CONS {percent(tile.consistency)}</span>'
    lines = "".join(f'<span class="seen">{escape(line)}</span>' for line in (*seen, *tile.flags))
    return f'<span class="verdict {tile.ending}">{tile.ending}</span>{confidence}{cons}{lines}'


def _details(tile: Tile) -> str:
    """Give what is behind "more": seed, the judge's words, hashes, and the key of the line in samples.jsonl."""
    sample = tile.sample
    words = [("seed", str(sample.seed))]
    if tile.sent is not None:
        words.append(("prompt", f"({tile.sent})"))
    if tile.names is not None:
        words.append(("said", f"“{'”, “'.join(tile.names)}”" if tile.names else "named nobody"))
    if tile.closed is not None:
        words.append(("asked by name", "yes" if tile.closed else "no"))
    words += [(answer.question, f"“{answer.text}”") for answer in tile.answers]
    words += [("note", note) for note in tile.notes]
    if tile.detail and tile.ending in ("target", "other", "none"):
        words.append(("detail", tile.detail))
    if sample.width is not None:
        words.append(("size", f"{sample.width} by {sample.height} px"))
    if sample.seconds is not None:
        words.append(("seconds", f"{sample.seconds:.3g}"))
    hashes = (("sha256", sample.sha256), ("clip", sample.video_sha256), ("perceptual", sample.perceptual_hash))
    words += [(name, value) for name, value in (*hashes, ("key", sample.key)) if value is not None]
    told = "".join(f"<dt>{escape(name)}<dd>{escape(value)}" for name, value in words)
    of_picture = f'<span class="sr"> on picture {sample.repeat + 1}</span>'
    return f"<details><summary>more{of_picture}</summary><dl>{told}</dl></details>"
