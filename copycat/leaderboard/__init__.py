"""Submissions, their verification, and the page that shows them.

A submission is a folder of plain files (`records.py`), made from a run folder (`packing.py`), read with limits
(`reading.py`), re-derived line by line (`checks/`), and shown as a row with everything behind it (`site/`).
"""
