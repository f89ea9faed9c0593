"""D2: which records a model made, from which prompt, how many they are, and whether the card says so.

Source: "Towards Best Practices for Open Datasets" (arXiv 2501.08365), practice 4.2: tools, prompts and models of
synthetic data are documented.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

from copycat.provenance.dataset import Batch
from copycat.provenance.datasheet.answers import read_answers
from copycat.provenance.datasheet.claims import PERCENT, agrees_with_share, share_text
from copycat.provenance.datasheet.facts import Facts, synthetic_columns
from copycat.provenance.records import Evidence, Finding, Severity
from copycat.provenance.rules.rule import Context, Found, Rule

HASH = r"^(?:sha256:)?[0-9a-fA-F]{64}$"


class SyntheticDisclosed(Rule):
    """D2: each synthetic record names its model and prompt, and the card states their share."""

    id = "D2"
    severities = ("error", "warning")
    reads: ClassVar[Literal["nothing", "facts", "content"]] = "facts"
    needs = ("synthetic", "generator", "prompt_hash", "version_removed")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.facts = Facts()
        self.no_model, self.no_prompt, self.no_hash = Found(), Found(), Found()

    def see(self, batch: Batch) -> None:
        """Take note of one batch."""
        import pyarrow.compute as pc

        self.facts.add(batch)
        columns = {name: batch.column(name) for name in ("synthetic", "generator", "prompt_hash")}
        mark, model, prompt, _ = synthetic_columns(columns, batch.size)
        if mark is None or not pc.any(mark).as_py():
            return
        removed = batch.texts("version_removed") if batch.column("version_removed") is not None else None
        is_hash = pc.match_substring_regex(prompt, HASH)
        for found, missing, pointer in (
            (self.no_model, pc.equal(model, ""), "generator"),
            (self.no_prompt, pc.equal(prompt, ""), "prompt_hash"),
            (self.no_hash, pc.and_(pc.not_equal(prompt, ""), pc.invert(is_hash)), "prompt_hash"),
        ):
            rows = pc.indices_nonzero(pc.fill_null(pc.and_(mark, missing), False)).to_pylist()
            rows = [row for row in rows if removed is None or not removed[row]]
            values = [prompt[row].as_py() for row in rows[:5]] + [""] * max(0, len(rows) - 5)
            found.add(batch, rows, pointer, values)

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        missing: tuple[tuple[Found, Severity, str, str], ...] = (
            (
                self.no_model,
                "error",
                "synthetic records that name no model",
                "name the model and its version: 'generator'",
            ),
            (self.no_prompt, "error", "synthetic records without a prompt", "put the prompt's sha256 in 'prompt_hash'"),
            (
                self.no_hash,
                "warning",
                "prompts of synthetic records that are no sha256",
                "put its sha256 there, the prompts in a file",
            ),
        )
        for found, severity, said, advice in missing:
            if found:
                n = found.n_records
                yield self.finding(severity, f"{said}: {n}", advice, *found.evidence, n_records=n)
        known = self.facts.close()
        if known.n_synthetic:
            yield from self._stated()

    def _stated(self) -> Iterable[Finding]:
        known = self.facts.close()
        card = self.context.dataset.card
        said = read_answers(card).said["synthetic-share"] if card.file or card.croissant_file else ()
        text = "\n".join(one.text for one in said)
        if agrees_with_share(text, known):
            return
        at_least = "at least " if known.synthetic_share is None else ""
        place = Evidence(file=card.file or card.croissant_file, pointer=said[0].place if said else "")
        fact = share_text(known)
        if PERCENT.search(text):
            yield self.finding("error", f"the card states another synthetic share; {fact}", "correct it", place)
        else:
            yield self.finding(
                "warning",
                f"the card does not state the synthetic share; {fact}",
                f"write under 'Synthetic data': {at_least}{100 * known.synthetic_range[0]:.1f} % of the records",
                place,
            )

    def not_applicable(self) -> str | None:
        """Say why there is nothing to check."""
        if not self.facts.n_marked:
            return "no record says whether a model made it (columns 'synthetic', 'generator')"
        if self.facts.n_synthetic:
            return None
        n_unknown = self.facts.n_records - self.facts.n_marked
        return "no record is marked as synthetic" + (f"; it is unknown for {n_unknown}" if n_unknown else "")

    def passed(self) -> str:
        """Say what was seen."""
        return share_text(self.facts.close())
