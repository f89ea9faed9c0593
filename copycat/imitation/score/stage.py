"""From references and pictures to the scores of a study: scores.csv, scores.json, references.csv.

How the data flow: references -> the first m of each concept -> gallery and match threshold, and only then:
generations -> vectors -> a score for each concept, arm and prompt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL.Image import Image

from copycat.console import progress_bar, say
from copycat.errors import DataError, UserError
from copycat.imitation.generate.pictures import (
    Generation,
    Generations,
    generations_sha256,
    read_generations,
    read_generations_file,
)
from copycat.imitation.records import (
    DRAWN_FACT,
    GENERATIONS_FILE,
    GENERATIONS_FOLDER,
    REFERENCES_FILE,
    SCORE_FACTS_FILE,
    SCORES_FILE,
    Concept,
    Score,
    StudyFacts,
)
from copycat.imitation.score.embedders import EMBEDDERS, SANDBOX, Resolved, build_embedder
from copycat.imitation.score.embedders.ready import digests_of, read_vectors
from copycat.imitation.score.embedding import Embeddings
from copycat.imitation.score.leaks import leaked_pictures, without_leaked
from copycat.imitation.score.material import REJECTED, Cell, Material, cells_of, cells_of_table, renamed
from copycat.imitation.score.references import (
    PER_CONCEPT,
    Candidates,
    Chosen,
    Reference,
    choose_references,
    find_references,
    order_references,
)
from copycat.imitation.score.scoring import (
    FALSE_MATCH_RATE,
    MIN_STRATUM,
    Figures,
    Floats,
    Gallery,
    Match,
    build_gallery,
    impostors_of,
    match_threshold,
    score_pictures,
    unit_rows,
)
from copycat.imitation.tables import write_table
from copycat.imitation.whose import few_concepts, listed
from copycat.judges.references import read_picture
from copycat.paths import shown
from copycat.runs.folder import write_json


class ScoreJob(NamedTuple):
    """What the user asked for. `references` is a folder of pictures; with `embeddings`, both are files of vectors."""

    study: Path
    references: Path
    concepts: tuple[Concept, ...]
    pictures: Path | None = None
    embeddings: Path | None = None
    embedder: Resolved | None = None
    device: str = "cpu"
    per_concept: int = PER_CONCEPT
    false_match_rate: float = FALSE_MATCH_RATE


class Known(NamedTuple):
    """What is fixed before a generation is looked at."""

    gallery: Gallery
    match: Match | None
    chosen: Chosen
    facts: Mapping[str, str]
    warnings: tuple[str, ...]


class Scored(NamedTuple):
    """The scores of a study, the references that they compare with, and where both come from."""

    scores: tuple[Score, ...]
    references: tuple[Reference, ...]
    facts: StudyFacts


def score_study(job: ScoreJob) -> Scored:
    """Score every concept, arm and prompt; what is embedded already is taken from the study.

    Raises:
        UserError, DataError: anything that the user must fix.
    """
    if job.embeddings is not None:
        known, material = _from_vectors(job, job.embeddings)
    else:
        known, material = _from_pictures(job)
    scores = tuple(_scores(job.concepts, known, material))
    references = tuple(each for who in known.chosen.by_concept.values() for each in who)
    facts = {**known.facts, **material.facts, **_coverage(material)}
    warnings = (*known.warnings, *material.warnings, *_score_warnings(known, material, scores))
    return Scored(scores, references, StudyFacts(facts=facts, warnings=tuple(dict.fromkeys(warnings))))


def write_scores(study: Path, scored: Scored) -> None:
    """Keep them in the study's folder."""
    write_table(study / REFERENCES_FILE, scored.references, Reference)
    write_table(study / SCORES_FILE, scored.scores, Score)
    write_json(study / SCORE_FACTS_FILE, scored.facts.model_dump(mode="json"))


# ----------------------------------------------------------------------------------------------- from pictures


