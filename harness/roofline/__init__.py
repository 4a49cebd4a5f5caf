"""Operators and a chip profile give a step time with an interval, what bounds it, energy and cost.

`constants` reads the fitted efficiency laws, `kernels` and `collectives` apply them, `deployment` reads a
stack and says whether it fits, `step` adds a step up, `point` answers one operating point, `energy` and `cost`
follow. `shapes` and `links` are the closed forms of kernels and collectives, `priors` the constants of a chip
without measurements; `fit` writes `constants/*.toml` from measured kernel times (`fit_kernels` reads them,
`fit_law` fits one law).
"""
