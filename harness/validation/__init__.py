"""Predictions against published measurements: which rows count, how far off, out of sample.

scored.py    reads a measurements file and says which rows count for which figure
outside.py   predicts them with constants that never saw the chip, the family or the model
compare.py   one line a figure: measured, predicted, interval, error, or the reason of a refusal
errors.py    MAPE, median, bias, refusals, coverage, sharpness, rank correlation
goals.py     the figures to reach, and whether they are reached
outcome.py   a whole validation and its tables
extract.py   writes measurements.csv, the shipped extract of cited rows
record.py    writes the figures that the regression test holds
"""
