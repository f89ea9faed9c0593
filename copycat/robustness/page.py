"""matrix.html: one self-contained page with the figures of a matrix and a few of its pictures. No script."""

from __future__ import annotations

from typing import NamedTuple

from jinja2 import Environment, PackageLoader

from copycat.attacks import ATTACKS
from copycat.metrics import ALL_ANCHORS
from copycat.metrics.significance import LEVEL
from copycat.robustness.cells import RUNS, Around, read_cell
from copycat.robustness.matrix import SEARCH
from copycat.robustness.order import Settled
from copycat.robustness.records import ORIGINAL, PAGE_FILE, Matrix, MatrixCell
from copycat.runs.folder import RunFolder, write_bytes
from copycat.runs.pages import strict_environment
from copycat.runs.report_pictures import thumbnail_data_uri
from copycat.schema import Estimate

_TEMPLATES = PackageLoader("copycat")
_FOLDER = "robustness/"
SHOWN_PX = 96
DASH, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"

MANY_PICTURES = 600
"""More would make a page that opens slowly; then only the first concepts are shown."""


class Shown(NamedTuple):
    """A picture on the page: its file as a data URI, None where there is none; and whether the concept was seen."""

    src: str | None
    is_detected: bool
    prompt: str


class InShort(NamedTuple):
    """What is left of the concepts after a method, of all prompts, and under the attack that brings back most."""

    method: str
    left: Estimate
    most: MatrixCell | None


class Strip(NamedTuple):
    """The pictures of one method on one concept, by attack."""

    method: str
    pictures: dict[str, Shown]


def write_page(settled: Settled, matrix: Matrix, around: Around) -> None:
    """Write matrix.html beside matrix.json."""
    page = build_page(matrix, find_pictures(settled, around))
    write_bytes(settled.order.base.out / PAGE_FILE, page.encode())


def build_page(matrix: Matrix, pictures: dict[str, list[Strip]]) -> str:
    """Write the page as text. Pure.

    Args:
        pictures: strips by the id of the concept.
    """
    environment = strict_environment(_TEMPLATES)
    environment.filters |= {"percent": percent, "spread": spread, "method": method_text, "attack": attack_text}
    environment.filters |= {"seconds": seconds_text, "signed": signed_text, "heat": heat, "reach": reach}
    by_place = {(cell.anchor, cell.method, cell.attack): cell for cell in matrix.cells}
    return environment.get_template(_FOLDER + "matrix.html.j2").render(
        matrix=matrix,
        cells=by_place,
        rows={row.method: row for row in matrix.rows},
        anchors=(*matrix.anchors, ALL_ANCHORS),
        anchor_names={ALL_ANCHORS: "all prompts", SEARCH: "on the searches' own prompts"},
        tested=(*matrix.anchors, ALL_ANCHORS, SEARCH),
        groups=list(dict.fromkeys(kept.group for row in matrix.rows for kept in row.retention)),
        searched=list(dict.fromkeys(name for row in matrix.rows for name in row.search_seconds)),
        pictures=pictures,
        in_short=in_short(matrix),
        counts={(one.concept, one.method, one.attack): one for one in matrix.by_concept},
        level=LEVEL,
        original=ORIGINAL,
        is_notable=is_notable,
        css=_css(environment, len(matrix.anchors) + 1),
    )


def _css(environment: Environment, n_tabs: int) -> str:
    """Give all of the style, with a class for each per cent and each tab: no element has a style of its own."""
    files = [_TEMPLATES.get_source(environment, name)[0] for name in ("imitation/tokens.css", _FOLDER + "matrix.css")]
    heats = [f".v{value} {{ --v: {value}; }} .w{value} {{ --w: {value}; }}" for value in range(101)]
    tabs = [
        f"#a{n}:checked ~ #t{n} {{ display: block; }}\n"
        f'#a{n}:checked ~ .tabs label[for="a{n}"] {{ background: var(--ink); color: var(--paper); }}\n'
        f'#a{n}:focus-visible ~ .tabs label[for="a{n}"] {{ outline: 2px solid var(--link); outline-offset: 2px; }}'
        for n in range(1, n_tabs + 1)
    ]
    return "\n".join([*files, *heats, *tabs])


