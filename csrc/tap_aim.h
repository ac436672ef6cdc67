// Where the taps of a network read, group by group.
#pragma once
#include "kernels/kernels.h"

namespace nlvc {

/// Points the sources of one tap list to what they read for one group after the other.
class Aim {
  public:
    /// `context` must outlive it.
    Aim(const PlaneContext& context, const std::vector<Tap>& taps);
    /// Valid until the next call.
    const std::vector<TapSource>& at(int g);

  private:
    template <class T>
    struct Origin {
        size_t tap;
        const T* plane;  ///< at the tap's row
        int groups;      ///< from the sample's group to the tap's
    };
    const PlaneContext& context_;
    int group_ = -1;
    std::vector<TapSource> sources_;
    std::vector<Origin<uint16_t>> samples_;
    std::vector<Origin<int8_t>> bytes_;
};

}  // namespace nlvc
