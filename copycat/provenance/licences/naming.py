"""Names that people write for licences -> SPDX ids: whole names, never a word inside a text.

Hub ids: the list of licences of the Hugging Face Hub (documentation of repositories, 2026).
"""

from __future__ import annotations

import re
from functools import cache

from copycat.provenance.licences.facts import all_facts

UNKNOWN = {"unknown", "other", "none", "noassertion", "n/a", "na", "nan", "null", "-", "?", "not specified",
           "unspecified", "no license", "no licence", "not available", "unlicensed", "see license", "see licence",
           "no known copyright restrictions", "no known copyright",
           "various", "mixed", "multiple", "custom", "undefined", "not known", "tbd", "todo"}  # fmt: skip
"""What says that no licence is known, or that it stands elsewhere. ("unlicensed" is not the Unlicense.)"""

HUB_IDS = {
    "openrail": "LicenseRef-OpenRAIL",
    "openrail++": "LicenseRef-CreativeML-OpenRAIL-M-plus",
    "bigscience-openrail-m": "LicenseRef-scancode-bigscience-open-rail-m",
    "creativeml-openrail-m": "LicenseRef-CreativeML-OpenRAIL-M",
    "bigscience-bloom-rail-1.0": "LicenseRef-scancode-bigscience-rail-1.0",
    "bigcode-openrail-m": "LicenseRef-scancode-bigcode-open-rail-m-v1",
    "bsd": "LicenseRef-BSD",
    "c-uda": "C-UDA-1.0",
    "cc": "LicenseRef-CC",
    "gfdl": "LicenseRef-GFDL",
    "gpl": "LicenseRef-GPL",
    "lgpl": "LicenseRef-LGPL",
    "lgpl-lr": "LGPLLR",
    "odc-by": "ODC-By-1.0",
    "odbl": "ODbL-1.0",
    "pddl": "PDDL-1.0",
    "postgresql": "PostgreSQL",
    "h-research": "LicenseRef-H-Research",
    "intel-research": "LicenseRef-Intel-Research",
    "apple-ascl": "LicenseRef-Apple-ASCL",
    "apple-amlr": "LicenseRef-Apple-AMLR",
    "openmdw-1.0": "LicenseRef-OpenMDW-1.0",
    "deepfloyd-if-license": "LicenseRef-DeepFloyd-IF",
    "fair-noncommercial-research-license": "LicenseRef-FAIR-Noncommercial-Research",
    "llama2": "LicenseRef-scancode-llama-2-license-2023",
    "llama3": "LicenseRef-Llama-3",
    "llama3.1": "LicenseRef-scancode-llama-3.1-license-2024",
    "llama3.2": "LicenseRef-scancode-llama-3.2-license-2024",
    "llama3.3": "LicenseRef-scancode-llama-3.3-license-2024",
    "llama4": "LicenseRef-scancode-llama-4-license-2025",
    "grok2-community": "LicenseRef-Grok-2-Community",
    "gemma": "LicenseRef-scancode-gemma-tou-2024-04-01",
}
"""Ids of the Hub that are no SPDX ids. A family without a version stays one."""

OLD_IDS = {
    "gpl-2.0-with-autoconf-exception": "GPL-2.0-only WITH Autoconf-exception-2.0",
    "gpl-2.0-with-bison-exception": "GPL-2.0-or-later WITH Bison-exception-2.2",
    "gpl-2.0-with-classpath-exception": "GPL-2.0-only WITH Classpath-exception-2.0",
    "gpl-2.0-with-font-exception": "GPL-2.0-only WITH Font-exception-2.0",
    "gpl-2.0-with-gcc-exception": "GPL-2.0-only WITH GCC-exception-2.0",
    "gpl-3.0-with-autoconf-exception": "GPL-3.0-only WITH Autoconf-exception-3.0",
    "gpl-3.0-with-gcc-exception": "GPL-3.0-only WITH GCC-exception-3.1",
}
"""Ids that SPDX replaced by expressions."""

CC_PORTS = frozenset(
    re.split(
        " ",
        "ar at au be bg br ca ch cl cn co cr cz de dk ec ee eg es fi fr gr gt hk hr hu ie igo il in it jp kr lu mk mt "
        "mx my ng nl no nz pe ph pl pt pr ro rs scotland se sg si th tw ug uk us ve vn za",
    )
)
"""Countries, and one organisation, for which Creative Commons published versions up to 3.0 of their own."""

