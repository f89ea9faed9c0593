"""The page of a run, in a real browser: what is shown, what is hidden until asked for, and what stays text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import PHONE, blur_of, has_sideways_scroll, open_browser, open_page, serious_violations
from playwright.sync_api import Browser, Page, expect
from small_sites import EVIL, FRAMES, REAL_CAST, SmallSite, shared_small_site

from copycat.metrics import join_outcomes

pytestmark = pytest.mark.slow  # a real browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> SmallSite:
    return shared_small_site(tmp_path_factory.getbasetemp() / "small-site")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


def shown_shots(page: Page) -> int:
    return page.locator(".shot:visible").count()


def size_of(page: Page, selector: str) -> list[int]:
    """Wait for a picture, and give its own size."""
    script = "picture => picture.decode().then(() => [picture.naturalWidth, picture.naturalHeight])"
    return list(page.eval_on_selector(selector, script))


# ------------------------------------------------------------------------------------ pictures


def test_a_picture_is_blurred_until_somebody_clicks_it(browser: Browser, site: SmallSite) -> None:
    with open_page(browser, site.page("plain"), reduced_motion="reduce") as (page, watched):
        page.locator(".frame img").first.scroll_into_view_if_needed()
        before = blur_of(page, ".frame img")
        page.locator(".frame").first.click()

        assert "blur" in before
        assert blur_of(page, ".frame img") == "none"
        assert size_of(page, ".frame img") == [64, 64]
        watched.assert_quiet()


def test_a_picture_is_shown_by_keyboard_and_all_of_them_by_one_box(browser: Browser, site: SmallSite) -> None:
    with open_page(browser, site.page("plain"), reduced_motion="reduce") as (page, _):
        page.locator(".frame input").first.focus()
        page.keyboard.press("Space")
        first, last = blur_of(page, ".frame img"), blur_of(page, ".character:last-child .frame img")
        page.locator("#reveal-all").check()

        assert (first, "blur" in last) == ("none", True)
        assert blur_of(page, ".character:last-child .frame img") == "none"


def test_the_page_is_whole_without_javascript(browser: Browser, site: SmallSite) -> None:
    with open_page(browser, site.page("plain"), java_script_enabled=False, reduced_motion="reduce") as (page, watched):
        page.locator(".frame").first.click()

        assert shown_shots(page) == len(site.loaded["plain"].samples)
        assert not page.locator(".filters").is_visible()
        assert blur_of(page, ".frame img") == "none"
        watched.assert_quiet()


def test_every_sample_stands_on_the_page_with_prompt_seed_verdict_and_hashes(browser: Browser, site: SmallSite) -> None:
    loaded = site.loaded["mitigated"]
    verdicts = {row.sample.key: row.judgement for row in join_outcomes(loaded.samples, loaded.judgements).rows}
    with open_page(browser, site.page("mitigated")) as (page, _):
        for sample in loaded.samples:
            shot = page.locator(f"#p-{sample.key}")
            strip = page.locator(".strip").filter(has=page.locator(f"#p-{sample.key}"))
            judgement = verdicts[sample.key]
            assert judgement is not None
            told, asked = shot.text_content() or "", strip.locator(".asked").text_content() or ""

            assert all(text in told for text in (str(sample.seed), str(sample.sha256), str(sample.perceptual_hash)))
            assert f"{judgement.confidence or 0:.1%}".rstrip("%") in told
            assert sample.prompt in asked
            assert (sample.negative_prompt or "") in asked


def test_pictures_that_are_withheld_leave_their_hashes_and_verdicts(browser: Browser, site: SmallSite) -> None:
    loaded = site.loaded["withheld"]
    with open_page(browser, site.page("withheld")) as (page, _):
        tiles = page.locator(".shot .tile").all_text_contents()

        assert page.locator("main img").count() == 0
        expect(page.locator("#gallery .intro")).to_contain_text("Pictures are withheld; every request is here")
        assert [tile.startswith("withheld") for tile in tiles] == [True] * len(loaded.samples)
        assert all(
            str(sample.sha256) in (page.locator(f"#p-{sample.key}").text_content() or "") for sample in loaded.samples
        )
        assert page.locator(".verdict").count() == len(loaded.samples)


def test_what_is_told_of_a_picture_has_room_beside_it(browser: Browser, site: SmallSite) -> None:
    for options in ({}, {"viewport": PHONE}):
        with open_page(browser, site.page("mitigated"), **options) as (page, _):
            page.locator(".shot summary").first.click()
            box = page.locator(".shot dl").first.bounding_box()

            assert box is not None
            assert box["width"] > 180
            assert not has_sideways_scroll(page)


def test_requests_without_a_picture_say_why(browser: Browser, site: SmallSite) -> None:
    statuses = Counter(sample.status for sample in site.loaded["troubled"].samples)
    assert statuses["refused"] and statuses["failed"]
    with open_page(browser, site.page("troubled")) as (page, _):
        assert page.get_by_text("the service said no").count() == statuses["refused"]
        assert page.get_by_text("the service fell over").count() == statuses["failed"]
        assert (
            page.locator(".seen", has_text="the judge fell over").count()
            == page.locator(".verdict.unjudged").count()
            > 0
        )


def test_a_clip_is_shown_as_the_sheet_of_its_frames(browser: Browser, site: SmallSite) -> None:
    with open_page(browser, site.page("clips")) as (page, _):
        page.locator(".frame img").first.scroll_into_view_if_needed()

        assert size_of(page, ".frame img") == [256, 128]
        assert page.locator(".verdict.target + .cons + .seen").first.text_content() == f"target in 2 of {FRAMES} frames"
        assert f"{len(site.loaded['clips'].samples)} clips" in (page.locator(".lead").text_content() or "")


# ------------------------------------------------------------------------------------ finding things


def test_requests_are_filtered_by_how_they_ended(browser: Browser, site: SmallSite) -> None:
    with open_page(browser, site.page("troubled")) as (page, _):
        for verdict in ("target", "none", "refused", "failed", "unjudged"):
            wanted = page.locator(f'.shot[data-end="{verdict}"]').count()
            page.select_option("#verdict", verdict)

            assert shown_shots(page) == wanted
            assert (page.locator("#shown").text_content() or "").startswith(
                f"{wanted} of {len(site.loaded['troubled'].samples)} "
            )


def test_requests_are_filtered_by_character_franchise_and_anchor(browser: Browser, site: SmallSite) -> None:
    with open_page(browser, site.page("plain")) as (page, _):
        page.fill("#find", "zoravi")
        by_name = shown_shots(page)
        page.fill("#find", "emberwood")
        by_franchise = shown_shots(page)
        page.select_option("#anchor", "description")
        by_both = shown_shots(page)
        page.fill("#find", "nobody")

        assert (by_name, by_franchise, by_both) == (6, 12, 4)
        expect(page.locator(".nothing-found")).to_be_visible()


def test_a_link_to_a_character_takes_a_filter_away_that_hides_it(browser: Browser, site: SmallSite) -> None:
    with open_page(browser, site.page("plain")) as (page, _):
        page.fill("#find", "zoravi")
        page.locator("#g-ishtolu a").click()

        expect(page.locator("#c-ishtolu")).to_be_visible()
        assert page.input_value("#find") == ""


def test_the_heat_map_counts_like_the_row_and_sorts_by_name(browser: Browser, site: SmallSite) -> None:
    row = site.runs["plain"].row
    with open_page(browser, site.page("plain")) as (page, _):
        cells = [text.strip() for text in page.locator("#g-zoravi td").all_text_contents()]
        page.get_by_role("button", name="name", exact=True).click()
        names = page.locator("#grid tbody a").all_text_contents()

        expected = [row.by_character[anchor]["zoravi"] for anchor in row.anchors]
        assert cells == [*(f"{k}/{n}" for k, n in expected), f"{sum(k for k, _ in expected)}/6"]
        assert names == sorted(names)


def test_a_franchise_adds_its_characters_up_and_has_an_interval_only_if_there_are_several(
    browser: Browser, site: SmallSite
) -> None:
    row = site.runs["plain"].row
    k = sum(row.by_character[anchor][character][0] for anchor in row.anchors for character in ("fandreth", "ishtolu"))
    with open_page(browser, site.page("plain")) as (page, _):
        cells = page.locator("#franchises tr", has_text="Emberwood").locator("td").all_text_contents()

        assert cells[-2] == f"{k}/12"
        assert cells[-1].startswith("[")
    with open_page(browser, site.page("troubled")) as (page, _):
        assert page.locator("#franchises td.interval").all_text_contents() == [""] * len(REAL_CAST)


def test_the_page_leads_to_its_characters_and_to_the_comparison_with_its_baseline(
    browser: Browser, site: SmallSite
) -> None:
    with open_page(browser, site.page("mitigated")) as (page, _):
        page.get_by_role("link", name="Zoravi in all runs").click()
        assert page.locator("h1").text_content() == "Zoravi, Lantern Orbit"

        page.go_back()
        page.get_by_role("link", name="Compare with no mitigation").click()
        expect(page.locator("#overview")).to_be_visible()
        assert (page.input_value("#a"), page.input_value("#b")) == (site.id("plain"), site.id("mitigated"))


# ------------------------------------------------------------------------------------ strangers' words


def hostile_pages(site: SmallSite) -> list[tuple[str, Path, str]]:
    compare = f"?a={site.id('hostile')}&b={site.id('troubled')}"
    return [
        ("run", site.page("hostile"), ""),
        ("compare", site.root / "compare.html", compare),
        ("character", site.root / "characters" / "copycat50" / "mario.html", ""),
        ("set", site.root / "characters" / "copycat50" / "index.html", ""),
    ]


def test_whatever_a_submission_says_stays_text_on_every_page(browser: Browser, site: SmallSite) -> None:
    for name, path, query in hostile_pages(site):
        with open_page(browser, path, query) as (page, watched):
            if name == "compare":
                expect(page.locator("#overview")).to_be_visible()
            if name != "set":
                assert EVIL[:40] in (page.locator("main").text_content() or ""), name
            page.wait_for_timeout(50)

            assert page.locator('[onerror], [onload], img[src="x"], svg[onload]').count() == 0, name
            assert page.locator("script:not([src])").count() == 0, name
            watched.assert_quiet()


def test_only_addresses_of_the_web_become_links(browser: Browser, site: SmallSite) -> None:
    with open_page(browser, site.page("hostile")) as (page, _):
        assert page.locator('a[href="https://example.org/?q=%3Cscript%3E&x=1"]').count() == 1
        schemes = page.eval_on_selector_all("a[href]", "links => [...new Set(links.map(link => link.protocol))]")
        assert set(schemes) <= {"file:", "https:", "http:"}


# ------------------------------------------------------------------------------------ everybody's page


def every_page(site: SmallSite) -> list[tuple[Path, str]]:
    compare = f"?a={site.id('withheld')}&b={site.id('troubled')}"
    characters = site.root / "characters" / "copycat50"
    pages = [site.page("troubled"), characters / "index.html", characters / "mario.html"]
    return [*((path, "") for path in pages), (site.root / "compare.html", compare)]


def test_no_page_scrolls_sideways_on_a_phone(browser: Browser, site: SmallSite) -> None:
    for path, query in every_page(site):
        with open_page(browser, path, query, viewport=PHONE) as (page, watched):
            assert not has_sideways_scroll(page), path
            watched.assert_quiet()


def test_axe_finds_nothing_serious(browser: Browser, site: SmallSite) -> None:
    for path, query in every_page(site):
        with open_page(browser, path, query, reduced_motion="reduce") as (page, _):
            if query:
                expect(page.locator("#overview")).to_be_visible()
            assert serious_violations(page) == [], path


def test_contrast_suffices_in_the_dark_theme(browser: Browser, site: SmallSite) -> None:
    with open_page(browser, site.page("troubled"), color_scheme="dark") as (page, _):
        assert serious_violations(page, only="color-contrast") == []
