"""Addresses of licences -> SPDX expressions. The host and the parts of the path decide, never a word inside.

Sources: the addresses that the licences' own stewards publish them at (Creative Commons, Open Source Initiative, SPDX,
GNU, Apache, Open Data Commons, CDLA, The National Archives, Etalab, choosealicense.com), and RightsStatements.org.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from copycat.provenance.licences.naming import CC_PORTS

_CC_CODES = {"by", "by-sa", "by-nc", "by-nd", "by-nc-sa", "by-nc-nd", "nc-sa", "sa", "by-nd-nc"}
_CC_END = re.compile(r"(legalcode|deed)([.\-_][\w\-]+)*|rdf")
_CC_FIXED = {
    "publicdomain/zero": "CC0-1.0",
    "publicdomain/zero/1.0": "CC0-1.0",
    "licenses/zero/1.0": "CC0-1.0",
    "publicdomain/mark": "CC-PDM-1.0",
    "publicdomain/mark/1.0": "CC-PDM-1.0",
    "licenses/publicdomain": "CC-PDDC",
    "publicdomain/certification": "CC-PDDC",
}
_VERSION = re.compile(r"\d\.\d")
_OSI = {
    "apache-2-0": "Apache-2.0", "bsd-2-clause": "BSD-2-Clause", "bsd-3-clause": "BSD-3-Clause", "mit": "MIT",
    "gpl-2-0": "GPL-2.0", "gpl-3-0": "GPL-3.0", "lgpl-2-1": "LGPL-2.1", "lgpl-3-0": "LGPL-3.0", "mpl-2-0": "MPL-2.0",
    "agpl-3-0": "AGPL-3.0", "isc-license-txt": "ISC", "isc": "ISC", "unlicense": "Unlicense", "zlib": "Zlib",
    "ecl-2-0": "ECL-2.0", "epl-2-0": "EPL-2.0", "osl-3-0-php": "OSL-3.0", "afl-3-0-php": "AFL-3.0",
    "artistic-2-0": "Artistic-2.0", "ms-pl-html": "MS-PL", "postgresql": "PostgreSQL", "0bsd": "0BSD",
}  # fmt: skip
"""The last part of opensource.org/license/... -> id; /licenses/... take SPDX ids as they are."""
_FIXED = {
    ("apache.org", "licenses/license-2.0"): "Apache-2.0",
    ("opendatacommons.org", "licenses/odbl/1-0"): "ODbL-1.0",
    ("opendatacommons.org", "licenses/odbl/1.0"): "ODbL-1.0",
    ("opendatacommons.org", "licenses/by/1-0"): "ODC-By-1.0",
    ("opendatacommons.org", "licenses/by/1.0"): "ODC-By-1.0",
    ("opendatacommons.org", "licenses/pddl/1-0"): "PDDL-1.0",
    ("opendatacommons.org", "licenses/pddl/1.0"): "PDDL-1.0",
    ("cdla.dev", "permissive-1-0"): "CDLA-Permissive-1.0",
    ("cdla.dev", "permissive-2-0"): "CDLA-Permissive-2.0",
    ("cdla.dev", "sharing-1-0"): "CDLA-Sharing-1.0",
    ("cdla.io", "permissive-1-0"): "CDLA-Permissive-1.0",
    ("cdla.io", "permissive-2-0"): "CDLA-Permissive-2.0",
    ("cdla.io", "sharing-1-0"): "CDLA-Sharing-1.0",
    ("nationalarchives.gov.uk", "doc/open-government-licence/version/1"): "OGL-UK-1.0",
    ("nationalarchives.gov.uk", "doc/open-government-licence/version/2"): "OGL-UK-2.0",
    ("nationalarchives.gov.uk", "doc/open-government-licence/version/3"): "OGL-UK-3.0",
    ("govdata.de", "dl-de/by-2-0"): "DL-DE-BY-2.0",
    ("govdata.de", "dl-de/zero-2-0"): "DL-DE-ZERO-2.0",
    ("mozilla.org", "mpl/2.0"): "MPL-2.0",
    ("unlicense.org", ""): "Unlicense",
    ("artlibre.org", "licence/lal/en"): "LAL-1.3",
    ("openfontlicense.org", ""): "OFL-1.1",
}
RIGHTS_STATEMENTS = {
    code.casefold(): code
    for code in ("InC", "InC-OW-EU", "InC-EDU", "InC-NC", "InC-RUU", "NoC-CR", "NoC-NC", "NoC-OKLR", "NoC-US",
                 "CNE", "UND", "NKC")
}  # fmt: skip
"""What libraries and museums state of works that they license to nobody; what is asked is unknown."""

HOSTS = {
    "creativecommons.org",
    "opensource.org",
    "spdx.org",
    "gnu.org",
    "choosealicense.com",
    "rightsstatements.org",
} | {host for host, _ in _FIXED}
"""Whose pages can be read as licences."""


def is_address(text: str) -> bool:
    """Whether a text is an address, or begins with a host that publishes licences."""
    low = text.casefold()
    return bool(re.match(r"[a-z][a-z0-9+.\-]*://", low)) or _host(low.split("/")[0]) in HOSTS


def licence_at(address: str) -> str | None:
    """Give the SPDX id that an address stands for, as it may be written there; None where it stands for none.

    Only http and https; "http://creativecommons.org@elsewhere.example/" is a page of elsewhere.example.
    """
    text = address.strip()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port = _host(parts.hostname or ""), parts.port
    except ValueError:
        return None
    if parts.scheme.casefold() not in ("http", "https") or host not in HOSTS or port not in (None, 80, 443):
        return None
    path = [part for part in unquote(parts.path).casefold().split("/") if part]
    read = _READERS.get(host)
    if read is not None:
        return read(path)
    joined = re.sub(r"\.(html?|txt|md|pdf)$", "", "/".join(path))
    return _FIXED.get((host, joined))


def _by_id(path: list[str]) -> str | None:
    """Read /licenses/MIT, as SPDX, the Open Source Initiative and choosealicense.com have it."""
    if len(path) != 2:
        return None
    if path[0] == "license":
        return _OSI.get(path[1].replace(".", "-"))
    return re.sub(r"\.(html?|txt|json|php)$", "", path[1]) if path[0] == "licenses" else None


def _host(name: str) -> str:
    return name.casefold().removeprefix("www.")


def _creative_commons(path: list[str]) -> str | None:
    """Read /licenses/by-sa/3.0/de/legalcode.de, /publicdomain/zero/1.0/ and the like."""
    while path and _CC_END.fullmatch(path[-1]):
        path = path[:-1]
    fixed = _CC_FIXED.get("/".join(path))
    if fixed is not None:
        return fixed
    if len(path) < 2 or path[0] != "licenses" or path[1] not in _CC_CODES or len(path) > 4:
        return None
    code = "BY-NC-ND" if path[1] == "by-nd-nc" else path[1].upper()
    if len(path) == 2:
        return f"LicenseRef-CC-{code}"
    if not _VERSION.fullmatch(path[2]) or (len(path) == 4 and path[3] not in CC_PORTS):
        return None
    return f"CC-{code}-{path[2]}" + (f"-{path[3].upper()}" if len(path) == 4 else "")


def _gnu(path: list[str]) -> str | None:
    """Read /licenses/gpl-3.0.html, /licenses/old-licenses/gpl-2.0.en.html."""
    if not path or path[0] not in ("licenses", "copyleft") or len(path) > 3:
        return None
    last = re.sub(r"(\.[a-z]{2}(-[a-z]{2})?)?\.(html?|txt)$", "", path[-1])
    found = re.fullmatch(r"(a?gpl|lgpl|fdl)(?:-(\d\.\d))?", last)
    if found is None:
        return None
    family = {"fdl": "GFDL"}.get(found.group(1), found.group(1).upper())
    return f"{family}-{found.group(2)}" if found.group(2) else (f"LicenseRef-{family}" if family != "GFDL" else None)


def _rights_statement(path: list[str]) -> str | None:
    """Read /vocab/InC/1.0/ and /page/InC/1.0/."""
    if len(path) != 3 or path[0] not in ("vocab", "page") or path[1] not in RIGHTS_STATEMENTS:
        return None
    return (
        f"LicenseRef-rightsstatements-{RIGHTS_STATEMENTS[path[1]]}-{path[2]}" if _VERSION.fullmatch(path[2]) else None
    )


_READERS = {
    "rightsstatements.org": _rights_statement,
    "creativecommons.org": _creative_commons,
    "gnu.org": _gnu,
    "opensource.org": _by_id,
    "spdx.org": _by_id,
    "choosealicense.com": _by_id,
}
