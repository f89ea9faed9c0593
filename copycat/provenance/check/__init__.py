"""What becomes of findings: settings that lie with a dataset, what is ignored, and the forms of a report.

settings.py       provenance.yaml: purpose, columns, and findings that are ignored, each with a reason and an end
ignoring.py       a report and what is ignored -> a report in which that is marked
fingerprints.py   a name for each finding that stays the same from one check to the next
sarif.py          SARIF 2.1.0, for code scanning      page.py   one self-contained page
"""
