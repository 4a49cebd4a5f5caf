"""Time of a collective from its bytes and its group: closed forms over arrays.

    time = fixed_s + network_s
    fixed_s   = t0_s + hop_s * log2(p)
    network_s = bytes moved / (e_bw * link) + sqrt(ramp_s * bytes moved / link)

alpha-beta with the ring's bytes (Thakur, Rabenseifner and Gropp 2005, IJHPCA 19:1). The square root is the cost of
filling a pipeline whose chunk was chosen best: a message of time T in chunks of start-up a takes (sqrt(T) + sqrt(a))^2.
The constants are fitted for 2, 4 and 8 chips behind one switch (`constants/collectives.toml`). Larger groups, other
topologies and sends between two chips follow by these formulas and are estimates.
Left out: reduction inside the switch (what it gains is in the fitted e_bw), overlap with compute, contention.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

PARTS = {
    "all_reduce": ("t0_s", "hop_s", "e_bw", "ramp_s", "barrier_s"),
    "all_gather": ("t0_s", "hop_s", "e_bw", "ramp_s", "own"),
    "reduce_scatter": ("t0_s", "hop_s", "e_bw", "ramp_s", "own"),
    "all_to_all": ("t0_s", "hop_s", "e_bw", "ramp_s", "own"),
}
# Kinds without a class of their own: a send is one of the messages of an all-to-all.
CLASS = {"send": "all_to_all"}


def collective_terms(kind: str, c: Mapping[str, Any], bytes_: Any, chips: Any, link_bytes_s: Any) -> tuple:
    """(network_s, fixed_s) of a collective over `chips` chips; nothing for one chip.

    bytes_: all_reduce the tensor that every chip holds; all_gather and reduce_scatter the whole tensor (the parts of
    all chips together); all_to_all what one chip holds before it, its own part included; send the message.
    link_bytes_s: one direction of a chip's link, all lanes (times `usable_share` of the topology).

    all_reduce takes the faster of reading all others' tensors at once ((p - 1) * bytes) and of reduce-scatter plus
    all-gather (2 (p - 1) / p * bytes, and `barrier_s` between them). The others move (p - 1 + own) / p of the bytes:
    `own` is what copying a chip's own part costs, as a share of sending it.
    """
    several = np.asarray(chips) > 1
    p = np.maximum(chips, 2)
    whole_s = bytes_ / link_bytes_s
    if kind == "send":
        moved_s, fixed_s = whole_s, c["t0_s"] + c["hop_s"]
    elif kind == "all_reduce":
        two_steps = c["barrier_s"] + 2 * (p - 1) / p * whole_s / c["e_bw"]
        network_s = np.minimum((p - 1) * whole_s / c["e_bw"], two_steps) + np.sqrt(c["ramp_s"] * whole_s)
        return network_s * several, (c["t0_s"] + c["hop_s"] * np.log2(p)) * several
    else:
        moved_s, fixed_s = (p - 1 + c["own"]) / p * whole_s, c["t0_s"] + c["hop_s"] * np.log2(p)
    network_s = moved_s / c["e_bw"] + np.sqrt(c["ramp_s"] * moved_s)
    return network_s * several, fixed_s * several


def usable_share(topology: str, kind: str, chips: Any, domain: Any) -> Any:
    """Share of a chip's link bandwidth that a group of `chips` can use, in (0, 1]. Derived, not measured.

    mesh: each chip's lanes are spread over the domain's other chips, and a smaller group leaves those to outsiders
    idle: (chips - 1) / (domain - 1). ring, torus: neighbours alone are linked; a ring collective uses every lane, but
    each message of an all-to-all crosses chips / 4 links (ring) or sqrt(chips) / 2 (torus of two dimensions) in the
    mean, which divides the bandwidth. switch, pcie: all of it (contention above the port is left out).
    """
    chips = np.asarray(chips, float)
    if topology == "mesh":
        return np.minimum(1.0, np.maximum(chips - 1, 1) / np.maximum(np.asarray(domain, float) - 1, 1))
    if kind == "all_to_all" and topology == "ring":
        return np.minimum(1.0, 4 / chips)
    if kind == "all_to_all" and topology == "torus":
        return np.minimum(1.0, 2 / np.sqrt(chips))
    return np.ones_like(chips)