def _from_pictures(job: ScoreJob) -> tuple[Known, Material]:
    if job.embedder is None:
        raise ValueError("pictures need an embedder")
    say("score: look over references and pictures")
    candidates = find_references(job.references, job.concepts)
    _require_generations(job)
    # What is wrong with the pictures is told before anything is embedded. Nothing about references depends on them.
    drawn_sha256 = generations_sha256(job.study)
    generations = read_generations(job.pictures or job.study, job.concepts)
    leaked, told = leaked_pictures(generations, candidates.by_concept)
    say(f"score: load embedder {job.embedder.name}")
    embedder = build_embedder(job.embedder, job.device)
    with Embeddings(job.study, job.embedder.name, embedder) as store:
        chosen = choose_references(candidates, job.per_concept, _Look(job.references, store))
        vectors = {who: _vectors_of(pictures, store) for who, pictures in chosen.by_concept.items()}
        known = _know(job, vectors, candidates, chosen)
        wanted = [row for row in generations.rows if row.concept in chosen.by_concept and row.sha256 not in leaked]
        _embed(generations, wanted, store)
        facts = {"embedder": job.embedder.name, "embedder.revision": store.revision}
        facts |= {f"embedder.{name}": value for name, value in embedder.facts().items()}
        warnings = (
            *_passed_over(chosen, store),
            *generations.warnings,
            *told,
            *_embedder_warnings(job),
        )
        # What the study drew is told by generations.json.
        drawn = generations.facts if job.pictures is not None else {DRAWN_FACT: drawn_sha256} if drawn_sha256 else {}
        cells = cells_of(generations.rows, store, chosen.by_concept, leaked)
        return known, Material(store.vectors, cells, {**drawn, **facts}, warnings)


def _require_generations(job: ScoreJob) -> None:
    """Refuse a study without pictures before its references are embedded."""
    if job.pictures is None and not any((job.study / name).exists() for name in (GENERATIONS_FILE, GENERATIONS_FOLDER)):
        raise UserError(
            f"{shown(job.study)} has no {GENERATIONS_FOLDER}\n"
            "  draw them first: python -m copycat.imitation generate, or name a folder of yours: --pictures FOLDER"
        )


def _vectors_of(references: Sequence[Reference], store: Embeddings) -> Floats:
    rows = [row for each in references if (row := store.row_of(each.sha256)) is not None]
    return store.vectors[rows]


class _Look:
    """Says which references have a vector, embedding those that nobody embedded yet."""

    def __init__(self, folder: Path, store: Embeddings) -> None:
        self.folder, self.store = folder, store

    def __call__(self, references: Sequence[Reference]) -> list[bool]:
        reads = {each.sha256: self._reader(each) for each in references}
        with progress_bar("embed references", len(reads)) as advance:
            self.store.embed(reads, advance)
        return [self.store.row_of(each.sha256) is not None for each in references]

    def _reader(self, reference: Reference) -> Callable[[], Image]:
        return lambda: read_picture(self.folder / reference.picture)


def _embed(generations: Generations, rows: Sequence[Generation], store: Embeddings) -> None:
    def reader(row: Generation) -> Callable[[], Image]:
        return lambda: generations.read(row)

    reads = {row.sha256: reader(row) for row in rows if row.status == "ok" and row.sha256}
    with progress_bar("embed pictures", len(reads)) as advance:
        store.embed(reads, advance)


def _passed_over(chosen: Chosen, store: Embeddings) -> Iterator[str]:
    """Tell references without a vector: how many of whom, and why."""
    if not chosen.passed_over:
        return
    by_concept = Counter(each.concept for each in chosen.passed_over)
    damaged = sum(each.sha256 in store.unread for each in chosen.passed_over)
    n, rejected = len(chosen.passed_over), len(chosen.passed_over) - damaged
    kinds = [f"{k:,} {what}" for k, what in ((damaged, "damaged"), (rejected, REJECTED)) if k]
    whom = listed([f"{who} ({k})" for who, k in by_concept.most_common()])
    yield (
        f"{n:,} {'references' if n > 1 else 'reference'} cannot be compared with ({', '.join(kinds)}), and the next "
        f"by hash takes the place where there is one: {whom}; such as {chosen.passed_over[0].picture}"
    )


