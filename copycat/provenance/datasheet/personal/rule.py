"""D3: a sample of records is searched for what belongs to persons; shares with intervals, nothing shown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import ClassVar, Literal

from copycat.metrics.intervals import wilson
from copycat.provenance.dataset import Batch
from copycat.provenance.datasheet.answers import read_answers
from copycat.provenance.datasheet.personal.finding import find_personal, mask
from copycat.provenance.datasheet.personal.sampling import Sample
from copycat.provenance.records import Evidence, Finding
from copycat.provenance.rules.rule import MAX_EVIDENCE, Context, Rule

SAMPLE = 4000
"""Records that are looked at: of a share of 1 % the interval is then 0.7 to 1.4 %."""

SAYS_NONE = re.compile(
    r"^\W*(?:none\b|(?:there (?:is|are)|(?:it|the dataset|this dataset) (?:has|holds|contains?)|contains?|has|with)?\s*"
    r"(?:no|not any|without)\s+(?:\w+\s+){0,2}?(?:person\w*|sensitive|private|pii|names?|e-?mails?|phones?|telephone"
    r"|addresses|such)\b)",
    re.IGNORECASE,
)
"""How a card says that there is none: "None.", "There is no personal data"; not "Not looked for"."""

EXCEPT = re.compile(
    r"\d|\b(?:but|except|apart|beside|other than|unless|however|only|remov\w+|mask\w+|delet\w+|replac\w+|check\w*"
    r"|look\w*|search\w*|anonym\w+|was taken|were taken|known)\b",
    re.IGNORECASE,
)
"""Words by which a "none" is not one."""

MOST_LETTERS, FEWEST = 8_000_000, 200
"""Of long texts fewer records are looked at: as many as have so many letters together, and FEWEST at least."""

COLUMNS = ("text", "title", "author")


class PersonalData(Rule):
    """D3: how many records hold e-mail addresses, telephone numbers and the like, told from a sample."""

    id = "D3"
    severities = ("error", "warning")
    reads: ClassVar[Literal["nothing", "facts", "content"]] = "content"
    needs = COLUMNS

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.sample = Sample(int(context.options.get("personal-sample", SAMPLE)), context.seed, COLUMNS)
        self.has_text = False
        self.n_looked_at = 0

    def see(self, batch: Batch) -> None:
        """Take note of one batch."""
        if any(batch.column(name) is not None for name in COLUMNS):
            self.has_text = True
        self.sample.add(batch)

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        counts: Counter[str] = Counter()
        evidence: list[Evidence] = []
        n_hit = 0
        n_letters = 0
        for record in self.sample.records():
            n_letters += sum(len(text) for _, text in record.texts)
            if n_letters > MOST_LETTERS and self.n_looked_at >= FEWEST:
                break
            found = [
                (name, text, hit) for name, text in record.texts for hit in find_personal(text, self.context.region)
            ]
            self.n_looked_at += 1
            counts.update({hit.kind for _, _, hit in found})
            n_hit += bool(found)
            if found and len(evidence) < MAX_EVIDENCE:
                name, text, hit = found[0]
                shown = {
                    "pointer": f"{record.place.pointer} {name}".strip(),
                    "value": mask(hit.kind, text[hit.start : hit.end]),
                }
                evidence.append(record.place.model_copy(update=shown))
        if n_hit:
            yield from self._findings(n_hit, counts, evidence)

    def _findings(self, n_hit: int, counts: Counter[str], evidence: list[Evidence]) -> Iterable[Finding]:
        kinds = ", ".join(f"{kind}: {count}" for kind, count in counts.most_common())
        said = f"{self._share(n_hit)} hold what belongs to a person ({kinds})"
        if claim := self._claim_of_none():
            yield self.finding(
                "error",
                f"the card says that there is none, and {said}",
                "correct the card, or take it out",
                claim,
                *evidence,
            )
            return
        yield self.finding(
            "warning",
            said,
            "take it out or mask it where nobody agreed, and say in the card how it was looked for and what was found",
            *evidence,
        )

    def _share(self, k: int) -> str:
        n, n_all = self.n_looked_at, self.sample.n_seen
        if n == n_all:
            return f"{k} of {n} records ({100 * k / n:.1f} %)"
        interval = wilson(k, n)
        share = f"{100 * k / n:.1f} % [{100 * interval.low:.1f}, {100 * interval.high:.1f}] of the records"
        return f"{share} ({k} of a sample of {n} from {n_all})"

    def _claim_of_none(self) -> Evidence | None:
        """Give the place where the card says that there is no personal data; None if it says no such thing."""
        card = self.context.dataset.card
        if not card.file and not card.croissant_file:
            return None
        for place, text in read_answers(card).said["personal"]:
            if SAYS_NONE.match(text) and not EXCEPT.search(text):
                file = card.croissant_file if place.startswith("croissant") else card.file
                return Evidence(file=file, pointer=place, value=" ".join(text.split())[:80])
        return None

    def not_applicable(self) -> str | None:
        """Say why there is nothing to look at."""
        if not self.has_text:
            return f"the records have no text (columns {', '.join(COLUMNS)}); pictures are not looked at"
        return None

    def passed(self) -> str:
        """Say what was seen."""
        n, n_all = self.n_looked_at, self.sample.n_seen
        if not n or n == n_all:
            return f"nothing in {n} records; names, postal addresses and pictures are not looked at"
        return f"nothing in {n} of {n_all} records, so at most {100 * wilson(0, n).high:.2f} % hold any"
