"""A judge against labels: which pictures people label, what they said, how far the judge agrees with them.

    run -> drawn pictures -> labels.csv and label.html -> people -> labels
    labels or a labelled data set + verdicts -> cases -> figures and schema.Calibration

`flows` puts the steps together; `python -m copycat.calibrate` calls it.
"""
