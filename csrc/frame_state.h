// What both sides remember of decoded frames and what they make of it for the next one (docs/bitstream.md sections 3
// and 9).
#pragma once
#include <array>
#include <deque>
#include <vector>

#include "correction.h"
#include "format.h"
#include "thread_pool.h"

namespace nlvc {

/// A frame while it is coded and afterwards.
struct CodedFrame {
    std::vector<Plane> planes;        ///< samples
    std::vector<ErrorPlane> errors;   ///< prediction errors, zero in raw slices
    MotionField motion;               ///< quarter samples, 8x8 blocks; empty in a keyframe
    std::vector<ClassPlane> classes;  ///< by plane, the correction set of each sample; an empty one: all 0

    /// Gives classes to the planes that have several sets.
    void allocate_classes(const std::vector<PlaneCorrection>& corrections);
};

/// Earlier frames as one plane of a P-frame sees them.
struct PlaneReferences {
    Plane ref1_sub;                                     ///< frame t-1, sub-sample displaced
    Plane ref1;                                         ///< frame t-1, integer displaced
    std::array<Plane, kReferences - 1> displaced;       ///< t-2 .. t-4, sub-sample displaced, as far as they exist
    std::array<const Plane*, kReferences - 1> older{};  ///< the same; what does not exist is a newer one
    ErrorPlane errors;                                  ///< prediction errors of t-1, integer displaced
};

/// The frames since the keyframe, at most kReferences, newest first. Memory is used again: what the last frame needed
/// the next one needs too.
class History {
  public:
    bool empty() const { return frames_.empty(); }
    const CodedFrame& frame(int k) const { return frames_[static_cast<size_t>(k - 1)]; }  ///< t-k, k = 1 ..
    int size() const { return static_cast<int>(frames_.size()); }
    /// The frame that was just coded becomes t-1.
    void push(CodedFrame frame, bool keyframe);
    void clear();
    /// A frame to be coded: planes of the right sizes that hold anything, no motion.
    CodedFrame new_frame(const PictureFormat& format);

    /// The references of all planes for a frame with the motion field `motion`, by plane; valid until the next call.
    const std::vector<PlaneReferences>& references(const BlockKernels& kernels, const PictureFormat& format,
                                                   const MotionField& motion, ThreadPool& pool);

  private:
    std::deque<CodedFrame> frames_;
    std::vector<CodedFrame> spare_;
    std::vector<PlaneReferences> references_;
};

/// CRC-32C over the planes in coding order, rows without padding, two bytes a sample above 8 bits.
uint32_t frame_checksum(const PictureFormat& format, const std::vector<Plane>& planes);

/// Samples of rows [rows.top, rows.bottom) of a plane as in raw slices and checksums.
void append_samples(const Plane& plane, RowRange rows, int sample_bytes, std::vector<uint8_t>& out);

}  // namespace nlvc
