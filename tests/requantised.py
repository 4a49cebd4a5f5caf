"""A second GGUF of the reference model: the shipped one with the matrices of its layers in another quantisation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter
from gguf.quants import dequantize, quantize


def requantise(source: Path, target: Path, kind: GGMLQuantizationType) -> Path:
    """Write `source` again with every two-dimensional tensor of a layer in `kind`; the rest is copied as it is."""
    reader = GGUFReader(source)
    writer = GGUFWriter(target, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        sub_type = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), field.types[0], sub_type=sub_type)
    for tensor in reader.tensors:
        data, raw = np.asarray(tensor.data), tensor.tensor_type
        if tensor.name.startswith("blk.") and len(tensor.shape) == 2:
            data, raw = quantize(dequantize(data, raw).astype(np.float32), kind), kind
        plain = raw in (GGMLQuantizationType.F32, GGMLQuantizationType.F16)
        writer.add_tensor(tensor.name, data, raw_dtype=None if plain else raw)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target
