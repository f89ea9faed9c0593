"""Dates as options: YYYY-MM-DD, checked before anything is written."""

from __future__ import annotations

import datetime

import typer


def check_date(text: str) -> str:
    """Give the date back if there is such a day.

    Raises:
        typer.BadParameter: another form, or no day of the calendar.
    """
    try:
        is_day = datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        is_day = False
    if not is_day:
        raise typer.BadParameter(f"'{text}' is no date\n  needed: YYYY-MM-DD, such as 2026-01-31")
    return text


def read_day(text: str) -> datetime.datetime:
    """Give the beginning of a day, for an option that is read into a datetime.

    Raises:
        typer.BadParameter: another form, or no day of the calendar.
    """
    return datetime.datetime.fromisoformat(check_date(text))
