"""The table of machine-readable forms in which a rights holder can speak."""

from __future__ import annotations

from dataclasses import dataclass

from copycat.registry import Registry


@dataclass(frozen=True)
class Source:
    """One form: its name, what it is, the standard with its date, and whether it can say yes.

    `beyond` is what is read as a refusal although the standard does not read it so.
    `level` orders forms of one standard of which a higher replaces a lower where it speaks (TDMRep, section 7);
    0: it stands by itself.
    """

    name: str
    about: str
    standard: str
    permits: bool = True
    beyond: str = ""
    family: str = ""
    level: int = 0


EQUAL_KEYS = "of equal keys the last counts in the draft; here `n` in any of them; and `n` in other words (`no`, `?0`)"

SOURCES: Registry[Source] = Registry(
    "signal source",
    (
        Source("robots", "robots.txt: groups of user agents", "RFC 9309 (September 2022)", permits=False,
               beyond="misspelt rules, paths in quotes, known agents inside of another name"),
        Source("aipref-robots", "robots.txt: Content-Usage", "draft-ietf-aipref-attach-04 (October 2025)",
               beyond=EQUAL_KEYS),
        Source("aipref-header", "header Content-Usage", "draft-ietf-aipref-vocab-08 (September 2026)",
               beyond=EQUAL_KEYS),
        Source("content-signal", "Content-Signal, in robots.txt or a header", "contentsignals.org (September 2025)",
               beyond="`no` in other words (`n`, `0`), and beside a `yes`"),
        Source("tdmrep-file", "/.well-known/tdmrep.json", "TDMRep (W3C Community Group)", family="tdmrep", level=1),
        Source("tdmrep-header", "header TDM-Reservation", "TDMRep (W3C Community Group)", family="tdmrep", level=2,
               beyond="`1` among other values, `true`"),
        Source("tdmrep-meta", "HTML meta tdm-reservation", "TDMRep (W3C Community Group)", family="tdmrep", level=3),
        Source("tdmrep-file-inside", "in an EPUB, PDF or picture", "TDMRep (W3C Community Group)", family="tdmrep",
               level=4),
        Source("x-robots-tag", "header X-Robots-Tag", "noai, noimageai (2022), noindex", permits=False),
        Source("meta-robots", "HTML meta robots", "noai, noimageai (2022), noindex", permits=False),
        Source("rsl", "a licence in XML", "RSL 1.0 (December 2025)"),
        Source("plus", "XMP plus:DataMining in a picture", "PLUS LDF 2.0.1, IPTC 2023.1"),
        Source("cawg", "C2PA manifest in a picture: cawg.training-mining", "CAWG Training and Data Mining 1.1"),
        Source("c2pa", "C2PA manifest in a picture: c2pa.training-mining", "C2PA 1.4 (removed in 2.0)"),
        Source("page", "an address that was asked, and did not answer or not in full", "", permits=False),
        Source("recorded", "an answer that the dataset keeps without saying from where", "", permits=True),
    ),
    hint="all of them: python -m copycat.provenance signals --list",
)  # fmt: skip
"""`permits` is False for a form in which silence is the only yes: being let in is no permission to use."""
