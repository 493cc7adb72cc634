"""What `results.json` holds, key by key: made by `results` and `suite`, read by tables, reports, figures and any program.

It is `problem.Results`, whose rows are `optimizer.Row`, or `suite.SuiteResults`. Numbers that are infinite or undefined are
None, as JSON has no words for them. Scores are as the problem's own are ("higher is better" stands with them); what is a share
is between 0 and 1.
"""
