"""From candidates to a frozen list: gather, filter, rank, write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from copycat.catalog.lists import Kind, write_list
from copycat.corpus import Corpus, Counts, common_word_warnings, count_documents
from copycat.discovery.candidates import Pool, Source, joined
from copycat.discovery.filters import Filter, Removed
from copycat.discovery.rankers import RANKERS, Association, Bench, CorpusCounts, Ranked, RankerRow
from copycat.errors import DataError, UserError
from copycat.schema import CharacterSet

if TYPE_CHECKING:
    from copycat.discovery.embedding import TextEncoder

OWN: Final = "own"
ALL: Final = "all"


class Gathered(NamedTuple):
    """Innocent candidates of each character, where they come from, and what was taken out."""

    pool: Pool
    sources: tuple[Source, ...]
    removed: tuple[Removed, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """Give every candidate of anybody once."""
        return tuple(dict.fromkeys(text for texts in self.pool.values() for text in texts))


class Discovered(NamedTuple):
    """Ranked lists, the best first; `counts` where a corpus was counted."""

    ranker: RankerRow
    lists: dict[str, tuple[Ranked, ...]]
    gathered: Gathered
    counts: Counts | None
    provenance: dict[str, str]
    warnings: tuple[str, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        """Give what people must know: sources that were silent, and characters without a list."""
        silent = [f"{source.label}: {said}" for source in self.gathered.sources for said in source.silent]
        pool = self.gathered.pool
        empty = [
            f"{who}: "
            + ("no candidate is left" if not pool[who] else "none of its candidates ever stands beside its name")
            for who, ranked in self.lists.items()
            if not ranked
        ]
        return (*silent, *empty, *self.warnings)


def gather(
    sources: Sequence[Source], characters: CharacterSet, *, pool: str = OWN, without: Sequence[str] = ()
) -> Gathered:
    """Join the sources and take out what gives a character away.

    Args:
        pool: "own", each character's own candidates; "all", those of everybody for everybody, as the published
            EmbeddingSim lists seem to be made.
        without: words that no candidate may hold, such as single words of a franchise.

    Raises:
        UserError: there is no source.
        DataError: nothing is left for anybody.
    """
    if not sources:
        raise UserError("no candidates\n  needed: --from FILE, a list's name, corpus or llm; see --help")
    candidates: Mapping[str, tuple[str, ...]] = joined(sources, characters)
    if pool == ALL:
        everybody = tuple(dict.fromkeys(text for texts in candidates.values() for text in texts))
        candidates = dict.fromkeys(candidates, everybody)
    only_innocent = Filter(characters, without)
    kept: dict[str, tuple[str, ...]] = {}
    removed: list[Removed] = []
    for who in characters.characters:
        kept[who.id], gone = only_innocent.keep(who, candidates[who.id])
        removed += gone
    if not any(kept.values()):
        said = [str(one) for one in removed[:10]] or [said for source in sources for said in source.silent[:10]]
        raise DataError([*said], "  no candidate is left for any character")
    return Gathered(kept, tuple(sources), tuple(removed))


def rank(
    gathered: Gathered,
    characters: CharacterSet,
    ranker: str,
    *,
    corpus: Corpus | None = None,
    association: Association | None = None,
    encoder: TextEncoder | None = None,
    llm: Any = None,
    counting: Mapping[str, Any] | None = None,
    advance: Callable[[int], object] = lambda _: None,
) -> Discovered:
    """Rank every character's candidates; a corpus is counted in one pass for all of them.

    Args:
        counting: options of `corpus.count_documents`.

    Raises:
        UnsupportedError: the ranker needs what was not given.
    """
    row = RANKERS.get(ranker)
    counts = None
    if row.needs == "corpus" and corpus is not None:
        counts = count_documents(corpus, characters.characters, gathered.texts, **(counting or {}), advance=advance)
        association = CorpusCounts(counts)
    own: Any = RANKERS.load(ranker)(Bench(association, encoder, llm))
    lists = {who.id: own.rank(who, gathered.pool[who.id]) for who in characters.characters}
    provenance = {
        "ranker": f"{row.name} ({row.unit})",
        "candidates": ", ".join(source.label for source in gathered.sources),
        **({} if counts is None else _corpus_facts(counts)),
        **({} if encoder is None else {"encoder": encoder.identity}),
        **({} if llm is None else {"language model": llm.identify()}),
    }
    warnings = () if counts is None else tuple(common_word_warnings(counts))
    return Discovered(row, lists, gathered, counts, provenance, warnings)


def freeze(
    discovered: Discovered, characters: CharacterSet, name: str, *, keep: int, date: str, kind: Kind, folder: Path
) -> Path:
    """Write the best `keep` of each character as a frozen list, with everything that it came from.

    Raises:
        UserError: there is a list of this name with other texts.
    """
    return write_list(
        folder,
        characters,
        kind,
        name,
        {who: tuple(one.text for one in ranked[:keep]) for who, ranked in discovered.lists.items() if ranked},
        provenance={"by": "python -m copycat.discover", "date": date, "kept": str(keep), **discovered.provenance},
        removed=tuple(str(one) for one in discovered.gathered.removed),
        faults=discovered.faults,
    )


def _corpus_facts(counts: Counts) -> dict[str, str]:
    facts = counts.corpus
    revision = "" if facts.revision is None else f"@{facts.revision}"
    return {
        "corpus": f"{facts.id}{revision}",
        "corpus_rows": str(facts.rows),
        **({"corpus_duplicates": str(facts.duplicates)} if facts.duplicates else {}),
        "corpus_column": facts.text_column,
        "corpus_sha256": facts.sha256,
    }