def _embedder_warnings(job: ScoreJob) -> Iterator[str]:
    """Tell embedders that are of another domain than what was drawn, as far as the study says it."""
    drawn = read_generations_file(job.study) if job.pictures is None else None
    if drawn is None or job.embedder is None:
        return
    row, fitting = job.embedder.row.name, {"style": "csd", "face": "face"}.get(drawn.domain)
    if row == SANDBOX and drawn.model != SANDBOX:
        yield f"the embedder '{SANDBOX}' knows drawings of the sandbox alone, and '{drawn.model}' drew these pictures"
    if fitting is not None and row not in (fitting, SANDBOX):
        use = f"for it there is --embedder {EMBEDDERS.get(fitting).form}"
        yield f"prompts were of the domain '{drawn.domain}', and the embedder '{row}' is of another: {use}"


# --------------------------------------------------------------------------------------- from a user's vectors


def _from_vectors(job: ScoreJob, path: Path) -> tuple[Known, Material]:
    references, whose = renamed(read_vectors(job.references), job.concepts)
    usable = [row for row, why in enumerate(references.reason) if not why and references.concept[row]]
    by_concept: dict[str, list[Reference]] = {concept.id: [] for concept in job.concepts}
    row_of: dict[tuple[str, str], int] = {}
    for row, digest in zip(usable, digests_of(references.vectors[usable]), strict=True):
        who = references.concept[row]
        if (who, digest) not in row_of:
            row_of[who, digest] = row
            by_concept[who].append(Reference(concept=who, picture=f"row {row + 1}", sha256=digest))
    told = whose.warnings("name of references", "names of references")
    if unusable := sum(map(bool, references.reason)):
        told.append(f"{unusable:,} {'rows' if unusable > 1 else 'row'} of references without a vector: passed over")
    candidates = order_references(by_concept, tuple(told))
    chosen = choose_references(candidates, job.per_concept, lambda batch: [True] * len(batch))
    vectors = {
        who: unit_rows(references.vectors[[row_of[who, each.sha256] for each in pictures]])
        for who, pictures in chosen.by_concept.items()
    }
    known = _know(job, vectors, candidates, chosen)
    pictures, whose = renamed(read_vectors(path), job.concepts)
    if pictures.vectors.shape[1] != references.vectors.shape[1]:
        n, m = pictures.vectors.shape[1], references.vectors.shape[1]
        raise DataError(
            [f"{shown(path)}: vectors of {n} numbers, and references of {m} in {shown(job.references)}"],
            "  needed: both from the same embedder",
        )
    pictures, leaked = without_leaked(pictures, references)
    told = [*whose.warnings("name of pictures", "names of pictures"), *leaked]
    facts = {"embedder": "ready", "embeddings": shown(path)}
    return known, Material(pictures.vectors, cells_of_table(pictures, chosen.by_concept), facts, tuple(told))


# ------------------------------------------------------------------------------------------------------- both


def _know(job: ScoreJob, vectors: Mapping[str, Floats], candidates: Candidates, chosen: Chosen) -> Known:
    gallery = build_gallery(vectors, {concept.id: concept.stratum for concept in job.concepts})
    match = match_threshold(gallery, job.false_match_rate)
    facts = {
        "references": f"{shown(job.references)} (sha256 {candidates.sha256[:16]})",
        "references.concepts": f"{len(gallery.concepts):,} of {len(job.concepts):,}",
        "references.per_concept": f"{job.per_concept}, the first in the order of their sha256",
        "impostors": _impostor_fact(gallery),
    }
    warnings = [*candidates.warnings]
    if chosen.left_out:
        reasons = [f"{who} ({why})" for who, why in chosen.left_out.items()]
        warnings.append(f"{len(reasons)} of {len(job.concepts)} concepts are left out: {listed(reasons)}")
    if match is not None:
        facts["match.threshold"] = f"{match.threshold:.6f} (cosine)"
        facts["match.false_match"] = (
            f"{match.false_match:.3%} of {match.pairs:,} pairs; {job.false_match_rate:.3%} asked"
        )
        if match.true_match is not None:
            facts["match.true_match"] = f"{match.true_match:.1%} of references match the others of their concept"
        warnings += _match_warnings(job, match)
    return Known(gallery, match, chosen, facts, tuple(warnings))


