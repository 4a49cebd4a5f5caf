"""The main job: suites on a runner, then every chip modelled, into one run folder.

`evaluate` asks and grades, `traffic` models, `rows` turns both into figures, `manifest` says what was used,
`job` ties them together.
"""
