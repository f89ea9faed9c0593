"""The licence of a file, by its header, by the words of one, or by the file nearest to it; and what it asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from copycat.fairuse.code.duties import DUTIES, duty_of
from copycat.fairuse.code.licence_texts import EXPRESSIONS, recognise
from copycat.fairuse.code.licences import licence_of

MIT = """MIT License

Copyright (c) 2020 nobody

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software, with the rights to use it. The notice shall be included in all copies.
It comes without warranty of any kind.
"""
GPL = "          GNU GENERAL PUBLIC LICENSE\n             Version 2, June 1991\n\n Everyone may copy it.\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "one" / "deep").mkdir(parents=True)
    (tmp_path / "COPYING").write_text(GPL, encoding="utf-8")
    (tmp_path / "one" / "deep" / "code.py").touch()
    return tmp_path


def test_an_spdx_header_comes_first(project: Path) -> None:
    code = "#!/bin/sh\n# SPDX-License-Identifier: MIT OR Apache-2.0\n"
    found = licence_of(project / "one" / "deep" / "code.py", code, project)
    assert (found.expression, found.source) == ("MIT OR Apache-2.0", "spdx-header")
    assert found.evidence == "line 2: SPDX-License-Identifier: MIT OR Apache-2.0"


def test_the_marks_around_an_spdx_header_are_no_part_of_it(project: Path) -> None:
    found = licence_of(project / "code.c", "/* SPDX-License-Identifier: GPL-2.0-only */\n", project)
    assert found.expression == "GPL-2.0-only"


@pytest.mark.parametrize(
    ("words", "expression"),
    [
        (" * under the terms of the GNU General Public License as published by the\n * FSF; either version 2 of the "
         "License, or (at your option)\n * any later version.", "GPL-2.0-or-later"),
        ("# under the GNU Lesser General Public License, version 2.1, alone", "LGPL-2.1-only"),
        ("// GNU Affero General Public License version 3", "AGPL-3.0-only"),
        ("// Licensed under the Apache License, Version 2.0 (the License)", "Apache-2.0"),
        ("# subject to the terms of the Mozilla Public\n# License, v. 2.0.", "MPL-2.0"),
    ],
)  # fmt: skip
def test_the_words_of_a_header_come_next(project: Path, words: str, expression: str) -> None:
    found = licence_of(project / "one" / "code.c", f"/*\n{words}\n*/\n", project)
    assert (found.expression, found.source) == (expression, "header-text")


def test_else_the_nearest_licence_file_counts(project: Path) -> None:
    path = project / "one" / "deep" / "code.py"
    assert licence_of(path, "", project).expression == "GPL-2.0-only"
    (project / "one" / "LICENSE.txt").write_text(MIT, encoding="utf-8")
    found = licence_of(path, "", project)
    assert (found.expression, found.evidence) == ("MIT", "one/LICENSE.txt, by its text")


def test_a_licence_that_is_not_recognised_is_unknown_and_hides_those_further_away(project: Path) -> None:
    (project / "one" / "LICENSE").write_text("Ask my aunt.", encoding="utf-8")
    found = licence_of(project / "one" / "deep" / "code.py", "", project)
    assert (found.expression, found.evidence) == (None, "one/LICENSE is there and not recognised")


def test_no_folder_above_the_corpus_is_looked_into(project: Path) -> None:
    found = licence_of(project / "one" / "deep" / "code.py", "", project / "one")
    assert (found.expression, found.source) == (None, "none")


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        (MIT, "MIT"),
        (MIT.replace("The notice shall be included in all copies.", ""), "MIT-0"),
        ("Apache License\n   Version 2.0, January 2004", "Apache-2.0"),
        ("GNU LESSER GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007. Incorporates the GNU General Public License,\n"
         "Version 3, 29 June 2007", "LGPL-3.0-only"),
        ("Redistribution and use in source and binary forms ... this list of conditions", "BSD-2-Clause"),
        ("Redistribution and use in source and binary forms ... this list of conditions ... names may be used to "
         "endorse or promote products", "BSD-3-Clause"),
        ("This is free and unencumbered software released into the public domain.", "Unlicense"),
        (GPL + "\nUse the GNU Library General Public License instead.", "GPL-2.0-only"),
        (GPL.replace("2, June 1991", "3, 29 June 2007") + "\nUse the GNU Lesser General Public License, or the GNU "
         "Affero General Public License, instead.", "GPL-3.0-only"),
        ("Subject to the terms of the Mozilla Public License, v. 2.0.", "MPL-2.0"),
        ("Licensed under the Apache License, Version 2.0 (the License)", "Apache-2.0"),
        ("PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2", "PSF-2.0"),
        ("Creative Commons Attribution-NonCommercial 4.0 International", None),
        ("Creative Commons Attribution 4.0 International", "CC-BY-4.0"),
        ("SPDX-License-Identifier: MIT/Apache-2.0", "MIT/Apache-2.0"),
        ("All rights reserved.", None),
        ("", None),
    ],
)  # fmt: skip
def test_whole_texts_are_recognised_by_phrases(text: str, expression: str | None) -> None:
    assert recognise(text).expression == expression


def test_the_licence_of_this_project_is_recognised() -> None:
    assert recognise((Path(__file__).parents[3] / "LICENSE").read_text(encoding="utf-8")).expression == "Apache-2.0"


def test_of_a_file_with_several_licences_the_first_counts_and_the_others_are_told(project: Path) -> None:
    bundle = f"{MIT}\n{'-' * 60}\nBundled with a library under this licence:\n{GPL}"
    assert recognise(bundle) == ("MIT", ("GPL-2.0-only",))
    (project / "one" / "LICENSE").write_text(bundle, encoding="utf-8")
    found = licence_of(project / "one" / "code.py", "", project)
    assert (found.expression, found.evidence) == ("MIT", "one/LICENSE, by its text; further down GPL-2.0-only")


def test_a_text_of_its_own_is_not_taken_for_what_it_holds_further_down(project: Path) -> None:
    own = "You may look at this software. " * 200
    assert recognise(own + MIT) == (None, ())
    assert recognise(own + "SPDX-License-Identifier: MIT").expression == "MIT"
    assert recognise("\n" * 100 + own + "SPDX-License-Identifier: MIT").expression is None


@pytest.mark.parametrize(
    ("files", "expression", "evidence"),
    [
        ({"LICENSE-APACHE": "apache", "LICENSE-MIT": "mit"}, None,
         "several licence files, all or one to choose: one/LICENSE-APACHE (Apache-2.0), one/LICENSE-MIT (MIT)"),
        ({"LICENSE": "either", "LICENSE.APACHE": "apache", "LICENSE.MIT": "mit"}, "Apache-2.0 OR MIT",
         "one/LICENSE (not recognised), one/LICENSE.APACHE (Apache-2.0), one/LICENSE.MIT (MIT): one of them"),
        ({"LICENSE": "mit", "LICENSE.other": "apache"}, "MIT",
         "one/LICENSE, by its text; beside it one/LICENSE.other (Apache-2.0)"),
        ({"LICENSE": "aunt", "LICENSE.other": "mit"}, None,
         "several licence files: one/LICENSE (not recognised), one/LICENSE.other (MIT)"),
        ({"COPYING": "gpl", "COPYING.LESSER": "lgpl"}, "LGPL-3.0-only",
         "one/COPYING (GPL-3.0-only), one/COPYING.LESSER (LGPL-3.0-only): the lesser one adds to the other"),
        ({"MIT-LICENSE": "mit"}, "MIT", "one/MIT-LICENSE, by its text"),
        ({"LICENSES/MIT.txt": "mit"}, "MIT", "one/LICENSES/MIT.txt, by its text"),
        ({"license.py": "mit", "licence.go": "apache"}, "GPL-2.0-only", "COPYING, by its text"),
        ({"NOTICE": "mit"}, "GPL-2.0-only", "COPYING, by its text"),
    ],
)  # fmt: skip
def test_several_licence_files_of_a_folder_are_no_guess(
    project: Path, files: dict[str, str], expression: str | None, evidence: str
) -> None:
    texts = {
        "mit": MIT,
        "apache": "Apache License\nVersion 2.0, January 2004\n",
        "either": "This software may be used under *either* of the licences beside this file.",
        "aunt": "Ask my aunt.",
        "gpl": "GNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007",
        "lgpl": "GNU LESSER GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007",
    }
    for name, text in files.items():
        (project / "one" / name).parent.mkdir(exist_ok=True)
        (project / "one" / name).write_text(texts[text], encoding="utf-8")
    found = licence_of(project / "one" / "deep" / "code.py", "", project)
    assert (found.expression, found.evidence) == (expression, evidence)


def test_a_header_that_offers_a_choice_gives_both(project: Path) -> None:
    header = "# You have a choice of two: the GNU General Public License (GPL) Version 2, or this one.\n" + "".join(
        f"# {line}\n" for line in MIT.splitlines()
    )
    assert licence_of(project / "code.py", header, project).expression == "GPL-2.0-only OR MIT"


@pytest.mark.parametrize(
    ("expression", "duty"),
    [
        ("GPL-2.0-only", "strong-copyleft"),
        ("GPL-3.0+", "strong-copyleft"),
        ("LGPL-2.1-or-later", "weak-copyleft"),
        ("mit", "notice"),
        ("CC0-1.0", "none"),
        ("MIT OR GPL-2.0-only", "notice"),
        ("MIT AND MPL-2.0", "weak-copyleft"),
        ("(MIT OR GPL-2.0-only) AND AGPL-3.0-only", "strong-copyleft"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "strong-copyleft"),
        ("Apache-2.0 WITH LLVM-exception OR NCSA", "notice"),
        ("LicenseRef-mine", "unknown"),
        ("MIT AND LicenseRef-mine", "unknown"),
        ("MIT OR", "unknown"),
        ("(MIT", "unknown"),
        ("MIT)", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_duties_follow_the_expression(expression: str | None, duty: str) -> None:
    assert duty_of(expression) == duty


def test_every_licence_that_is_recognised_has_a_duty() -> None:
    assert all(duty_of(expression) != "unknown" for expression in EXPRESSIONS)
    assert set(DUTIES.values()) == {"strong-copyleft", "weak-copyleft", "notice", "none"}