def find_pictures(settled: Settled, around: Around) -> dict[str, list[Strip]]:
    """Give, for each concept, the first picture by name of every method and attack, of the first training seed."""
    found: dict[str, list[Strip]] = {}
    n = 0
    for cell in settled.cells():
        record = read_cell(settled, cell, around) if cell.seed == 0 and n < MANY_PICTURES else None
        if record is not None:
            runs = settled.order.base.out / RUNS
            strip = Strip(cell.method, {attack: _first(RunFolder(runs / run)) for attack, run in record.runs.items()})
            found.setdefault(cell.concept, []).append(strip)
            n += len(strip.pictures)
    return found


def _first(folder: RunFolder) -> Shown:
    sample = next((one for one in folder.read_samples() if one.status == "ok"), None)
    if sample is None:
        return Shown(None, is_detected=False, prompt="")
    verdicts = folder.read_judgements(folder.read_run().spec)
    seen = any(one.key == sample.key and one.detected == sample.character for one in verdicts)
    content = folder.read_image(sample)
    src = None if content is None else thumbnail_data_uri(content, SHOWN_PX)
    return Shown(src, is_detected=seen, prompt=sample.prompt_sent)


def in_short(matrix: Matrix) -> list[InShort]:
    """Give a line for each method."""
    found = []
    for method in matrix.methods:
        cells = [one for one in matrix.cells if one.method == method and one.anchor == ALL_ANCHORS]
        left = next(one.detect for one in cells if one.attack == ORIGINAL)
        attacked = [one for one in cells if one.attack != ORIGINAL and one.detect.value is not None]
        found.append(InShort(method, left, max(attacked, key=lambda one: one.detect.value or 0.0, default=None)))
    return found


def reach(row: InShort) -> str:
    """Give the class of how far a dot and a ring are apart."""
    most = None if row.most is None else row.most.detect.value
    return f"w{round(100 * abs((most or 0.0) - (row.left.value or 0.0)))}"


def is_notable(cell: MatrixCell) -> bool:
    """Whether an attack changed DETECT by more than chance would."""
    return cell.p_holm is not None and cell.p_holm <= LEVEL


def percent(value: float | None) -> str:
    """Give a share or ratio in whole per cent."""
    return DASH if value is None else f"{100 * value:.0f} %"


def heat(value: float | None) -> str:
    """Give the class of a value's colour, or of a bar's length."""
    return f"v{min(100, max(0, round(100 * (value or 0.0))))}"


def spread(low: float | None, high: float | None) -> str:
    """Give an interval in whole per cent."""
    return "" if low is None or high is None else f"{100 * low:.0f} to {100 * high:.0f}"


def signed_text(estimate: Estimate) -> str:
    """Give a difference in points with its sign."""
    if estimate.value is None:
        return DASH
    points = round(100 * estimate.value)
    return f"{points:+d}".replace("-", MINUS) if points else "0"


def seconds_text(value: float | None) -> str:
    """Give a time: seconds, or minutes from two on."""
    if value is None:
        return DASH
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s" if value < 120 else f"{value / 60:.0f} min"


def method_text(name: str) -> str:
    """Say a method: 'advunlearn, published' for 'advunlearn:published'."""
    return "original model" if name == ORIGINAL else name.replace(":", ", ")


def attack_text(name: str) -> str:
    """Say an attack."""
    if name == ORIGINAL:
        return "no attack"
    kind, _, variant = name.partition(":")
    known = kind in ATTACKS.names()
    return f"{kind.upper()} {variant}".strip() if known and kind in ("arc", "cce") else name.replace(":", " ")
