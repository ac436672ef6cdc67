// The loop behind Kernels::products, included by a file for one instruction set inside its anonymous namespace. Plain
// C++: the compiler turns the pairs of 16-bit products into what the file allows.

template <int kRowsI, int kRowsJ>
inline void product_tile(const int16_t* a, const int16_t* b, int32_t (*sums)[2]) {
    int32_t s00 = 0, s01 = 0, s10 = 0, s11 = 0;
    const int16_t *a1 = a + (kRowsI - 1) * kProductSamples, *b1 = b + (kRowsJ - 1) * kProductSamples;
    for (int k = 0; k < kProductSamples; ++k) {
        s00 += a[k] * b[k];
        if (kRowsJ > 1) s01 += a[k] * b1[k];
        if (kRowsI > 1) s10 += a1[k] * b[k];
        if (kRowsI > 1 && kRowsJ > 1) s11 += a1[k] * b1[k];
    }
    sums[0][0] = s00, sums[0][1] = s01, sums[1][0] = s10, sums[1][1] = s11;
}

void products(const int16_t* rows, int count, int32_t* sums) {
    auto row = [&](int i) { return rows + i * kProductSamples; };
    auto at = [&](int i, int j) -> int32_t& { return sums[i * (i + 1) / 2 + j]; };
    int32_t tile[2][2];
    int i = 0;
    for (; i + 1 < count; i += 2) {
        for (int j = 0; j < i; j += 2) {
            product_tile<2, 2>(row(i), row(j), tile);
            for (int k = 0; k < 2; ++k)
                for (int l = 0; l < 2; ++l) at(i + k, j + l) = tile[k][l];
        }
        product_tile<2, 2>(row(i), row(i), tile);
        at(i, i) = tile[0][0], at(i + 1, i) = tile[1][0], at(i + 1, i + 1) = tile[1][1];
    }
    for (int j = 0; i < count && j <= i; ++j) {
        product_tile<1, 1>(row(i), row(j), tile);
        at(i, j) = tile[0][0];
    }
}
