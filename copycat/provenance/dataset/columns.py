"""Standard names of columns, and what datasets call them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

STANDARD: dict[str, tuple[str, ...]] = {
    "id": ("id", "key", "__key__", "sample_id", "image_id", "uid", "uuid", "record_id"),
    "split": ("split",),
    "text": ("text", "caption", "content", "prompt", "txt", "description"),
    "image": ("image", "img", "picture", "jpg", "jpeg", "png", "webp"),
    "sha256": ("sha256", "sha", "image_sha256", "content_sha256"),
    "phash": ("phash", "perceptual_hash"),
    "url": ("url", "image_url", "source_url", "page_url", "link", "uri", "warc-target-uri", "warc_target_uri"),
    "retrieved_at": (
        "retrieved_at",
        "fetched_at",
        "crawl_date",
        "crawled_at",
        "download_date",
        "timestamp",
        "warc-date",
        "warc_date",
    ),
    "http_status": ("http_status", "status_code"),
    "headers": ("headers", "http_headers", "response_headers"),
    "licence": ("licence", "license", "spdx", "licence_spdx", "license_spdx", "license_id"),
    "licence_url": ("licence_url", "license_url", "licence_evidence", "license_evidence"),
    "licence_method": ("licence_method", "license_method"),
    "licence_confidence": ("licence_confidence", "license_confidence"),
    "author": ("author", "artist", "creator", "attribution", "photographer"),
    "title": ("title",),
    "language": ("language", "lang"),
    "source": ("source", "origin", "collection", "source_name"),
    "topic": ("topic", "category", "domain_topic"),
    "signals": ("signals",),
    "decision": ("decision",),
    "rule_version": ("rule_version",),
    "transforms": ("transforms", "transformations"),
    "synthetic": ("synthetic", "is_synthetic", "generated", "ai_generated"),
    "generator": ("generator", "model", "generated_by", "generator_model"),
    "prompt_hash": ("prompt_hash", "generator_prompt_hash", "generator_prompt"),
    "version_added": ("version_added",),
    "version_changed": ("version_changed",),
    "version_removed": ("version_removed",),
    "tombstone_reason": ("tombstone_reason",),
    "file": ("file", "file_name", "path", "image_path", "filename"),
    "row": ("row",),
}
"""Standard name -> names that are taken for it, the likeliest first; letter case does not count."""


NESTED_IN = ("metadata", "meta", "info", "provenance", "attributes", "json", "warc_headers", "meta.warc_headers",
             "metadata.warc_headers")  # fmt: skip
"""Structs in which datasets keep facts; a column of the name itself goes first."""

NOT_NESTED = {"id", "split", "text", "image", "file", "row"}
"""Standard columns that are the record itself: of these only a column of the name counts."""


def find_columns(there: Iterable[str], given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give standard name -> column, for those that are there.

    Args:
        there: the columns of a file; a field of a struct is "struct.field".
        given: standard name -> column, as the user said; goes before the table.
    """
    names = {name.casefold(): name for name in reversed(list(there))}
    parents = [parent for parent in NESTED_IN if any(name.startswith(f"{parent}.") for name in names)]
    found: dict[str, str] = {}
    for standard, others in STANDARD.items():
        nested = () if standard in NOT_NESTED else [f"{parent}.{name}" for parent in parents for name in others]
        wanted = (given[standard],) if given and standard in given else (*others, *nested)
        taken = next((names[name.casefold()] for name in wanted if name.casefold() in names), None)
        if taken is not None:
            found[standard] = taken
    return found
