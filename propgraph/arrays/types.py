"""The arrays that kernels read, each dtype by one name, and what long work reports its progress to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Bool = npt.NDArray[np.bool_]
Int8 = npt.NDArray[np.int8]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]
UInt32 = npt.NDArray[np.uint32]
UInt64 = npt.NDArray[np.uint64]
Float64 = npt.NDArray[np.float64]

#: Called with a label and the fraction done, 0..1.
Progress = Callable[[str, float], None]
