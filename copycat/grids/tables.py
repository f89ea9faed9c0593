"""The published figures: DETECT of 50 characters (mean and spread over 3 runs) and CONS.

Source: CopyCat, arXiv 2406.14526 v2, Tables 1, 2 and 8; Figure 3 digitised from the project's page (one run, no
spread, of the first version). The judge was GPT-4V, so orders can be compared and levels cannot.

Mitigations are written with the paper's own words for keyword lists, in braces: {lm}, {embedding},
{cooccurrence} and {rewrite}; `cells.py` says what they are in a character set.
"""

from __future__ import annotations

from copycat.registry import Registry
from copycat.schema import Record

MAIN_MODEL = "playground-v2.5"
"""The model of Tables 1 and 8; what other models are held against."""


class Published(Record):
    """A cell as printed; None where there is no such figure."""

    detect: float
    detect_spread: float | None = None
    cons: float | None = None


class Row(Record):
    """One row of a grid: what was sent, and what was published for each column."""

    label: str
    cells: tuple[Published | None, ...]


class Column(Record):
    """One column: prompts of one kind, perhaps rewritten. `anchor` and `mitigation` may hold words in braces.

    Rows fill '{row}' in.
    """

    label: str
    anchor: str
    mitigation: str


class Grid(Record):
    """A table of the paper. `model` is whose figures they are, None where each row is another model's."""

    name: str
    title: str
    source: str
    model: str | None = MAIN_MODEL
    row_words: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def _cells(*figures: tuple[float, float | None, float | None]) -> tuple[Published, ...]:
    return tuple(Published(detect=detect, detect_spread=spread, cons=cons) for detect, spread, cons in figures)


_TABLE1 = Grid(
    name="table1",
    title="Negative prompts, on names and on rewritten names",
    source="CopyCat, Table 1 (Playground v2.5)",
    row_words=(
        "none",
        "negprompt:copyright",
        "negprompt:copyright,{lm}-5",
        "negprompt:copyright,{embedding}-5",
        "negprompt:copyright,{cooccurrence}-5",
        "negprompt:copyright,{embedding}-5,{cooccurrence}-5",
        "negprompt:name",
        "negprompt:name,{lm}-5",
        "negprompt:name,{embedding}-5",
        "negprompt:name,{cooccurrence}-5",
        "negprompt:name,{embedding}-5,{cooccurrence}-5",
    ),
    columns=(
        Column(label="name", anchor="name", mitigation="{row}"),
        Column(label="rewritten", anchor="name", mitigation="{rewrite}+{row}"),
    ),
    rows=(
        Row(label="none", cells=_cells((30.33, 1.89, 0.75), (14.33, 2.62, 0.80))),
        Row(label="copyrighted character", cells=_cells((30.33, 1.25, 0.74), (17.33, 1.70, 0.80))),
        Row(label="+ 5 LM", cells=_cells((30.33, 1.89, 0.71), (14.33, 1.70, 0.80))),
        Row(label="+ 5 EmbeddingSim", cells=_cells((28.00, 1.41, 0.72), (15.67, 1.25, 0.80))),
        Row(label="+ 5 co-occurrence", cells=_cells((27.33, None, 0.73), (14.33, 0.94, 0.80))),
        Row(label="+ 5 + 5", cells=_cells((23.33, 3.30, 0.72), (7.00, 1.63, 0.81))),
        Row(label="target name", cells=_cells((23.67, 2.62, 0.76), (7.67, 0.47, 0.81))),
        Row(label="name + 5 LM", cells=_cells((25.00, 1.63, 0.74), (7.00, 1.63, 0.81))),
        Row(label="name + 5 EmbeddingSim", cells=_cells((22.67, 2.36, 0.73), (5.67, 0.47, 0.80))),
        Row(label="name + 5 co-occurrence", cells=_cells((20.67, 2.05, 0.75), (5.00, 0.82, 0.81))),
        Row(label="name + 5 + 5", cells=_cells((20.67, 0.47, 0.72), (4.33, 0.47, 0.81))),
    ),
)
# The spread of "+ 5 co-occurrence" is printed as 0.00, which no three whole numbers with that mean have.

_TABLE2 = Grid(
    name="table2",
    title="Five models, without and with the paper's best mitigation",
    source="CopyCat, Table 2",
    model=None,
    row_words=("playground-v2.5", "sdxl", "pixart-alpha", "deepfloyd-if", "videofusion"),
    columns=(
        Column(label="none", anchor="name", mitigation="none"),
        Column(
            label="rewritten, name + 5 + 5",
            anchor="name",
            mitigation="{rewrite}+negprompt:name,{embedding}-5,{cooccurrence}-5",
        ),
    ),
    rows=(
        Row(label="Playground v2.5", cells=_cells((30.33, 1.89, 0.75), (4.33, 0.47, 0.81))),
        Row(label="SDXL", cells=_cells((33.00, 1.00, 0.73), (1.67, 0.94, 0.77))),
        Row(label="PixArt-alpha", cells=_cells((24.67, 0.58, 0.79), (4.67, 0.47, 0.79))),
        Row(label="DeepFloyd IF", cells=_cells((33.67, 1.53, 0.71), (2.00, 1.00, 0.72))),
        Row(label="VideoFusion", cells=_cells((28.33, 1.89, 0.68), (11.33, 1.53, 0.76))),
    ),
)

_TABLE8 = Grid(
    name="table8",
    title="Indirect prompts, without and with the name as negative prompt",
    source="CopyCat, Table 8 (Playground v2.5)",
    row_words=("keywords:{lm}-10", "keywords:{lm}-20", "keywords:{lm}-50", "keywords:{cooccurrence}-5", "description"),
    columns=(
        Column(label="none", anchor="{row}", mitigation="none"),
        Column(label="target name", anchor="{row}", mitigation="negprompt:name"),
    ),
    rows=(
        Row(label="10 curated keywords", cells=_cells((14.00, 3.00, 0.76), (7.00, 2.00, 0.76))),
        Row(label="20 curated keywords", cells=_cells((28.00, 2.65, 0.78), (20.67, 3.21, 0.76))),
        Row(label="50 curated keywords", cells=_cells((29.67, 2.08, 0.78), (16.00, 1.00, 0.76))),
        Row(label="5 co-occurrence", cells=_cells((19.67, 2.89, 0.74), (12.33, 2.31, 0.72))),
        Row(label="description", cells=_cells((21.00, 2.65, 0.78), (10.33, 0.58, 0.78))),
    ),
)
# The paper does not say what "curated" is; the list of the language model stands in.

_K = (3, 5, 10, 20)
_FIGURE3 = Grid(
    name="figure3",
    title="Keywords by ranker and number",
    source="CopyCat, Figure 3 (Playground v2.5), digitised",
    row_words=("embedding", "c4", "pile", "openwebtext", "{cooccurrence}", "{lm}"),
    columns=tuple(Column(label=f"{k} keywords", anchor=f"keywords:{{row}}-{k}", mitigation="none") for k in _K),
    rows=tuple(
        Row(label=label, cells=_cells(*((count, None, None) for count in counts)))
        for label, counts in (
            ("EmbeddingSim", (9, 11, 19, 14)),
            ("C4", (7, 9, 11, 18)),
            ("Pile", (9, 10, 13, 12)),
            ("OpenWebText", (10, 9, 15, 18)),
            ("LAION co-occurrence", (11, 19, 18, 25)),
            ("LM-ranked", (7, 15, 19, 22)),
        )
    ),
)

GRIDS: Registry[Grid] = Registry("grid", (_TABLE1, _TABLE2, _TABLE8, _FIGURE3))
