"""The page of a study, in a real browser: what is shown, how it is found, and what stays text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import PHONE, blur_of, has_sideways_scroll, open_browser, open_page, serious_violations
from playwright.sync_api import Browser, expect
from studies import make_analysis, study_points, write_study

from copycat.imitation.records import Analysis, Concept, Point
from copycat.imitation.report.build import write_report
from copycat.imitation.report.pictures import CardPicture
from copycat.imitation.report.reading import read_study
from copycat.runs.folder import write_json

pytestmark = pytest.mark.slow  # a real browser

PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
EVIL = "<img src=x onerror=alert(1)>\"'</script><script>alert(2)</script>"


def write_page(folder: Path, analysis: Analysis, *, is_whole: bool = True) -> Path:
    write_report(folder, read_study(write_study(folder, analysis, is_whole=is_whole)))
    return folder / "report.html"


def hostile() -> Analysis:
    """Make a study in which every free text is an attack."""
    analysis = make_analysis(n=12)
    return analysis.model_copy(
        update={
            "why": EVIL,
            "warnings": (EVIL,),
            "left_out": {"orphan": EVIL},
            "answers": tuple(
                answer.model_copy(update={"reason": EVIL, "count": None, "statistics": {EVIL: 1.0}, "estimator": EVIL})
                for answer in analysis.answers
            ),
            "covariates": tuple(one.model_copy(update={"name": EVIL, "meaning": EVIL}) for one in analysis.covariates),
        }
    )


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("studies")
    bad = write_study(root / "hostile", hostile())
    names = [Concept(id=p.concept, name=EVIL, stratum=EVIL) for p in hostile().points]
    write_json(bad / "concepts.json", {"concepts": [name.model_dump(mode="json") for name in names]})
    write_json(bad / "scores.json", {"facts": {EVIL: EVIL}, "warnings": [EVIL + " again"]})
    write_report(bad, read_study(bad))
    left_out = {f"lost-{i}": "no score: no picture shows a face" for i in range(40)}
    sandbox = write_study(root / "sandbox", make_analysis(n=16).model_copy(update={"left_out": left_out}))
    write_json(sandbox / "generations.json", {"model": "sandbox"})
    write_report(sandbox, read_study(sandbox))
    stale = write_study(root / "stale", make_analysis(n=16))
    write_json(stale / "analysis.json", make_analysis(n=15).model_dump(mode="json"))
    write_report(stale, read_study(stale))
    pictured = write_study(root / "pictured", make_analysis(n=2))
    drawn = {p.concept: (CardPicture("reference", PIXEL), CardPicture("median", PIXEL, 0.9)) for p in study_points(2)}
    write_report(pictured, read_study(pictured), drawn)
    bare_points = tuple(Point(concept=p.concept, count=p.count, score=p.score) for p in make_analysis().points)
    own = make_analysis().model_copy(update={"points": bare_points, "metric": "score"})
    return {
        "own": write_page(root / "own", own, is_whole=False),
        "stale": stale / "report.html",
        "pictured": pictured / "report.html",
        "sandbox": sandbox / "report.html",
        "plain": write_page(root / "plain", make_analysis()),
        "small": write_page(root / "small", make_analysis(n=16)),
        "bare": write_page(root / "bare", make_analysis("gradual", has_band=False), is_whole=False),
        "no-change": write_page(root / "no-change", make_analysis("no_change")),
        "one": write_page(root / "one", make_analysis("underpowered", 1)),
        "none": write_page(root / "none", make_analysis("underpowered", 0)),
        "many": write_page(root / "many", make_analysis(n=400)),
        "hostile": bad / "report.html",
    }


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


def test_the_page_opens_with_the_bracket_and_draws_each_concept_and_answer(
    browser: Browser, pages: dict[str, Path]
) -> None:
    with open_page(browser, pages["plain"]) as (page, watched):
        assert page.locator("h1").text_content() == "Imitation starts between 62 and 171 training pictures"
        assert page.locator(".curve.broad a.dot").count() == 50
        names = page.locator(".curve.broad .lane-name").all_text_contents()
        assert names == ["bracket", "sup-F", "PELT", "isotonic", "logistic", "published"]
        expect(page.locator(".curve.broad")).to_be_visible()
        expect(page.locator(".curve.narrow")).to_be_hidden()
        watched.assert_quiet()


def test_a_table_says_of_each_estimator_whether_it_agrees(browser: Browser, pages: dict[str, Path]) -> None:
    with open_page(browser, pages["plain"]) as (page, _):
        flags = page.locator(".estimators .flag").all_text_contents()
        row = page.locator(".estimators tbody tr", has_text="logistic").text_content() or ""

        assert flags == ["agrees"] * 4 + ["for comparison only"]
        assert "135 [108, 169]" in row
        assert "10 % of the rise (ED10) 58" in row


def test_concepts_are_found_by_name_stratum_and_side(browser: Browser, pages: dict[str, Path]) -> None:
    with open_page(browser, pages["plain"]) as (page, _):
        above = page.locator('.card[data-side="above"]').count()
        page.select_option("#side", "above")
        by_side = page.locator(".card:visible").count()
        page.fill("#find", "lanterns")
        by_both = page.locator(".card:visible").count()
        shown = page.locator("#shown").text_content()
        page.fill("#find", "nobody")

        assert by_side == above > by_both > 0
        assert shown == f"{by_both} of 50 concepts"
        expect(page.locator(".nothing-found")).to_be_visible()


def test_cards_can_be_put_in_another_order(browser: Browser, pages: dict[str, Path]) -> None:
    with open_page(browser, pages["plain"]) as (page, _):
        most = page.locator(".card dd b").first.text_content()
        page.select_option("#order", "fewest")
        fewest = page.locator(".card dd b").first.text_content()
        page.select_option("#order", "name")
        names = page.locator(".card h3").all_text_contents()

        assert (most, fewest) == ("2,000", "0")
        assert names == sorted(names)


def test_many_cards_are_folded_until_they_are_searched_or_printed(browser: Browser, pages: dict[str, Path]) -> None:
    with open_page(browser, pages["plain"]) as (page, _):
        shown = page.locator(".card:visible")
        assert (shown.count(), page.locator("#shown").text_content()) == (12, "50 of 50 concepts")
        assert (shown.first.get_attribute("data-count"), shown.last.get_attribute("data-count")) == ("2000.0", "0.0")
        page.emulate_media(media="print")
        assert shown.count() == 50
        page.emulate_media(media="screen")
        last = page.locator(".card h3").last.text_content() or ""
        page.fill("#find", last)
        assert last in shown.locator("h3").all_text_contents()
    with open_page(browser, pages["small"]) as (page, _):
        assert (page.locator(".card:visible").count(), page.locator(".more").count()) == (16, 0)


def test_pictures_are_blurred_until_they_are_asked_for(browser: Browser, pages: dict[str, Path]) -> None:
    with open_page(browser, pages["pictured"]) as (page, watched):
        first, second = (f"#{page.locator('.card').nth(n).get_attribute('id')} img" for n in (0, 1))
        assert blur_of(page, first).startswith("blur(14px)")
        page.locator(".frames").first.click()
        page.mouse.move(0, 0)
        assert (blur_of(page, first), blur_of(page, second)[:4]) == ("none", "blur")
        page.check("#reveal-all")
        assert blur_of(page, second) == "none"
        assert serious_violations(page) == []
        watched.assert_quiet()
    with open_page(browser, pages["pictured"]) as (page, _):
        page.emulate_media(media="print")
        assert page.locator("img").first.is_hidden()
        page.emulate_media(media="screen")


def test_ways_of_counting_are_explained_on_a_phone_and_figures_of_estimators_on_request(
    browser: Browser, pages: dict[str, Path]
) -> None:
    with open_page(browser, pages["plain"], viewport=PHONE) as (page, _):
        expect(page.get_by_text("captions that name the concept")).to_be_visible()
        meaning = page.locator(".terms dd").first
        expect(meaning).to_be_hidden()
        page.locator(".terms summary").click()
        expect(meaning).to_be_visible()


def test_a_sign_on_the_curve_leads_to_its_card_even_if_a_filter_hides_it(
    browser: Browser, pages: dict[str, Path]
) -> None:
    with open_page(browser, pages["plain"]) as (page, _):
        page.fill("#find", "nobody")
        dot = page.locator(".curve.broad a.dot").nth(20)
        card = (dot.get_attribute("href") or "")[1:]
        dot.focus()
        page.keyboard.press("Enter")

        expect(page.locator(f"#{card}")).to_be_visible()
        assert page.input_value("#find") == ""


def test_the_page_is_whole_without_javascript(browser: Browser, pages: dict[str, Path]) -> None:
    with open_page(browser, pages["plain"], java_script_enabled=False) as (page, watched):
        assert page.locator(".card:visible").count() == 12
        page.locator(".more summary").click()
        assert page.locator(".card:visible").count() == 50
        assert not page.locator(".tools").is_visible()
        assert not page.locator(".nothing-found").is_visible()
        watched.assert_quiet()


def test_a_study_without_a_change_names_no_count_and_places_nobody(browser: Browser, pages: dict[str, Path]) -> None:
    with open_page(browser, pages["no-change"]) as (page, _):
        told = page.locator(".estimators").text_content() or ""

        assert page.locator(".estimators td b").count() == 0
        assert told.count("no answer: no change") == 5
        assert page.locator(".bracket-span, .fall, .fit").count() == 0
        assert page.locator(".card .side").count() == 0


def test_intervals_are_spoken_of_only_where_there_are_some(browser: Browser, pages: dict[str, Path]) -> None:
    for name, has_some in (("plain", True), ("own", False)):
        with open_page(browser, pages[name]) as (page, _):
            assert (
                "95\N{NARROW NO-BREAK SPACE}% intervals" in (page.locator("#curve .intro").text_content() or "")
            ) == has_some


def test_a_score_of_a_users_own_is_called_nothing_but_a_score(browser: Browser, pages: dict[str, Path]) -> None:
    with open_page(browser, pages["own"]) as (page, _):
        assert page.locator(".curve.broad .axis-name").all_text_contents()[-1] == "score"
        assert "cosine" not in (page.locator("body").text_content() or "")


def test_a_gradual_rise_opens_with_its_middle_and_no_bracket_is_missed(
    browser: Browser, pages: dict[str, Path]
) -> None:
    with open_page(browser, pages["bare"]) as (page, _):
        tile = page.locator(".keys div").first

        assert tile.locator("dt").text_content() == "half of the rise (ED50)"
        assert tile.locator("b").text_content() == "135"
        assert page.get_by_text("no change could be bounded").count() == 0


def test_one_concept_is_not_spoken_of_in_the_plural(browser: Browser, pages: dict[str, Path]) -> None:
    with open_page(browser, pages["one"]) as (page, _):
        assert page.locator("#shown").text_content() == "1 of 1 concept"


def test_a_stale_analysis_is_warned_of_on_the_page(browser: Browser, pages: dict[str, Path]) -> None:
    with open_page(browser, pages["stale"]) as (page, _):
        first = page.locator(".warnings li").first.text_content() or ""

        assert first.startswith("analysis.json was made from other figures than counts.csv and scores.csv hold now")
        assert "threshold --out" in first


def test_what_is_missing_is_said_and_not_drawn(browser: Browser, pages: dict[str, Path]) -> None:
    with open_page(browser, pages["bare"]) as (page, watched):
        expect(page.locator("#curve .key")).to_contain_text(
            "no control band: a band needs the control arms of 2 concepts"
        )
        assert page.locator("rect.band").count() == 0
        assert page.locator(".card").count() == 50
        watched.assert_quiet()
    with open_page(browser, pages["none"]) as (page, watched):
        expect(page.locator("#curve .intro")).to_contain_text("there is no curve")
        assert page.locator(".card, a.dot").count() == 0
        watched.assert_quiet()


def test_a_study_of_the_sandbox_is_labelled_as_such(browser: Browser, pages: dict[str, Path]) -> None:
    for name, n_labels in (("sandbox", 1), ("plain", 0)):
        with open_page(browser, pages[name]) as (page, _):
            assert page.get_by_text("an invented world, never comparable with real models").count() == n_labels, name


def test_a_long_list_of_what_is_left_out_is_folded(browser: Browser, pages: dict[str, Path]) -> None:
    with open_page(browser, pages["sandbox"]) as (page, _):
        reasons = page.locator("#left-out dd")

        assert reasons.count() == 40
        expect(reasons.first).to_be_hidden()
        page.locator("#left-out summary").click()
        expect(reasons.first).to_be_visible()


def test_hundreds_of_signs_do_not_stand_in_the_way_of_the_tab_key(browser: Browser, pages: dict[str, Path]) -> None:
    with open_page(browser, pages["many"]) as (page, _):
        assert page.locator(".card").count() == 400
        assert page.locator('a.dot:not([tabindex="-1"])').count() == 0


def test_whatever_a_study_says_stays_text(browser: Browser, pages: dict[str, Path]) -> None:
    with open_page(browser, pages["hostile"]) as (page, watched):
        assert (page.locator(".lead").text_content() or "") == EVIL
        assert page.locator(".card h3").first.text_content() == EVIL
        page.wait_for_timeout(50)

        assert page.locator("[onerror], img, script[src]").count() == 0
        assert page.locator("script").count() == 1
        watched.assert_quiet()


def test_nothing_legal_is_asserted_and_the_source_is_named(browser: Browser, pages: dict[str, Path]) -> None:
    with open_page(browser, pages["plain"]) as (page, _):
        law = page.locator("#law li b").all_text_contents()

        assert law[:2] == ["Above is no infringement.", "Below is not safe."]
        assert page.locator('#sources a[href="https://arxiv.org/abs/2410.15002"]').count() == 1


def test_no_page_scrolls_sideways_on_a_phone(browser: Browser, pages: dict[str, Path]) -> None:
    for name in ("plain", "bare", "one", "none", "hostile"):
        with open_page(browser, pages[name], viewport=PHONE) as (page, _):
            assert not has_sideways_scroll(page), name
            expect(page.locator(".curve.narrow")).to_be_visible()


def test_axe_finds_nothing_serious(browser: Browser, pages: dict[str, Path]) -> None:
    for name in ("small", "one"):
        with open_page(browser, pages[name], reduced_motion="reduce") as (page, _):
            assert serious_violations(page) == [], name
    with open_page(browser, pages["small"], viewport=PHONE) as (page, _):
        assert serious_violations(page) == []


def test_contrast_suffices_in_the_dark_theme(browser: Browser, pages: dict[str, Path]) -> None:
    for name in ("small", "one"):
        with open_page(browser, pages[name], color_scheme="dark") as (page, _):
            assert serious_violations(page, only="color-contrast") == [], name
