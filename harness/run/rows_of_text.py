"""Money by text, since tokenizers differ: USD per million UTF-8 bytes of one fixed text, where the tokenizer is known.

The only tokenizer of this library is the reference model's. Another model's text is not guessed at: its row is absent
and says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from harness.results import Row
from harness.roofline.point import Point
from harness.run.rows_of_point import Workload, joined, kind_of, price_notes, sources_of

REFERENCE = "smollm2-135m-instruct"
TEXT = """\
A stack is a model, its precision, a chip, how many of them, the serving engine, and what they cost.
Ein Rechner ist so schnell wie sein Speicher. 芯片的速度取决于内存的带宽。 Un jeton n'est pas un mot.
def mean(values): return sum(values) / len(values)  # an empty list has no mean
"""


def text_rows(p: Point, load: Workload) -> Iterator[Row]:
    """One row: the price of an output token over the bytes that a token of the text stands for."""
    base = {"stack": str(p.stack), "metric": "usd_per_m_utf8_byte", "unit": "USD/Mbyte", "model": p.stack.model,
            "weight_dtype": p.dtypes.weight, "chip": p.stack.chip, "chips": p.stack.chips,
            "workload": load.id}  # fmt: skip
    money = p.figures.get("usd_per_m_output_tok")
    if money is None or p.stack.model != REFERENCE:
        why = "no rental price in the profile" if money is None else "its tokenizer is not in the library"
        yield Row(value=None, kind="modelled", source="model-of-time", note=f"error={why}", **base)
        return
    each = bytes_per_token()
    notes = {"bytes_per_token": f"{each:.4g}", "text_bytes": str(len(TEXT.encode())), **price_notes(p.price)}
    yield Row(value=money.value / each, p10=money.p10 / each, p90=money.p90 / each, note=joined(notes),
              kind=kind_of(p, "usd_per_m_output_tok"), source=sources_of(p, "usd_per_m_output_tok"),
              **base)  # fmt: skip


@cache
def bytes_per_token() -> float:
    """UTF-8 bytes of the text over its tokens, by the reference model's own tokenizer."""
    from harness.reference.tokenizer import Tokenizer
    from harness.reference.weights import prepare

    return len(TEXT.encode()) / len(Tokenizer(prepare(None)).encode(TEXT))
