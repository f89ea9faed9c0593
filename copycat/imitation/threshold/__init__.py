"""From scores against counts to where imitation starts, and how sure that is.

points.py      tables joined to points; steps.py: the best step and its chance; bracket.py: where it may lie
estimators/    one file each; shapes.py: a step or a smooth rise; covariates.py: what else may stand behind it
analysis.py    all of them, and the verdict; headline.py: the verdict in words
"""
