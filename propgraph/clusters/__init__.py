"""From groups of accounts to clusters, their figures, flags and evidence.

To be read in this order; each hands its tables on to the next:

- `find`: the steps, in order.
- `inputs`: what is read from a study.
- `groups`: which accounts belong together (with `sampled`, where edges are a sample), and their numbers.
- `timing`: how clusters keep time, and outsiders with the same objects.
- `metrics`, `context`, `delays`, `declared`: the figures of each cluster, and those that tell innocent readings.
- `baseline`: what all other accounts do.
- `rules`, `readings`, `judge`: which flags fire, which innocent readings fit, the score, the ids.
- `selection`, `evidence`: the posts that show a finding.
- `scores`: the accounts.
"""