_FILLING = {
    "the",
    "license",
    "licence",
    "licensed",
    "under",
    "version",
    "international",
    "unported",
    "generic",
    "v",
    "deed",
}
_CC_WORDS = {
    "by": "BY", "attribution": "BY", "nc": "NC", "noncommercial": "NC", "nd": "ND", "noderivs": "ND",
    "noderivatives": "ND", "noderivative": "ND", "sa": "SA", "sharealike": "SA",
}  # fmt: skip
_CC_JOINED = ((r"non[ -]?commercial", "noncommercial"), (r"share[ -]?alike", "sharealike"),
              (r"no[ -]?deriv(s|atives|ative)?\b", "noderivs"), (r"\bcreative commons\b", "cc"))  # fmt: skip
_CC_ORDERS = {"BY", "BY-SA", "BY-NC", "BY-ND", "BY-NC-SA", "BY-NC-ND"}
_GNU = re.compile(r"(?:gnu )?(a|l)?gpl ?(\d)(?:\.(\d))?( ?\+| or later| or any later| only)?")
_GNU_LONG = (("gnu affero general public", "agpl"), ("affero general public", "agpl"),
             ("gnu lesser general public", "lgpl"), ("gnu library general public", "lgpl"),
             ("gnu general public", "gpl"))  # fmt: skip


def plain(text: str) -> str:
    """Give a name in small letters, words apart, without words that tell nothing ("the", "license", "version")."""
    low = re.sub(r"[_/,;:()\[\]\"'\u2018\u2019\u201c\u201d\u00a9-]+", " ", text.casefold())
    low = re.sub(r"\bv(?:ersion|er\.?)?\.? ?(?=\d)", " ", low)
    words = [word for word in (word.strip(".") for word in low.split()) if word and word not in _FILLING]
    return " ".join(word for at, word in enumerate(words) if not at or word != words[at - 1])


def named(text: str) -> str | None:
    """Give the SPDX id or expression of a whole name; None where the name is not known."""
    name = plain(text)
    if not name or len(name) > 120 or text.count("(") != text.count(")"):
        return None
    return _names().get(name) or _creative_commons(text) or _gnu(name)


@cache
def _names() -> dict[str, str]:
    """Map plain name -> id, from `names` of licences.yaml; a name stands for the first id of its row."""
    found: dict[str, str] = {}
    for facts in all_facts():
        found |= {plain(name): facts.ids[0] for name in facts.names}
    for version in ("1.0", "2.0", "3.0"):
        for name in ("ogl", "ogl uk", "open government", "uk open government"):
            found |= {f"{name} {version}": f"OGL-UK-{version}", f"{name} {version[0]}": f"OGL-UK-{version}"}
    return found


def _creative_commons(text: str) -> str | None:
    """Read "CC BY-NC 4.0", "Creative Commons Attribution-ShareAlike 3.0 Unported", "CC-BY-SA", "cc_by 2"."""
    low = plain(text)
    for pattern, word in _CC_JOINED:
        low = re.sub(pattern, word, low)
    low = re.sub(r"^cc(?=by\b|by\d)", "cc ", low)
    words = low.split()
    if not words or (words[0] != "cc" and words[0] != "attribution"):
        return None
    words = words[1:] if words[0] == "cc" else words
    words = [word for word in words if word not in ("cc", "public")]
    elements = [_CC_WORDS[word] for word in words if word in _CC_WORDS]
    rest = [word for word in words if word not in _CC_WORDS]
    code = "-".join(element for element in ("BY", "NC", "ND", "SA") if element in elements)
    if code not in _CC_ORDERS or len(rest) > 2 or (low == "attribution"):
        return None
    if not rest:
        return f"LicenseRef-CC-{code}"
    version = re.fullmatch(r"([1-4])(?:\.([015]))?", rest[0])
    if version is None or (len(rest) == 2 and rest[1] not in CC_PORTS):
        return None
    return f"CC-{code}-{version.group(1)}.{version.group(2) or '0'}" + (f"-{rest[1].upper()}" if rest[1:] else "")


def _gnu(name: str) -> str | None:
    """Read "GNU General Public License v3.0 or later", "GPLv2+", "AGPL 3"."""
    for long, short in _GNU_LONG:
        name = name.replace(long, short)
    name = re.sub(r"^(gnu )+", "gnu ", name)
    name = re.sub(r"gplv(?=\d)", "gpl ", name)
    found = _GNU.fullmatch(name)
    if found is None:
        return None
    family = {"a": "AGPL", "l": "LGPL", None: "GPL"}[found.group(1)]
    later = (found.group(4) or "").strip() not in ("", "only")
    return f"{family}-{found.group(2)}.{found.group(3) or '0'}-{'or-later' if later else 'only'}"
