// Packets to frames.
#pragma once
#include <functional>

#include "damage.h"
#include "in_use.h"
#include "slice_coding.h"

namespace nlvc {

/// What a frame costs, bits without headers and side information.
struct FrameCosts {
    std::vector<double> planes;  ///< by plane
    double motion = 0;
    BlockBits blocks;  ///< of samples by place; empty without analysis
};

struct DecodedFrame {
    std::vector<Plane> planes;  ///< in coding order
    int64_t pts = 0;            ///< ticks of the time base
    int64_t duration = 0;       ///< ticks
    bool keyframe = false;
    int64_t number = 0;  ///< frames since the keyframe; in a keyframe frames of the stream before it; -1: unknown
    PictureFormat format;
    uint32_t checksum = 0;  ///< of the samples as they were encoded
    int slices = 0;
    Hash model_hash{};
    int delta = 0;
    SideInformation side;        ///< all that holds for this frame, without the sample map
    int coded_depth = 0;         ///< bits of the numbers that the samples were coded as, at most format.depth
    bool exact = true;           ///< every sample is as it was encoded, proven by the frame's checksum
    std::vector<Damage> damage;  ///< what conceal() found, also that frames before this one are missing
    bool timed = true;           ///< whether pts and duration are as they were encoded
    FrameCosts costs;            ///< of what decode() gives
};

/// Gives the model file of a hash, or nothing.
using FindModel = std::function<std::optional<Bytes>(const Hash&)>;

class Decoder {
  public:
    /// @param find_model  asked for models that are neither embedded nor in use
    /// @param threads     0: one for each processor
    /// @param kernels     a name of kernels/kernels.h, for tests; empty: the fastest
    /// @param analysis    find out what each block costs, which takes time
    /// @param accelerate  what evaluates the networks
    Decoder(FindModel find_model, int threads, const std::string& kernels = "", bool analysis = false,
            MakeAccelerator accelerate = nullptr);

    /// Decodes the next packet. After an exception only a keyframe is accepted.
    DecodedFrame decode(ByteView packet);
    /// The same, but shows something for damaged packets too: slices that are not proven right show the frame before,
    /// or grey. A BitstreamError comes only where there is no frame yet to go on from.
    DecodedFrame conceal(ByteView packet);
    /// After a jump in the stream: only a keyframe is accepted.
    void reset();

  private:
    void start_sequence(const Packet& keyframe);
    void load_model(const Sequence& sequence);
    /// Checks what the format, the model and the frames before say about a packet.
    void check(const Packet& packet) const;
    /// The sets that the packet's frame uses.
    std::vector<PlaneCorrection> take_corrections(const Packet& packet);
    /// Decodes all slices and finds what they cost; what is wrong with one is left in `damage`, by slice.
    CodedFrame decode_samples(const Packet& packet, std::vector<std::string>& damage);
    /// The vectors of a damaged slice as far as they can be read: its neighbours may look across the border.
    void guess_motion(RangeDecoder& coder, int slices, int slice, MotionField& motion) const;
    /// Everything but samples of the packet's frame; sets the state of side information and time.
    DecodedFrame describe(const Packet& packet);

    /// Refuses a damaged keyframe that claims more samples than its bytes and the frames before make believable.
    void require_size(const Packet& keyframe) const;
    /// conceal() of a packet whose header is right.
    DecodedFrame conceal_slices(const Packet& packet);
    /// Replaces a slice of `frame` by what was shown before.
    void hide_slice(const Packet& packet, int slice, CodedFrame& frame) const;
    /// The middle of the numbers of plane p.
    uint16_t grey(int p) const;
    /// The frame before once more.
    DecodedFrame repeat(const Damage& damage);

    FindModel find_model_;
    const Kernels& kernels_;
    ThreadPool pool_;
    bool analysis_;
    FrameCosts costs_;     ///< of the frame that is being decoded
    bool waiting_ = true;  ///< for a keyframe
    PictureFormat format_;
    PictureFormat coded_;  ///< the same at the depth of the sample map's numbers
    SampleMap map_;
    SideInformation side_;  ///< of the previous frame
    Hash hash_{};
    int delta_ = 0;
    std::unique_ptr<CompiledModel> model_;
    std::optional<Model> parsed_;
    MakeAccelerator accelerate_;
    Bytes model_file_;  ///< where accelerate_ wants it
    std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
    History history_;
    ContextPool contexts_;
    std::vector<PlaneCorrection> corrections_;  ///< of P-frames since the keyframe
    int64_t next_pts_ = 0;
    int64_t next_number_ = 0;           ///< of a P-frame
    bool proven_ = false;               ///< everything since the keyframe was right
    bool timed_ = false;                ///< next_pts_ is right
    std::optional<DecodedFrame> last_;  ///< what conceal() gave last
};

}  // namespace nlvc
