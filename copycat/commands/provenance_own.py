"""`python -m copycat.provenance own`: the manifests of the weights that ship, told or written."""

from __future__ import annotations

from typing import Annotated

import typer

OWN_EPILOG = """\
`weights.manifest.json` lies beside each folder of weights: files with their sha256, how each model was made, and the
fingerprint of what it learned from, all of it from the code that trains, which is run to make the data again (a quarter
of a minute). Whoever trains weights anew writes it; nobody else needs to. Whether all that ships is in order, from the
characters to the submissions, is asked by `check --own`.

Exit 0 the manifests are what the code gives, or were written; 1 one of them is not.

\b
Examples:
  python -m copycat.provenance own
  python -m copycat.provenance own --write
"""


def own(
    write: Annotated[bool, typer.Option("--write", help="write those that are not what the code gives")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> int:
    """Tell whether the manifests of copycat's own weights are what its code gives, or write them."""
    from copycat.console import EXIT_DONE, EXIT_NOT_VALID, out, print_json
    from copycat.paths import package_folder, shown
    from copycat.provenance.own.weights_facts import write_manifests

    found = write_manifests(package_folder(""), is_dry=not write)
    if as_json:
        manifests = [{"file": shown(path), "is_changed": is_changed} for path, is_changed in found]
        print_json({"written": write, "manifests": manifests})
    else:
        changed = "written" if write else "is not what the code gives; write it: --write"
        for path, is_changed in found:
            said = changed if is_changed else "is what the code gives"
            out.print(f"{shown(path)}: {said}", markup=False, soft_wrap=True)
    return EXIT_NOT_VALID if not write and any(is_changed for _, is_changed in found) else EXIT_DONE
