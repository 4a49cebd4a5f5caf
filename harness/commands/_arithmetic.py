"""What a model's architecture gives by arithmetic, and its published scores, as lines for the terminal."""

from __future__ import annotations

from harness.architecture import Architecture, from_table
from harness.footprint import kv_bytes_per_token, state_bytes_per_sequence
from harness.operators import Dtypes, Group, Load
from harness.operators import trace as computed_trace
from harness.profiles import Model
from harness.scores import scores
from harness.stack import kept_formats


def plan_lines(m: Model, context: int) -> list[str]:
    """The layer plan, parameters by part, work and bytes a token, cache a token. Empty without an architecture."""
    if "architecture" not in m.tables:
        proxy = m.proxy
        return [f"\nmodelled by proxy: {proxy['model']} ({proxy['why']}) [{proxy['source']}]"] if proxy else []
    arch = from_table(m.tables["architecture"], m.path)
    about = m.tables["architecture"]
    made = ", put together, not the publisher's own file" if about.get("reconstructed") else ""
    lines = [f"\nlayers: {arch.layer_count}, hidden {arch.hidden}, vocabulary {arch.vocab} [{about['source']}{made}]"]
    lines += [f"  {about['note']}"] if about.get("note") else []
    lines += [f"  {group.count:3d} x {_part(group.attention)} | {_part(group.mlp)}" for group in arch.layers]
    lines.append(f"parameters by arithmetic: {arch.parameters:,} ({arch.active_parameters:,} used by a token)")
    lines += [f"  {name:15s} {count:>20,}" for name, count in arch.parts.items()]
    return [*lines, *_published_lines(m, arch), *_work_lines(m, arch, context)]


def _published_lines(m: Model, arch: Architecture) -> list[str]:
    """Computed against published. Publishers differ in whether the active count holds embedding and head."""
    lines = []
    for key, computed in (("parameters.total", arch.parameters), ("parameters.active", arch.active_parameters)):
        if m.has(key):
            published = m.get(key).point
            lines.append(f"  {key}: published {published:,.0f}, computed {computed / published - 1:+.2%}")
    return lines


def _work_lines(m: Model, arch: Architecture, context: int) -> list[str]:
    native = m.native_dtype
    dtypes = Dtypes(native, "bf16", "bf16", kept_formats(m))
    one = computed_trace(arch, Load((Group(1, 1, context),)), dtypes, phase="decode")
    all_ = computed_trace(arch, Load((Group(1, context, 0),)), dtypes, phase="prefill")
    read = {k: float(v) for k, v in one.bytes_by_dtype()["read"].items()}
    lines = [
        f"a token of output after {context:,} tokens, weights in {native}: {one.flops / 1e9:,.4g} GFLOP, "
        f"{sum(read.values()) / 1e9:,.4g} GB read (one sequence)",
        f"a token of prompt, mean over {context:,}: {all_.flops / context / 1e9:,.4g} GFLOP",
    ]  # fmt: skip
    wide, narrow = (kv_bytes_per_token(arch, dtype) for dtype in ("bf16", "fp8"))
    lines.append(f"KV cache a token: {wide:,.0f} B in bf16, {narrow:,.0f} B in fp8")
    if state := state_bytes_per_sequence(arch, "bf16"):
        lines.append(f"fixed state a sequence: {state / 1e6:,.4g} MB (windows in bf16, recurrent state in fp32)")
    return lines


def _part(part: object) -> str:
    fields = {k: v for k, v in vars(part).items() if k != "kind" and v not in (0, False)}
    return f"{part.kind} " + " ".join(f"{k}={v}" if v is not True else k for k, v in fields.items())


def score_lines(m: Model) -> list[str]:
    listed = scores(m)
    if not listed:
        return []
    return ["\npublished scores:", *(f"  {s.name}: {s.shown} [{s.made_how}; {s.source}]" for s in listed)]
