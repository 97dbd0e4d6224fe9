"""From clusters to campaigns: which clusters are one crowd.

To be read in this order:

- `gatherings`: when several members of a cluster are at one object, and the sessions that these make.
- `public`: what accounts in no cluster do at those hours and with those objects.
- `coincidence`: whether two clusters gather at the same moments more often than on other days at the same hours.
- `carried`: who carries which tracking tokens to which sites, and families of tokens.
- `recruiters`: tokens that one cluster or campaign carries to several sites, and hardly anybody else.
- `tokens`: which clusters' links carry tracking tokens that hardly anybody else's do.
- `join`: the ties of all three kinds, and the campaigns that they make.
"""
