// What all functions of the C ABI share: exceptions become a status and a text.
#pragma once
#include <exception>
#include <stdexcept>

#include "c_api/frame_memory.h"
#include "c_api/models.h"
#include "error.h"
#include "nlvc.h"

namespace nlvc {

/// The status for the exception that is being handled, whose text nlvc_error() then gives. Call it in a catch block.
nlvc_status status_of_exception() noexcept;

/// Runs `body`; no exception leaves.
template <class Body>
nlvc_status guarded(Body body) noexcept {
    try {
        return body();
    } catch (...) {
        return status_of_exception();
    }
}

inline void require(bool condition, const char* text) {
    if (!condition) throw std::invalid_argument(text);
}

nlvc_format to_c(const PictureFormat& format);
/// What an application says about its pictures: all fields must be those of the named pixel format, but that alpha may
/// stand for coded padding.
PictureFormat from_c(const nlvc_format& format);
/// The pixel format of a stream. BitstreamError when its planes do not fit the name: damaged, or newer than this
/// library.
const PixelFormat& pixel_format_of(const PictureFormat& picture);
/// Planes as a frame has them; every one that the format uses must be there.
MemoryPlanes memory_planes(const nlvc_frame& frame, const PixelFormat& format);

}  // namespace nlvc
