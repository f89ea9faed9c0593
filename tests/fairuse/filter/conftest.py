"""A protected work in a filter, and works that may be copied."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from copycat.fairuse.filter import OutputFilter, Policy
from copycat.fairuse.records import Work, WorkStatus
from copycat.fairuse.works import LoadedWork, load_works
from copycat.fairuse.works.loading import sha256_of

NOVEL = """\
The lamp keeper of Orrin Sound had counted nine storms since the thaw, and the tenth came without a name. It took the
lower stairs before breakfast. By noon the gulls had given up on the roof, and old Maribel Tace was carrying her ledgers
up to the lens room two at a time, muttering the tide tables as another woman might mutter prayers.

"You will want the copper kettle," said the boy from the doorway, who had not been asked. "And the good rope. My uncle
says that a house on a rock is only a boat which has forgotten how to leave."

She thought this over while the windows hummed. Below them the sea was folding itself into long grey parcels, and every
parcel was addressed to the lighthouse. "Your uncle," she said at last, "sells rope." Then she gave him the kettle to
hold, and a candle, and the smallest of the ledgers, in which nobody had yet written anything at all.
"""

UNRELATED = """\
To bake a plain loaf, warm the milk until it is just pleasant to the finger, stir in the yeast with a spoonful of honey,
and leave the bowl near the oven for ten minutes. Meanwhile sift the flour with the salt. When the yeast has risen to a
froth, pour it into the middle of the flour and knead the dough on a dry board until it no longer sticks to your hands.
"""


def work_of(text: str, name: str = "tenth-storm", status: WorkStatus = "protected") -> LoadedWork:
    work = Work(
        id=name, title=name.replace("-", " ").title(), author="A. Writer", status=status, sha256=sha256_of(text)
    )
    return LoadedWork(work, text)


@pytest.fixture(scope="session")
def novel() -> LoadedWork:
    return work_of(NOVEL)


@pytest.fixture(scope="session")
def public_domain() -> list[LoadedWork]:
    return load_works(["public-domain"])


@pytest.fixture(scope="session")
def built(novel: LoadedWork, public_domain: list[LoadedWork]) -> OutputFilter:
    """The novel, which may be quoted, and the public-domain works, which may be copied."""
    return OutputFilter.of_works([*public_domain, novel])


@pytest.fixture
def under(built: OutputFilter) -> Callable[..., OutputFilter]:
    """The same filter under a policy."""

    def of(rewriter: Callable[[str], str] | None = None, **policy: object) -> OutputFilter:
        return built.with_policy(Policy.model_validate(policy), rewriter)

    return of
