// The C ABI over Encoder and Decoder: no exception leaves this file.
#include <cstring>
#include <new>

#include "decoder.h"
#include "encoder.h"
#include "nlvc.h"

using namespace nlvc;

struct nlvc_encoder {
    Encoder encoder;
    PictureFormat format;
    EncodedFrame coded;
    int64_t pts = 0, duration = 0;
    bool pending = false;  ///< a packet waits to be received
};

struct nlvc_decoder {
    Decoder decoder;
    DecodedFrame frame;
    std::vector<std::vector<uint8_t>> narrow;  ///< planes of 8-bit samples
    bool pending = false;
};

namespace {

thread_local std::string last_error;

nlvc_status failed(nlvc_status status, const char* text) {
    try {
        last_error = text;
    } catch (...) {
        last_error.clear();
    }
    return status;
}

/// Runs `body` and turns what it throws into a status.
template <class Body>
nlvc_status guarded(Body body) {
    try {
        return body();
    } catch (const MissingModelError& e) {
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

void require(bool condition, const char* text) {
    if (!condition) throw std::invalid_argument(text);
}

PictureFormat from_c(const nlvc_format& f) {
    require(f.layout >= 0 && f.layout <= 2, "layout must be 0, 1 or 2");
    require(std::memchr(f.name, 0, sizeof(f.name)) != nullptr, "the format name has no end");
    return {f.width,        f.height, static_cast<Layout>(f.layout), f.alpha != 0, f.depth, f.sx, f.sy, f.time_base[0],
            f.time_base[1], f.name};
}

nlvc_format to_c(const PictureFormat& f) {
    nlvc_format out{f.width,
                    f.height,
                    static_cast<int>(f.layout),
                    f.alpha ? 1 : 0,
                    f.depth,
                    f.sx,
                    f.sy,
                    {f.time_base_numerator, f.time_base_denominator},
                    {}};
    std::memcpy(out.name, f.name.data(), f.name.size());  // at most 255 characters
    return out;
}

template <class T>
Plane copy_plane(const void* first, ptrdiff_t stride, int width, int height) {
    Plane plane(width, height);
    for (int y = 0; y < height; ++y)
        std::copy_n(reinterpret_cast<const T*>(static_cast<const char*>(first) + y * stride), width, plane.row(y));
    return plane;
}

}  // namespace

void nlvc_default_settings(nlvc_settings* settings) {
    const EncoderSettings d;
    *settings = {nullptr, 0, d.delta, d.keyframe_interval, d.slices, d.threads, d.embed_model, d.scene_cuts};
}

nlvc_status nlvc_encoder_open(const nlvc_format* format, const nlvc_settings* settings, nlvc_encoder** encoder) {
    return guarded([&] {
        require(format && settings && encoder && settings->model, "a pointer is null");
        const nlvc_settings& s = *settings;
        const PictureFormat picture = from_c(*format);
        const ByteView model(static_cast<const uint8_t*>(s.model), s.model_size);
        const EncoderSettings all{
            s.delta, s.keyframe_interval, s.slices, s.threads, s.embed_model != 0, s.scene_cuts != 0, {}};
        *encoder = new nlvc_encoder{Encoder(picture, model.copy(), all), picture, {}};
        return NLVC_OK;
    });
}

nlvc_status nlvc_encoder_send(nlvc_encoder* encoder, const nlvc_frame* frame) {
    return guarded([&] {
        require(encoder && frame, "a pointer is null");
        if (encoder->pending) return NLVC_AGAIN;
        const PictureFormat& f = encoder->format;
        std::vector<Plane> planes;
        for (int p = 0; p < f.planes(); ++p) {
            require(frame->planes[p], "a plane is null");
            const auto copy = f.depth == 8 ? copy_plane<uint8_t> : copy_plane<uint16_t>;
            planes.push_back(copy(frame->planes[p], frame->strides[p], f.plane_width(p), f.plane_height(p)));
        }
        encoder->coded = encoder->encoder.encode(std::move(planes), frame->pts, frame->duration, frame->keyframe != 0);
        encoder->pts = frame->pts;
        encoder->duration = frame->duration;
        encoder->pending = true;
        return NLVC_OK;
    });
}

nlvc_status nlvc_encoder_receive(nlvc_encoder* encoder, nlvc_packet* packet) {
    return guarded([&] {
        require(encoder && packet, "a pointer is null");
        if (!encoder->pending) return NLVC_AGAIN;
        const EncodedFrame& coded = encoder->coded;
        *packet = {coded.data.data(), coded.data.size(), encoder->pts, encoder->duration, coded.keyframe ? 1 : 0};
        encoder->pending = false;
        return NLVC_OK;
    });
}

nlvc_status nlvc_encoder_extradata(const nlvc_encoder* encoder, const uint8_t** data, size_t* size) {
    return guarded([&] {
        require(encoder && data && size, "a pointer is null");
        *data = encoder->encoder.sequence_header().data();
        *size = encoder->encoder.sequence_header().size();
        return NLVC_OK;
    });
}

void nlvc_encoder_close(nlvc_encoder* encoder) { delete encoder; }

nlvc_status nlvc_decoder_open(nlvc_find_model find_model, void* opaque, int threads, nlvc_decoder** decoder) {
    return guarded([&] {
        require(decoder, "a pointer is null");
        FindModel find = [find_model, opaque](const Hash& hash) -> std::optional<Bytes> {
            const void* model = nullptr;
            size_t size = 0;
            if (find_model == nullptr || find_model(opaque, hash.data(), &model, &size) == 0) return std::nullopt;
            return ByteView(static_cast<const uint8_t*>(model), size).copy();
        };
        *decoder = new nlvc_decoder{Decoder(std::move(find), threads), {}, {}};
        return NLVC_OK;
    });
}

nlvc_status nlvc_decoder_send(nlvc_decoder* decoder, const void* packet, size_t size) {
    return guarded([&] {
        require(decoder && (packet || size == 0), "a pointer is null");
        if (decoder->pending) return NLVC_AGAIN;
        decoder->frame = decoder->decoder.decode({static_cast<const uint8_t*>(packet), size});
        decoder->narrow.clear();
        if (decoder->frame.format.depth == 8)
            for (const Plane& plane : decoder->frame.planes)
                decoder->narrow.emplace_back(plane.values.begin(), plane.values.end());
        decoder->pending = true;
        return NLVC_OK;
    });
}

nlvc_status nlvc_decoder_receive(nlvc_decoder* decoder, nlvc_frame* frame) {
    return guarded([&] {
        require(decoder && frame, "a pointer is null");
        if (!decoder->pending) return NLVC_AGAIN;
        const DecodedFrame& d = decoder->frame;
        *frame = {to_c(d.format), {}, {}, d.pts, d.duration, d.keyframe ? 1 : 0};
        for (size_t p = 0; p < d.planes.size(); ++p) {
            const bool narrow = d.format.depth == 8;
            frame->planes[p] = narrow ? static_cast<const void*>(decoder->narrow[p].data()) : d.planes[p].values.data();
            frame->strides[p] = static_cast<ptrdiff_t>(d.planes[p].width) * (narrow ? 1 : 2);
        }
        decoder->pending = false;
        return NLVC_OK;
    });
}

void nlvc_decoder_close(nlvc_decoder* decoder) { delete decoder; }

const char* nlvc_error(void) { return last_error.c_str(); }

const char* nlvc_version(void) { return "0.1.0"; }
