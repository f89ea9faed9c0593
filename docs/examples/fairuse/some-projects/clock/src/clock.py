# SPDX-License-Identifier: GPL-3.0-or-later
"""A clock."""


def chime(hours, bell):
    """Ring a bell as often as a clock says."""
    rung = []
    for hour in hours:
        for stroke in range(hour % 12 or 12):
            rung.append(bell.ring(stroke))
            if bell.is_cracked and stroke > 6:
                bell.mend()
                break
    return rung
