"""A summary as a draft in Markdown: what is known stands there, what is not is a marked blank."""

from __future__ import annotations

from copycat.provenance.dataset.card import BLANK
from copycat.provenance.datasheet.facts import DatasetFacts
from copycat.provenance.datasheet.summaries.computed import top_domains
from copycat.provenance.datasheet.summaries.ready import Readiness
from copycat.sharing.cards import markdown_table, plain


def summary_draft(ready: Readiness, dataset: str, known: DatasetFacts, as_of: str) -> str:
    """Write the draft."""
    summary = ready.summary
    lines = [
        f"# {summary.title}",
        "",
        f"A draft from the records and the card of '{plain(dataset)}', {as_of}.",
        "",
        f"{summary.law}. Template: {summary.source}",
        "",
        f"{summary.note} This is no legal advice. Blanks are marked '{BLANK}'.",
    ]
    section = ""
    for one in ready.fields:
        if one.field.section != section:
            section = one.field.section
            lines += ["", f"## {section}"]
        lines += ["", f"### {one.field.id}: {one.field.title}", ""]
        lines += [plain(part) for part in one.answer.split("\n\n") if part]
        if one.status != "ready":
            lines += [*([""] if one.answer else []), f"{BLANK} {one.field.write}]"]
        if one.come_from:
            lines += ["", f"From {', '.join(one.come_from)}."]
        if "domains" in one.field.facts and known.domains:
            rows = [(name, f"{count:,}") for name, count in top_domains(known)]
            lines += ["", markdown_table(("domain name", "records"), rows)]
    return "\n".join(lines) + "\n"
