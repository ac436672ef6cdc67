"""Model files are read from front to back."""

import numpy as np
from numpy.typing import NDArray

from pynlvc.errors import ModelError


class ByteReader:
    """Takes a file's bytes one after the other; ModelError where it ends too early."""

    def __init__(self, data: bytes, what: str):
        """`what`: how errors call the file."""
        self._data = data
        self._what = what
        self.position = 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        if self.position + size > len(self._data):
            raise ModelError(f"{self._what} ends at byte {len(self._data)}, {size} more wanted at {self.position}")
        self.position += size
        return self._data[self.position - size : self.position]

    def byte(self) -> int:
        """The next byte as a number."""
        return self.take(1)[0]

    def array(self, kind: str, *shape: int) -> NDArray:
        """Numbers of a NumPy type."""
        dtype = np.dtype(kind)
        return np.frombuffer(self.take(dtype.itemsize * int(np.prod(shape))), dtype).reshape(shape)

    def expect_end(self) -> None:
        """Raises ModelError where bytes are left."""
        if self.position != len(self._data):
            raise ModelError(f"{self._what}: {len(self._data) - self.position} bytes after the last network")
