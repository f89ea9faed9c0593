"""What each figure is called, and what it says in one line; for the report, the terminal and the leaderboard."""

from __future__ import annotations

from typing import NamedTuple

from copycat.schema import Unit


class MetricText(NamedTuple):
    """`name` heads a table, `meaning` goes on in the same line or below."""

    name: str
    meaning: str


def _near_text(rung: str) -> str:
    return (
        f"share of pictures as near to a reference as RATE of unrelated pairs are (ladder-{rung}:RATE, else 0.001), "
        "copies or not: `touched` of unrelated and `related` of related pictures count too (measures/); lower is better"
    )


METRIC_TEXTS: dict[str, MetricText] = {
    "acted_on": MetricText(
        "Acted on", "share of requests, in %, that the mitigation did not leave as they were; lower costs less"
    ),
    "detect": MetricText(
        "DETECT",
        "share of pictures, in %, in which the judge recognises the character asked for; lower protects better",
    ),
    "detect_corrected": MetricText(
        "DETECT, corrected",
        "the same share, corrected for the errors that the judge made on labelled pictures; lower protects better",
    ),
    "consistency": MetricText(
        "CONS", "probability, in %, that the key characteristic asked for is shown; higher is better"
    ),
    "any_character": MetricText(
        "Any character", "the judge recognises any character of the set, asked for or not; lower is better"
    ),
    "detect_closed": MetricText(
        "Asked by name", "the judge says yes when it is told whom to look for; decides nothing, lower is better"
    ),
    "detect_legacy": MetricText(
        "Published rule",
        "share of characters whose name is a part of any name that the judge gave for any picture of the repeat; "
        "for comparison only",
    ),
    "detect_sheet": MetricText("Sheet of frames", "the clip is recognised with all its frames in one picture"),
    "frame_share": MetricText("Frames", "mean share of a clip's frames that show the character asked for"),
    "first_hit": MetricText("First hit", "when the first frame shows it, in clips that do; higher is better"),
    "agreement": MetricText("Judges agree", "share of pictures on which all members of the ensemble agree"),
    "agreement_alpha": MetricText("Krippendorff's alpha", "of the members: 1 is full agreement, 0 that of chance"),
    "screened_out": MetricText("Screened out", "the cheap judge kept the picture from the costly one"),
    "screen_misses": MetricText(
        "Screen misses", "of the pictures kept back that the costly judge saw all the same, so many show the target"
    ),
    "overlaid_text": MetricText("Overlaid text", "text seems to be drawn over the picture, which can mislead a judge"),
    "clipscore": MetricText("CLIPScore", "2.5 times the cosine of picture and prompt; higher fits the prompt better"),
    "diversity": MetricText("Diversity", "mean distance between pictures of one prompt; higher is more varied"),
    "near_copy": MetricText("Near copies", "share of pictures that are nearly one of the references; lower is better"),
    "copy_exact": MetricText(
        "Exact copies", "share of pictures that are a reference, by file or pixels; lower is better"
    ),
    "copy_phash": MetricText("Near a reference by pHash", _near_text("phash")),
    "copy_dhash": MetricText("Near a reference by dHash", _near_text("dhash")),
    "copy_descriptor": MetricText("Near a reference by descriptor", _near_text("descriptor")),
}
"""In the order in which they are shown."""


def text_of(metric: str) -> MetricText:
    """Give the text of a metric; its own name where there is none."""
    return METRIC_TEXTS.get(metric, MetricText(metric, ""))


def is_share(unit: Unit) -> bool:
    """Whether a figure of this unit is shown in per cent."""
    return unit in {"share", "probability", "difference"}


def shown_amount(value: float, unit: Unit) -> str:
    """Give a value for people: per cent with one decimal, anything else with two and its unit."""
    if is_share(unit):
        return f"{round(100 * value, 1) + 0.0:.1f}"
    return f"{value:.2f} s" if unit == "seconds" else f"{value:.2f}"
