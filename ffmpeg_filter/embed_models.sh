#!/bin/sh
# Writes C++ that puts model files into the library under the names of the files: embed_models.sh a.nlvm b.nlvm > out.cpp
set -eu

cat <<'END'
// Written by ffmpeg_filter/embed_models.sh.
#include "c_api/models.h"
END
number=0
rows=
for file in "$@"; do
    cat <<END
__asm__(R"(
    .pushsection .rodata
nlvc_begin_$number:
    .incbin "$file"
nlvc_end_$number:
    .popsection
)");
extern const uint8_t begin_$number[] __asm__("nlvc_begin_$number");
extern const uint8_t end_$number[] __asm__("nlvc_end_$number");
END
    rows="$rows    {\"$(basename "$file" .nlvm)\", begin_$number, end_$number},
"
    number=$((number + 1))
done
cat <<END
namespace nlvc {
const CarriedModel kCarriedModels[] = {
$rows};
const int kCarriedModelCount = $number;
}  // namespace nlvc
END
