// A library that carries no models: the targets' streams embed theirs.
#include "c_api/models.h"

namespace nlvc {

const CarriedModel kCarriedModels[] = {{"", nullptr, nullptr}};
const int kCarriedModelCount = 0;

}  // namespace nlvc
