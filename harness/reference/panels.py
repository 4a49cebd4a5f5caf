"""A matrix in panels of columns, each contiguous, so that a product streams it once and packs nothing.

BLAS copies what it multiplies into an order of its own before it begins. For the few rows of a decode step that costs
more than the product. A panel with few enough rows stays below the size at which BLAS packs: on AVX-512 two to four
times faster for 2 to 32 rows, and no slower for hundreds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

WIDTH = 64  # columns of a panel
SMALL_PRODUCT = 1_000_000  # rows x columns x depth up to which OpenBLAS's kernels for small matrices run
FEW = 4  # rows for which OpenBLAS streams a panel at the speed of memory; for 1 to 3 its kernels take longer


@dataclass(frozen=True)
class Panels:
    """A matrix [in, out] as [panels, in, WIDTH], the last one filled up with zeros."""

    data: np.ndarray
    out: int

    @classmethod
    def of(cls, matrix: np.ndarray) -> Panels:
        depth, out = matrix.shape
        panels = -(-out // WIDTH)
        data = np.zeros((panels, depth, WIDTH), np.float32)
        for k in range(panels):  # one at a time: no second copy of a large matrix
            part = matrix[:, k * WIDTH : (k + 1) * WIDTH]
            data[k, :, : part.shape[1]] = part
        return cls(data, out)

    @property
    def shape(self) -> tuple[int, int]:
        return self.data.shape[1], self.out

    @property
    def dtype(self) -> np.dtype:
        return self.data.dtype

    @property
    def nbytes(self) -> int:
        """Of the matrix itself, without what fills up the last panel."""
        return self.data.shape[1] * self.out * self.data.itemsize

    def matrix(self) -> np.ndarray:
        """The matrix [in, out], copied."""
        panels, depth, _ = self.data.shape
        return self.data.transpose(1, 0, 2).reshape(depth, panels * WIDTH)[:, : self.out]

    def columns(self, ids: np.ndarray) -> np.ndarray:
        """Columns as rows [len(ids), in]."""
        return self.data[ids // WIDTH, :, ids % WIDTH]

    def after(self, x: np.ndarray) -> np.ndarray:
        """x [R, in] @ matrix -> [R, out]."""
        rows, depth = x.shape
        if 0 < rows < FEW:
            filled = np.empty((FEW, depth), x.dtype)
            filled[:rows] = x
            filled[rows:] = x[0]
            return self.after(filled)[:rows]
        panels = self.data.shape[0]
        y = np.empty((rows, panels * WIDTH), x.dtype)
        at_once = max(8, SMALL_PRODUCT // (WIDTH * depth) // 8 * 8)
        whole = rows // at_once * at_once
        if whole:
            blocks = whole // at_once  # a panel meets all blocks of rows while it is in the cache
            out = y[:whole].reshape(blocks, at_once, panels, WIDTH).transpose(2, 0, 1, 3)
            np.matmul(x[:whole].reshape(1, blocks, at_once, depth), self.data[:, None], out=out)
        if whole < rows:
            out = y[whole:].reshape(rows - whole, panels, WIDTH).transpose(1, 0, 2)
            np.matmul(x[whole:], self.data, out=out)
        return y[:, : self.out]
