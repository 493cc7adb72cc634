"""The schema of `results.json`: made by `results` and `suite`, read by tables, reports, figures and other programs.

It is `problem.Results`, whose rows are `optimizer.Row`, or `suite.SuiteResults`. Infinite and undefined numbers are None, as
JSON lacks them. Scores have the problem's own direction ("higher_is_better"); shares are between 0 and 1.
"""
