// Frames to packets.
#pragma once
#include "examples.h"
#include "fitting.h"
#include "in_use.h"
#include "slice_coding.h"

namespace nlvc {

struct EncoderSettings {
    int delta = 2;              ///< slope of the groups, 0 .. 2
    int keyframe_interval = 0;  ///< frames between keyframes at most; 0: only where forced or at a scene cut
    /// 1 .. 8; 0: see automatic_slices. Small pictures have at most one for each 16 rows
    int slices = 0;
    int threads = 0;           ///< 0: one for each processor
    bool embed_model = false;  ///< put the model file into the first keyframe and the sequence header
    bool scene_cuts = true;    ///< start a keyframe where the content changes
    int effort = 3;            ///< how much is fitted to the content, 0 .. 9; 0: nothing
    bool analysis = false;     ///< record the bits of each block
    std::string kernels = {};  ///< a name of kernels/kernels.h, for tests; empty: the fastest
    int64_t first_number = 0;  ///< frames of the stream that others coded before, 0 .. 2^61
    Bytes difference = {};     ///< stands for the model where it is not embedded (model_difference.h); empty: its hash
    int examples = 0;          ///< one of so many samples is recorded to train with, at random; 0: none
};

struct EncodedFrame {
    Bytes data;  ///< the packet
    bool keyframe = false;
    std::vector<double> plane_bits;  ///< by plane
    double motion_bits = 0;
    double scene_change = 0;         ///< as in decisions.h; 0 where no motion was searched
    BlockBits block_bits;            ///< empty without EncoderSettings::analysis
    uint32_t checksum = 0;           ///< of the frame's samples
    std::vector<Examples> examples;  ///< by plane; empty without EncoderSettings::examples
};

class Encoder {
  public:
    /// @param model  a model file
    /// @param side   side information of the whole stream, of types below kMandatory; frames may differ
    /// @param accelerate  what evaluates the networks; the coded bytes do not depend on it
    Encoder(const PictureFormat& format, Bytes model, const EncoderSettings& settings, SideInformation side = {},
            const MakeAccelerator& accelerate = nullptr);

    /// @param planes  in coding order, sizes as in the format, samples at most its maximum
    /// @param pts  ticks of the time base
    /// @param side  all side information of this frame; without it the frame has the stream's
    EncodedFrame encode(std::vector<Plane> planes, int64_t pts, int64_t duration, bool force_keyframe,
                        const std::optional<SideInformation>& side = std::nullopt);

    /// Takes note of a frame that was coded before with these settings, so that the next keyframe comes out as it would
    /// have then; frame by frame from the first one on, up to the one before a keyframe, which is encoded next.
    /// @param planes  of a keyframe; of other frames they are not looked at
    void skip(std::vector<Plane> planes, int64_t pts, int64_t duration, bool force_keyframe, bool was_keyframe);

    const Bytes& sequence_header() const { return sequence_; }
    const Hash& model_hash() const { return hash_; }
    const PictureFormat& format() const { return format_; }

  private:
    void check(const std::vector<Plane>& planes, int64_t pts, int64_t duration) const;
    /// Whether a keyframe starts here whatever the picture.
    bool keyframe_due(bool forced) const;
    void count(bool keyframe, int64_t next_pts);
    MotionField search(const Plane& current);
    /// Chooses the corrections and classes of the frame.
    std::vector<PlaneCorrection> fit(CodedFrame& frame, const std::vector<PlaneReferences>* references);
    /// With the mode that gives fewest bytes, where there is a choice.
    EncodedSlice encode_smallest(const FrameCoding& coding, int slice);
    std::vector<EncodedSlice> encode_slices(CodedFrame& frame, const FrameCorrections& corrections,
                                            const std::vector<PlaneReferences>* references, BlockBits* block_bits);

    PictureFormat format_;
    PictureFormat coded_;  ///< the same at the depth of the sample map's numbers
    SampleMap map_;
    SampleMapChooser maps_;
    SideInformation stream_side_;
    SideInformation side_;  ///< of the previous frame
    EncoderSettings settings_;
    Bytes model_file_;
    Hash hash_{};
    Bytes sequence_;        ///< of the first keyframe
    Bytes later_sequence_;  ///< of the others
    std::unique_ptr<CompiledModel> model_;
    ThreadPool pool_;
    int slices_;
    std::vector<SliceMode> modes_;  ///< by slice: what was best last
    std::vector<uint8_t> drawn_;    ///< by slice: 1 where repeats halved the last frame, as on screens and in drawings
    int q_;
    std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
    History history_;
    ContextPool contexts_;
    std::vector<PlaneCorrection> corrections_;  ///< of P-frames since the keyframe
    std::vector<PlaneFitter> fitters_;          ///< by plane, of P-frames since the keyframe
    int64_t next_pts_ = 0;                      ///< previous pts + duration
    int64_t since_keyframe_ = 0;                ///< frames since the last keyframe, itself included
    int64_t number_ = 0;                        ///< frames of the stream so far
    bool first_ = true;
};

}  // namespace nlvc
