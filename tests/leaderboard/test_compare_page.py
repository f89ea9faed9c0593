"""Two runs beside each other, in a real browser."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from itertools import product
from urllib.parse import parse_qs, urlsplit

import pytest
from browsing import blur_of, open_browser, open_page
from playwright.sync_api import Browser, Page, expect
from scipy.stats import binomtest, t
from small_sites import SmallSite, shared_small_site

from copycat.leaderboard.reading import LoadedSubmission
from copycat.metrics import compare, join_outcomes
from copycat.metrics.intervals import paired_difference

pytestmark = pytest.mark.slow  # a real browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> SmallSite:
    return shared_small_site(tmp_path_factory.getbasetemp() / "small-site")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


def query_of(site: SmallSite, a: str, b: str) -> str:
    return f"?a={site.id(a)}&b={site.id(b)}"


def state_of(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def hits_of(loaded: LoadedSubmission) -> dict[tuple[str, str, int], tuple[str, bool]]:
    """Character and whether it was detected, by place, of the requests that were answered."""
    rows = join_outcomes(loaded.samples, loaded.judgements).rows
    return {
        (row.sample.character, row.sample.anchor, row.sample.repeat): (row.sample.character, row.is_detected)
        for row in rows
        if row.is_answered
    }


def fourfold(page: Page) -> dict[str, int]:
    kinds = ("both", "only-a", "only-b", "neither")
    return {kind: int(page.locator(f'[data-show="{kind}"]').text_content() or "") for kind in kinds}


def counted(a: LoadedSubmission, b: LoadedSubmission) -> dict[str, int]:
    of_a, of_b = hits_of(a), hits_of(b)
    kinds = {(True, True): "both", (True, False): "only-a", (False, True): "only-b", (False, False): "neither"}
    found = Counter(kinds[of_a[place][1], of_b[place][1]] for place in of_a.keys() & of_b.keys())
    return {kind: found[kind] for kind in kinds.values()}


def test_pairs_are_counted_as_their_samples_say(browser: Browser, site: SmallSite) -> None:
    for a, b in (("plain", "mitigated"), ("withheld", "troubled")):
        expected = counted(site.loaded[a], site.loaded[b])
        n = sum(expected.values())
        with open_page(browser, site.root / "compare.html", query_of(site, a, b)) as (page, watched):
            expect(page.locator("#overview")).to_be_visible()
            shares = [(expected["both"] + expected["only-a"]) / n, (expected["both"] + expected["only-b"]) / n]
            detect = page.locator(".measured .detect td").all_text_contents()

            assert fourfold(page) == expected
            assert detect[:2] == [f"{100 * share:.1f}\u202f%" for share in shares]
            assert detect[2].replace("\u2212", "-") == f"{100 * (shares[1] - shares[0]):+.1f}"
            watched.assert_quiet()


def test_chance_is_judged_by_an_exact_sign_test_over_characters(browser: Browser, site: SmallSite) -> None:
    change: Counter[str] = Counter()
    for weight, name in ((-1, "plain"), (1, "mitigated")):
        for character, is_detected in hits_of(site.loaded[name]).values():
            change[character] += weight * is_detected
    more, less = sum(c > 0 for c in change.values()), sum(c < 0 for c in change.values())
    with open_page(browser, site.root / "compare.html", query_of(site, "plain", "mitigated")) as (page, _):
        said, chance = page.locator(".verdict-of").all_text_contents()

        assert f"{less} characters are recognised less often than in A, {more or 'none'} more often" in said
        assert f"p = {binomtest(more, more + less).pvalue:.4f} " in chance


def test_a_difference_has_the_interval_that_a_mitigation_has_beside_its_baseline(
    browser: Browser, site: SmallSite
) -> None:
    loaded = [site.loaded[name] for name in ("mitigated", "plain")]
    treated, base = (join_outcomes(one.samples, one.judgements) for one in loaded)
    found = {one.metric: one for one in compare(loaded[0].settings.spec.anchors, treated, base) if one.anchor == "all"}
    with open_page(browser, site.root / "compare.html", query_of(site, "plain", "mitigated")) as (page, _):
        expect(page.locator("#overview")).to_be_visible()
        shown = {tone: page.locator(f".measured .{tone} .interval").text_content() or "" for tone in ("detect", "cons")}

    for tone, metric in (("detect", "detect_difference"), ("cons", "consistency_difference")):
        low, high = (float(end) for end in shown[tone].replace("\u2212", "-").strip("[]").split(", "))
        assert (low, high) == pytest.approx((100 * (found[metric].low or 0), 100 * (found[metric].high or 0)), abs=0.06)


def test_intervals_in_the_browser_are_those_of_the_metrics(browser: Browser, site: SmallSite) -> None:
    rng = random.Random(7)
    cases = []
    for n_characters, n_each, change, is_binary in product((1, 2, 7, 30), (1, 3), (0.0, 0.1, 0.6), (True, False)):
        owners = [f"c{i}" for i in range(n_characters) for _ in range(n_each)]
        base = [round(rng.random()) if is_binary else rng.random() for _ in owners]
        treated = [(rng.random() * b if not is_binary else 0) if rng.random() < change else b for b in base]
        cases.append((owners, base, treated))
    with open_page(browser, site.root / "compare.html") as (page, _):
        rows = [list(zip(*case, strict=True)) for case in cases]
        intervals = page.evaluate("all => all.map(copycatIntervals.pairedInterval)", rows)
        quantiles = page.evaluate("[1, 2, 3, 10, 49, 200].map(copycatIntervals.tQuantile)")

    for (owners, base, treated), interval in zip(cases, intervals, strict=True):
        expected = paired_difference(treated, base, owners).interval
        assert interval == pytest.approx([expected.low, expected.high], abs=1e-7)
    assert quantiles == pytest.approx([t.ppf(0.975, degrees) for degrees in (1, 2, 3, 10, 49, 200)], rel=1e-9)


def test_the_run_without_a_mitigation_is_a_until_somebody_swaps(browser: Browser, site: SmallSite) -> None:
    with open_page(browser, site.root / "compare.html", query_of(site, "mitigated", "plain")) as (page, _):
        expect(page.locator("#a")).to_have_value(site.id("plain"))
        expect(page.locator("#b")).to_have_value(site.id("mitigated"))
        expect(page.locator("#overview")).to_be_visible()
        page.locator("#swap").click()
        page.reload()

        expect(page.locator("#a")).to_have_value(site.id("mitigated"))


def test_guidance_is_told_of_the_run_that_has_it(browser: Browser, site: SmallSite) -> None:
    with open_page(browser, site.root / "compare.html", query_of(site, "troubled", "hostile")) as (page, _):
        guided = page.locator(".sent", has_text="guided by nag, away from ")
        expect(guided.first).to_be_attached()

        assert all((text or "").startswith("B: ") for text in guided.all_text_contents())


def test_pairs_share_character_anchor_repeat_and_seed(browser: Browser, site: SmallSite) -> None:
    with open_page(browser, site.root / "compare.html", query_of(site, "plain", "mitigated")) as (page, _):
        expect(page.locator("#overview")).to_be_visible()

        assert page.locator(".pair").count() == 24
        assert page.locator(".seed.apart").count() == 0
        assert "24 of these pairs have the same seed" in (page.locator(".verdict-of").last.text_content() or "")
        sources = page.locator(".pair").first.locator("img").evaluate_all("all => all.map(one => one.src)")
        firsts = {one.sha256 for name in ("plain", "mitigated") for one in site.loaded[name].samples if one.repeat == 0}
        assert len(sources) == 2
        assert {source.rsplit("/", 1)[1].removesuffix(".png") for source in sources} <= firsts


def test_a_pair_is_blurred_until_somebody_clicks_it(browser: Browser, site: SmallSite) -> None:
    query = query_of(site, "plain", "mitigated")
    with open_page(browser, site.root / "compare.html", query, reduced_motion="reduce") as (page, _):
        before = blur_of(page, ".pair img")
        page.locator(".frames").first.click()

        assert "blur" in before
        assert page.locator(".pair").first.locator("img").evaluate_all(
            "all => all.map(one => getComputedStyle(one).filter)"
        ) == ["none", "none"]


def test_a_picture_leads_to_what_the_judge_said_of_it(browser: Browser, site: SmallSite) -> None:
    with open_page(browser, site.root / "compare.html", query_of(site, "plain", "mitigated")) as (page, watched):
        page.get_by_role("link", name="More on B: Fandreth, name, picture 2").click()
        keys = [
            sample.key
            for sample in site.loaded["mitigated"].samples
            if (sample.character, sample.anchor, sample.repeat) == ("fandreth", "name", 1)
        ]

        assert page.url == f"{site.page('mitigated').as_uri()}#p-{keys[0]}"
        expect(page.locator(f"#p-{keys[0]} details")).to_have_attribute("open", "")
        watched.assert_quiet()


def test_the_state_is_in_the_address_and_back_restores_it(browser: Browser, site: SmallSite) -> None:
    with open_page(browser, site.root / "compare.html", query_of(site, "plain", "mitigated")) as (page, _):
        only_a = counted(site.loaded["plain"], site.loaded["mitigated"])["only-a"]
        page.locator('[data-show="only-a"]').click()
        filtered = state_of(page)
        shown = page.locator(".pair:visible").count()
        page.locator("#swap").click()
        expect(page.locator("#a")).to_have_value(site.id("mitigated"))
        swapped = state_of(page)
        page.go_back()
        expect(page.locator("#a")).to_have_value(site.id("plain"))
        expect(page.locator("#show")).to_have_value("only-a")

        assert (filtered["show"], shown) == ("only-a", only_a)
        assert (swapped["a"], swapped["b"]) == (site.id("mitigated"), site.id("plain"))


def test_an_id_that_is_not_on_the_board_loads_nothing(browser: Browser, site: SmallSite) -> None:
    for wrong in ("../../../evil", "<img src=x onerror=alert(1)>", "https://example.org/x"):
        with open_page(browser, site.root / "compare.html", f"?a={wrong}&b={site.id('plain')}") as (page, watched):
            expect(page.locator("#told")).to_contain_text(f"There is no run “{wrong}” on this board")

            assert not page.locator("#overview").is_visible()
            assert not [url for url in watched.requests if "data.js" in url]
            assert page.locator("[onerror]").count() == 0
            watched.assert_quiet()


def test_only_runs_on_the_same_characters_are_offered(browser: Browser, site: SmallSite) -> None:
    with open_page(browser, site.root / "compare.html") as (page, _):
        page.select_option("#a", site.id("plain"))
        offered = page.locator("#b option").evaluate_all("all => all.map(one => one.value)")

        assert offered == ["", site.id("mitigated")]
    with open_page(browser, site.root / "compare.html", query_of(site, "plain", "troubled")) as (page, _):
        expect(page.locator("#told")).to_contain_text("different characters or suites")


def test_a_baseline_that_is_not_on_the_board_is_said_to_be_missing(browser: Browser, site: SmallSite) -> None:
    with open_page(browser, site.root / "compare.html", f"?a=baseline&b={site.id('withheld')}") as (page, _):
        expect(page.locator("#told")).to_contain_text("is not on the board")


def test_withheld_pictures_and_missing_answers_are_told(browser: Browser, site: SmallSite) -> None:
    with open_page(browser, site.root / "compare.html", query_of(site, "withheld", "troubled")) as (page, _):
        page.select_option("#show", "incomplete")
        samples = site.loaded["troubled"].samples
        missing = len(samples) - len(hits_of(site.loaded["troubled"]))

        assert page.locator(".pair:visible").count() == missing > 0
        assert page.locator(".tile", has_text="withheld").count() == len(site.loaded["withheld"].samples)
        assert f"{missing} further requests have no answer in A or B" in (
            page.locator("#overview").text_content() or ""
        )


def test_without_javascript_the_page_says_where_to_look_instead(browser: Browser, site: SmallSite) -> None:
    with open_page(browser, site.root / "compare.html", java_script_enabled=False) as (page, _):
        expect(page.locator("noscript p")).to_contain_text("needs JavaScript")
        assert not page.locator("#a").is_visible()
