"""The dataset's own licence where it stands for its records: those that state none, if none of them states one."""

from __future__ import annotations

from copycat.provenance.dataset import Dataset
from copycat.provenance.dataset.present import in_dataset
from copycat.provenance.licences.components import NEEDS, column_texts, licence_texts, struct_field
from copycat.provenance.licences.fitting import purpose_fit, worst
from copycat.provenance.licences.statements import own_expressions, statements
from copycat.provenance.records import Purpose


def states_licences(dataset: Dataset) -> bool:
    """Whether any record states a licence, or an address of one, known or not; reading ends with the first."""
    for whole in dataset.facts(NEEDS):
        batch = in_dataset(whole)
        addresses = column_texts(batch, "licence_url"), struct_field(batch, "licence", "evidence_url")
        held = (licence_texts(batch), *addresses) if batch.size else ()
        if any(texts is not None and texts.null_count < len(texts) for texts in held):
            return True
    return False


def own_licence(dataset: Dataset) -> str | None:
    """Give the dataset's own licence as one expression, None where it says none; of several, all hold."""
    known = own_expressions(statements(dataset))
    return " AND ".join(f"({one})" if " OR " in one and len(known) > 1 else one for one in known) or None


def own_fit(dataset: Dataset, purpose: Purpose) -> bool | None:
    """Say whether the dataset's own licences fit a purpose: True where it says none, None where they are not known."""
    said = statements(dataset)
    known: list[str | None] = list(own_expressions(said))
    return worst(purpose_fit(name, purpose).answer for name in (known or [None for _ in said]))
