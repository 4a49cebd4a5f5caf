"""Operators and a chip profile give a step time, what requests see of it, with an interval, energy and cost.

compiled, layouts   a model's operators on a layout of chips, as linear forms of what a step holds
hardware            chips as columns of profile values and kernel constants
blocks, step        operators -> effective times (shapes, links) -> a step's time
memory, operate     what fits, the batch that runs, rows of one plan made ready
serve, evaluate     latencies of a closed loop -> figures and their uncertainty
scales, constants   what an engine makes of kernels, fitted on measured deployments
point               one operating point, with what it was made of
fit*, priors        kernel laws from measured kernels; the constants of a chip without them
"""
