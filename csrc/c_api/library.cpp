// The C ABI: errors, lists and formats.
#include <cstring>
#include <new>

#include "c_api/options.h"
#include "c_api/support.h"

namespace nlvc {
namespace {

thread_local std::string last_error;

nlvc_status failed(nlvc_status status, const char* text) noexcept {
    try {
        last_error = text;
    } catch (...) {
        last_error.clear();  // no memory for the words
    }
    return status;
}

}  // namespace

nlvc_status status_of_exception() noexcept {
    try {
        throw;
    } catch (const MissingModelError& e) {
        return failed(NLVC_NO_MODEL, e.what());
    } catch (const ModelError& e) {
        return failed(NLVC_NO_MODEL, e.what());
    } catch (const BitstreamError& e) {
        return failed(NLVC_BAD_STREAM, e.what());
    } catch (const std::invalid_argument& e) {
        return failed(NLVC_BAD_ARGUMENT, e.what());
    } catch (const std::bad_alloc&) {
        return failed(NLVC_FAILED, "out of memory");
    } catch (const std::exception& e) {
        return failed(NLVC_FAILED, e.what());
    } catch (...) {
        return failed(NLVC_FAILED, "unknown failure");
    }
}

nlvc_format to_c(const PictureFormat& f) {
    nlvc_format out{};
    out.width = f.width;
    out.height = f.height;
    out.layout = static_cast<int>(f.layout);
    out.alpha = f.alpha ? 1 : 0;
    out.depth = f.depth;
    out.sx = f.sx;
    out.sy = f.sy;
    out.time_base[0] = f.time_base_numerator;
    out.time_base[1] = f.time_base_denominator;
    std::memcpy(out.name, f.name.data(), f.name.size());  // at most 255 characters
    return out;
}

PictureFormat from_c(const nlvc_format& f) {
    require(std::memchr(f.name, 0, sizeof(f.name)) != nullptr, "the name of the pixel format has no end");
    const PixelFormat& pixels = pixel_format(f.name);
    const bool coded_padding = pixels.padding.has_value() && f.alpha == 1;
    const PictureFormat picture = pixels.picture(f.width, f.height, f.time_base[0], f.time_base[1], coded_padding);
    const std::string problem = picture.problem();
    require(problem.empty(), problem.c_str());
    const nlvc_format expected = to_c(picture);
    require(f.layout == expected.layout && f.alpha == expected.alpha && f.depth == expected.depth &&
                f.sx == expected.sx && f.sy == expected.sy,
            "the format does not fit the name of its pixel format: make it with nlvc_format_init");
    return picture;
}

const PixelFormat& pixel_format_of(const PictureFormat& picture) {
    try {
        from_c(to_c(picture));
        return pixel_format(picture.name);
    } catch (const std::invalid_argument& error) {
        throw BitstreamError(std::string("sequence header: ") + error.what());
    }
}

MemoryPlanes memory_planes(const nlvc_frame& frame, const PixelFormat& format) {
    MemoryPlanes planes;
    for (size_t p = 0; p < format.memory.size(); ++p) {
        require(frame.planes[p] != nullptr, "a plane is null");
        planes.data[p] = static_cast<uint8_t*>(frame.planes[p]);
        planes.strides[p] = frame.strides[p];
    }
    return planes;
}

}  // namespace nlvc

using namespace nlvc;

const char* nlvc_version(void) { return NLVC_VERSION; }

int nlvc_abi(void) { return NLVC_ABI; }

const char* nlvc_error(void) { return last_error.c_str(); }

const char* nlvc_pixel_format(int index) {
    return index >= 0 && index < kPixelFormatCount ? kPixelFormats[index].name : nullptr;
}

const char* nlvc_model(int index) {
    return index >= 0 && index < kCarriedModelCount ? kCarriedModels[index].name : nullptr;
}

const nlvc_option* nlvc_encoder_option(int index) { return encoder_option(index); }

const nlvc_option* nlvc_decoder_option(int index) { return decoder_option(index); }

nlvc_status nlvc_format_init(nlvc_format* format, const char* pixel_format_name, int width, int height,
                             int64_t time_base_numerator, int64_t time_base_denominator) {
    return guarded([&] {
        require(format && pixel_format_name, "a pointer is null");
        const PictureFormat picture =
            pixel_format(pixel_format_name).picture(width, height, time_base_numerator, time_base_denominator);
        const std::string problem = picture.problem();
        require(problem.empty(), problem.c_str());
        *format = to_c(picture);
        return NLVC_OK;
    });
}

nlvc_status nlvc_plane_size(const nlvc_format* format, int plane, size_t* row_bytes, int* rows) {
    return guarded([&] {
        require(format && row_bytes && rows, "a pointer is null");
        const PictureFormat picture = from_c(*format);
        const PixelFormat& pixels = pixel_format(picture.name);
        require(plane >= 0 && static_cast<size_t>(plane) < pixels.memory.size(), "the format has no such plane");
        *row_bytes = pixels.row_bytes(plane, picture.width);
        *rows = pixels.rows(plane, picture.height);
        return NLVC_OK;
    });
}
