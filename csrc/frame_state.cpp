#include "frame_state.h"

#include "crc32c.h"

namespace nlvc {

CodedFrame::CodedFrame(const PictureFormat& format, bool keyframe) {
    for (int p = 0; p < format.planes(); ++p) {
        planes.emplace_back(format.plane_width(p), format.plane_height(p));
        errors.emplace_back(format.plane_width(p), format.plane_height(p));
    }
    if (!keyframe) motion = MotionField(format.width, format.height, kBlock);
}

void History::push(CodedFrame frame, bool keyframe) {
    if (keyframe) frames_.clear();
    frames_.push_front(std::make_shared<const CodedFrame>(std::move(frame)));
    if (frames_.size() > kReferences) frames_.pop_back();
}

std::vector<PlaneReferences> History::references(const BlockKernels& kernels, const PictureFormat& format,
                                                 const MotionField& motion, ThreadPool& pool) const {
    const int planes = format.planes();
    const MotionField integer = to_integer(motion);
    std::vector<PlaneReferences> out(static_cast<size_t>(planes));
    // Bands of rows are independent; any cut gives the same planes.
    const int bands = std::min(format.slice_units(), 8);
    pool.run(planes, [&](int p) {
        PlaneReferences& r = out[p];
        r.ref1_sub = std::make_shared<Plane>(format.plane_width(p), format.plane_height(p));
        r.ref1 = std::make_shared<Plane>(format.plane_width(p), format.plane_height(p));
        r.errors = ErrorPlane(format.plane_width(p), format.plane_height(p));
    });
    pool.run(planes * bands, [&](int job) {
        const int p = job / bands;
        const RowRange rows = format.slice_rows(p, job % bands, bands);
        const PlaneGeometry geometry = format.geometry(p);
        PlaneReferences& r = out[p];
        compensate_subsample(kernels, frame(1).planes[p], motion, geometry, format.depth, rows.top, rows.bottom,
                             *r.ref1_sub);
        compensate_integer(frame(1).planes[p], integer, geometry, rows.top, rows.bottom, *r.ref1);
        compensate_integer(frame(1).errors[p], integer, geometry, rows.top, rows.bottom, r.errors);
    });
    MotionField vectors = motion;
    for (int k = 2; k <= kReferences; ++k) {
        if (k > size()) {
            for (PlaneReferences& r : out) r.older.push_back(k == 2 ? r.ref1_sub : r.older.back());
            continue;
        }
        const MotionField& passed = frame(k - 1).motion;
        MotionField older(format.width, format.height, kOldBlock);
        pool.run(older.rows, [&](int row) {
            locate_older(kernels, *out[0].ref1_sub, frame(k).planes[0], format.depth, motion, vectors, passed, row,
                         row + 1, older);
        });
        vectors = std::move(older);
        for (int p = 0; p < planes; ++p)
            out[p].older.push_back(std::make_shared<Plane>(format.plane_width(p), format.plane_height(p)));
        pool.run(planes * bands, [&](int job) {
            const int p = job / bands;
            const RowRange rows = format.slice_rows(p, job % bands, bands);
            compensate_subsample(kernels, frame(k).planes[p], vectors, format.geometry(p), format.depth, rows.top,
                                 rows.bottom, *out[p].older.back());
        });
    }
    return out;
}

void append_samples(const Plane& plane, RowRange rows, int sample_bytes, std::vector<uint8_t>& out) {
    for (int y = rows.top; y < rows.bottom; ++y) {
        const uint16_t* row = plane.row(y);
        for (int x = 0; x < plane.width; ++x) {
            out.push_back(static_cast<uint8_t>(row[x]));
            if (sample_bytes == 2) out.push_back(static_cast<uint8_t>(row[x] >> 8));
        }
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
