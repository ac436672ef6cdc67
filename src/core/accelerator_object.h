// A Python object as an Accelerator.
#pragma once
#include <pybind11/pybind11.h>

#include "accelerator.h"

namespace nlvc {

/// @param maker  None, or a callable (model: bytes, delta: int) -> object with the methods `stage1` and `stage2` of
///               pynlvc._core.Accelerator
MakeAccelerator accelerator_maker(const pybind11::object& maker);

}  // namespace nlvc
