#include "frame_state.h"

#include "crc32c.h"

namespace nlvc {

namespace {

constexpr int kMostBands = 32;  ///< pieces that threads share: so many that they end together

/// A grid of the size; its memory is kept when it has that size already.
template <class T>
void fit(Grid<T>& grid, int width, int height) {
    if (grid.width != width || grid.height != height) grid = Grid<T>(width, height);
}

}  // namespace

CodedFrame History::new_frame(const PictureFormat& format) {
    CodedFrame frame;
    if (!spare_.empty()) {
        frame = std::move(spare_.back());
        spare_.pop_back();
    }
    frame.planes.resize(static_cast<size_t>(format.planes()));
    frame.errors.resize(static_cast<size_t>(format.planes()));
    for (int p = 0; p < format.planes(); ++p) {
        fit(frame.planes[p], format.plane_width(p), format.plane_height(p));
        fit(frame.errors[p], format.plane_width(p), format.plane_height(p));
    }
    frame.motion = {};
    frame.classes.assign(frame.planes.size(), {});
    return frame;
}

void CodedFrame::allocate_classes(const std::vector<PlaneCorrection>& corrections) {
    for (size_t p = 0; p < planes.size(); ++p)
        if (corrections[p].sets.size() > 1) classes[p] = ClassPlane(planes[p].width, planes[p].height);
}

void History::clear() {
    for (CodedFrame& frame : frames_)
        if (spare_.size() <= kReferences) spare_.push_back(std::move(frame));
    frames_.clear();
}

void History::push(CodedFrame frame, bool keyframe) {
    if (keyframe) clear();
    frames_.push_front(std::move(frame));
    if (frames_.size() <= kReferences) return;
    if (spare_.empty()) spare_.push_back(std::move(frames_.back()));
    frames_.pop_back();
}

const std::vector<PlaneReferences>& History::references(const BlockKernels& kernels, const PictureFormat& format,
                                                        const MotionField& motion, ThreadPool& pool) {
    const int planes = format.planes();
    const MotionField integer = to_integer(motion);
    std::vector<PlaneReferences>& out = references_;
    out.resize(static_cast<size_t>(planes));
    std::array<MotionField, kReferences - 1> older;
    for (int k = 2; k <= std::min(kReferences, size()); ++k) older[k - 2] = {format.width, format.height, kOldBlock};
    for (int p = 0; p < planes; ++p) {
        PlaneReferences& r = out[p];
        fit(r.ref1_sub, format.plane_width(p), format.plane_height(p));
        fit(r.ref1, format.plane_width(p), format.plane_height(p));
        fit(r.errors, format.plane_width(p), format.plane_height(p));
        for (int k = 2; k <= kReferences; ++k) {
            const size_t place = static_cast<size_t>(k - 2);
            if (k > size()) {
                r.older[place] = k == 2 ? &r.ref1_sub : r.older[place - 1];
                continue;
            }
            fit(r.displaced[place], format.plane_width(p), format.plane_height(p));
            r.older[place] = &r.displaced[place];
        }
    }
    // A block of 16x16 needs the vectors of its own place and frames that are complete: so bands of such blocks are
    // independent through all references, and any cut gives the same planes.
    const int bands = std::min(format.slice_units(), kMostBands);
    pool.run(bands, [&](int band) {
        auto rows = [&](int p) { return format.slice_rows(p, band, bands); };
        for (int p = 0; p < planes; ++p) {
            const PlaneGeometry geometry = format.geometry(p);
            const RowRange own = rows(p);
            compensate_subsample(kernels, frame(1).planes[p], motion, geometry, format.depth, own.top, own.bottom,
                                 out[p].ref1_sub);
            compensate_integer(frame(1).planes[p], integer, geometry, own.top, own.bottom, out[p].ref1);
            compensate_integer(frame(1).errors[p], integer, geometry, own.top, own.bottom, out[p].errors);
        }
        const int top = rows(0).top / kOldBlock, bottom = (rows(0).bottom + kOldBlock - 1) / kOldBlock;
        for (int k = 2; k <= std::min(kReferences, size()); ++k) {
            MotionField& vectors = older[k - 2];
            locate_older(kernels, out[0].ref1_sub, frame(k).planes[0], format.depth, motion,
                         k == 2 ? motion : older[k - 3], frame(k - 1).motion, top, bottom, vectors);
            for (int p = 0; p < planes; ++p)
                compensate_subsample(kernels, frame(k).planes[p], vectors, format.geometry(p), format.depth,
                                     rows(p).top, rows(p).bottom, out[p].displaced[k - 2]);
        }
    });
    return out;
}

void append_samples(const Plane& plane, RowRange rows, int sample_bytes, std::vector<uint8_t>& out) {
    const size_t first = out.size();
    out.resize(first + static_cast<size_t>(rows.count()) * plane.width * sample_bytes);
    uint8_t* to = out.data() + first;
    for (int y = rows.top; y < rows.bottom; ++y) {
        const uint16_t* row = plane.row(y);
        if (sample_bytes == 1) {
            for (int x = 0; x < plane.width; ++x) to[x] = static_cast<uint8_t>(row[x]);
        } else {
            for (int x = 0; x < plane.width; ++x) {
                to[2 * x] = static_cast<uint8_t>(row[x]);
                to[2 * x + 1] = static_cast<uint8_t>(row[x] >> 8);
            }
        }
        to += static_cast<size_t>(plane.width) * sample_bytes;
    }
}

uint32_t frame_checksum(const PictureFormat& format, const std::vector<Plane>& planes) {
    uint32_t crc = 0;
    std::vector<uint8_t> row;
    for (const Plane& plane : planes)
        for (int y = 0; y < plane.height; ++y) {
            row.clear();
            append_samples(plane, {y, y + 1}, format.sample_bytes(), row);
            crc = crc32c(row.data(), row.size(), crc);
        }
    return crc;
}

}  // namespace nlvc
