#include "learning/plain_product.h"

namespace nlvc {

const Learner kPlainLearner{"plain", run_tiles<PlainProduct>};

}  // namespace nlvc
