"""CopyCat's Tables 1, 2, 3 and 8 (arXiv:2406.14526), from counts of three runs that give the printed figures.

A count is of 50 characters. Nearly every printed mean and std leave one triple of counts; where two fit, one is taken.
Table 1 prints population stds, Table 8 sample stds, Table 2 both.
"""

from __future__ import annotations

import math
from itertools import combinations_with_replacement
from statistics import fmean, pstdev, stdev

import pytest

from copycat.metrics import per50, welch

POPULATION, SAMPLE = 0, 1

TABLE_1 = {  # by negative prompt: with the name as prompt, and with the rewritten one
    "none": [((29, 29, 33), "30.33±1.89"), ((12, 13, 18), "14.33±2.62")],
    "copyrighted": [((29, 30, 32), "30.33±1.25"), ((15, 18, 19), "17.33±1.70")],
    "copyrighted, LM": [((29, 29, 33), "30.33±1.89"), ((12, 15, 16), "14.33±1.70")],
    "copyrighted, embedding": [((27, 27, 30), "28.00±1.41"), ((14, 16, 17), "15.67±1.25")],
    "copyrighted, LAION": [((13, 15, 15), "14.33±0.94")],  # that of the name is impossible: see below
    "copyrighted, both": [((21, 21, 28), "23.33±3.30"), ((5, 7, 9), "7.00±1.63")],
    "target": [((20, 25, 26), "23.67±2.62"), ((7, 8, 8), "7.67±0.47")],
    "target, LM": [((23, 25, 27), "25.00±1.63"), ((5, 7, 9), "7.00±1.63")],
    "target, embedding": [((21, 21, 26), "22.67±2.36"), ((5, 6, 6), "5.67±0.47")],
    "target, LAION": [((18, 21, 23), "20.67±2.05"), ((4, 5, 6), "5.00±0.82")],
    "target, both": [((20, 21, 21), "20.67±0.47"), ((4, 4, 5), "4.33±0.47")],
}

TABLE_2 = [  # model, counts without and with the mitigation
    ("playground", (29, 29, 33), "30.33±1.89", POPULATION),
    ("playground mitigated", (4, 4, 5), "4.33±0.47", POPULATION),
    ("sdxl", (32, 33, 34), "33.00±1.00", SAMPLE),
    ("sdxl mitigated", (1, 1, 3), "1.67±0.94", POPULATION),
    ("pixart", (24, 25, 25), "24.67±0.58", SAMPLE),
    ("pixart mitigated", (4, 5, 5), "4.67±0.47", POPULATION),
    ("deepfloyd", (32, 34, 35), "33.67±1.53", SAMPLE),
    ("deepfloyd mitigated", (1, 2, 3), "2.00±1.00", SAMPLE),
    ("videofusion", (27, 27, 31), "28.33±1.89", POPULATION),
    ("videofusion mitigated", (10, 11, 13), "11.33±1.53", SAMPLE),
]

TABLE_8 = [  # by indirect prompt: without a negative prompt, and with the name as one
    ("10 keywords", (11, 14, 17), "14.00±3.00"),
    ("10 keywords, name", (5, 7, 9), "7.00±2.00"),
    ("20 keywords", (26, 27, 31), "28.00±2.65"),
    ("20 keywords, name", (17, 22, 23), "20.67±3.21"),
    ("50 keywords", (28, 29, 32), "29.67±2.08"),
    ("50 keywords, name", (15, 16, 17), "16.00±1.00"),
    ("5 LAION keywords", (18, 18, 23), "19.67±2.89"),
    ("5 LAION keywords, name", (11, 11, 15), "12.33±2.31"),
    ("description", (18, 22, 23), "21.00±2.65"),
    ("description, name", (10, 10, 11), "10.33±0.58"),
]

CELLS = [
    *((f"Table 1: {name}", *cell, POPULATION) for name, cells in TABLE_1.items() for cell in cells),
    *((f"Table 2: {name}", *cell) for name, *cell in TABLE_2),
    *((f"Table 8: {name}", *cell, SAMPLE) for name, *cell in TABLE_8),
]

TABLE_3 = [  # counts without and with the headline negative prompt, t and df as they should be
    ((29, 29, 33), (20, 21, 21), 7.03, 2.2),  # the name as prompt
    ((12, 13, 18), (4, 4, 5), 5.30, 2.1),  # the rewritten prompt
]


def rows_of(outcomes_of, counts):
    return outcomes_of(
        *((f"c{i:02d}", "name", repeat, i < count, None) for repeat, count in enumerate(counts) for i in range(50))
    ).rows


@pytest.mark.parametrize(("counts", "printed", "ddof"), [c[1:] for c in CELLS], ids=[f"{c[0]} {c[2]}" for c in CELLS])
def test_counts_of_three_runs_give_the_printed_mean_and_std(outcomes_of, counts, printed, ddof):
    ours = per50(rows_of(outcomes_of, counts))

    std = ours.std * math.sqrt(3 / (3 - ddof))
    assert f"{ours.mean:.2f}±{std:.2f}" == printed


def test_the_tables_are_complete_but_for_one_impossible_cell():
    assert len(CELLS) == 21 + 10 + 10


def test_no_three_counts_give_the_printed_mean_of_the_name_against_laion_words():
    """Table 1 prints 27.33±0.00: three whole numbers with that mean cannot be equal."""
    stds = [
        std(counts)
        for counts in combinations_with_replacement(range(51), 3)
        if f"{fmean(counts):.2f}" == "27.33"
        for std in (pstdev, stdev)
    ]

    assert min(stds) > 0.4


@pytest.mark.parametrize(("base", "treated", "t", "df"), TABLE_3)
def test_welch_gives_the_corrected_table_of_significance(outcomes_of, base, treated, t, df):
    one, other = per50(rows_of(outcomes_of, base)), per50(rows_of(outcomes_of, treated))

    ours = welch(one.mean, one.std, 3, other.mean, other.std, 3, ddof=0)

    assert (round(ours.t, 2), round(ours.df, 1)) == (t, df)
    assert ours.p_one_sided < 0.05


@pytest.mark.parametrize(
    ("figures", "printed"),
    [((30.33, 1.89, 3, 20.67, 0.47, 3), 8.59), ((14.33, 2.62, 3, 4.33, 0.47, 3), 6.51)],
)
def test_the_printed_t_takes_population_stds_for_sample_stds(figures, printed):
    assert round(welch(*figures, ddof=1).t, 2) == printed
    assert welch(*figures, ddof=0).t == pytest.approx(printed * math.sqrt(2 / 3), abs=0.01)