def _impostor_fact(gallery: Gallery) -> str:
    others = len(gallery.concepts) - 1
    by_stratum = sum(len(impostors_of(gallery, who)) < others for who in gallery.concepts)
    return (
        f"all others for {len(gallery.concepts) - by_stratum:,} concepts, those of the same stratum for {by_stratum:,} "
        f"(at least {MIN_STRATUM})"
    )


def _match_warnings(job: ScoreJob, match: Match) -> Iterator[str]:
    if match.pairs * job.false_match_rate < 1:
        yield (
            f"{match.pairs:,} pairs of references and other concepts cannot tell a false-match rate of "
            f"{job.false_match_rate:.1%}: the threshold is the largest of them"
        )
    if match.true_match is not None and match.true_match < 0.5:
        yield (
            f"only {match.true_match:.0%} of references match the others of their own concept: 'matched' says little "
            "with this embedder, and so may every other score"
        )


def _scores(concepts: Sequence[Concept], known: Known, material: Material) -> Iterator[Score]:
    """Give the scores in the order of concepts; those left out have a row with a reason in each arm and prompt."""
    cells: dict[str, list[Cell]] = {concept.id: [] for concept in concepts}
    for cell in material.cells:
        cells[cell.concept].append(cell)
    for concept in concepts:
        own = cells[concept.id]
        if not any(cell.arm == "named" for cell in own):
            own = [Cell(concept.id, "named", "", (), {}), *own]
        for cell in own:
            planned = len(cell.rows) + sum(cell.missing.values())
            empty = Score(concept=cell.concept, arm=cell.arm, prompt=cell.prompt, n=0, planned=planned)
            if (why := known.chosen.left_out.get(cell.concept)) is not None:
                yield empty.model_copy(update={"reason": why})
            elif not cell.rows:
                yield empty.model_copy(update={"reason": _why_empty(cell)})
            else:
                vectors = unit_rows(material.vectors[np.asarray(cell.rows)])
                figures = score_pictures(vectors, known.gallery, cell.concept, known.match, cell.asked)
                yield empty.model_copy(update=_fields(figures))


def _fields(figures: Figures) -> dict[str, object]:
    fields = figures._asdict()
    lacking = fields.pop("lacking")
    if figures.identified is None:
        lacking = "no z, identified or matched: no other concept has references"
    return fields | {"reason": lacking}


def _why_empty(cell: Cell) -> str:
    if not cell.missing:
        return "no picture of it"
    return "no picture could be scored: " + ", ".join(f"{n} {why}" for why, n in sorted(cell.missing.items()))


def _coverage(material: Material) -> dict[str, str]:
    own = [cell for cell in material.cells if cell.arm != "shuffled"]
    scored = sum(len(cell.rows) for cell in own)
    missing: Counter[str] = Counter()
    for cell in own:
        missing.update(cell.missing)
    planned = scored + sum(missing.values())
    facts = {"pictures": f"{scored:,} of {planned:,} scored" if planned else "none"}
    return facts | {f"pictures.{why.replace(' ', '_')}": f"{n:,}" for why, n in sorted(missing.items())}


def _score_warnings(known: Known, material: Material, scores: Sequence[Score]) -> Iterator[str]:
    rejected = sum(cell.missing.get(REJECTED, 0) for cell in material.cells if cell.arm != "shuffled")
    if rejected:
        yield f"{rejected:,} pictures are {REJECTED}: they lower the coverage and are no zeros"
    pictured = {cell.concept for cell in material.cells if cell.arm == "named" and cell.rows}
    scored = [score for score in scores if score.raw is not None and score.arm == "named"]
    if scored and all(score.z is None for score in scored):
        yield f"no concept has a z: {scored[0].reason.removeprefix('no z: ')}"
    yield from few_concepts(len({score.concept for score in scored}), "a score")
    if without := [who for who in known.gallery.concepts if who not in pictured]:
        yield f"{len(without)} concepts have references and no picture by name: {listed(without)}"
