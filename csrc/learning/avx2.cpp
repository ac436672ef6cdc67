#if defined(__x86_64__)
#include "learning/plain_product.h"

namespace nlvc {

const Learner kAvx2Learner{"avx2", run_tiles<PlainProduct>};

}  // namespace nlvc
#endif
