"""SWE-bench Pro (Scale AI 2025, arXiv 2509.16941): issues of real repositories, judged by their tests in containers."""

from __future__ import annotations

from harness.evaluations import Evaluation
from harness.suites import Grade

EVALUATION = Evaluation(
    title="SWE-bench Pro",
    family="coding",
    hub="ScaleAI/SWE-bench_Pro, , test",
    licence="MIT; each repository its own",
    follows="the evaluation's own harness",
    method="generate",
    max_tokens=8192,
    stop=lambda lang: (),
    fields=("instance_id", "repo", "base_commit", "problem_statement"),
    items=lambda rows, examples, lang: [],
    grade=lambda item, text: Grade(0.0, "unparsed"),
    trivial_answers=lambda item: {},
    refusal="its tests run in one container image an issue, which its publisher provides and this project does not "
    "start; run its own harness, and take `repo-repair` for what runs here",
)
