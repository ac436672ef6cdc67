#include "least_squares.h"

#include <algorithm>
#include <cmath>

namespace nlvc {
namespace {

size_t row_of(int i) { return static_cast<size_t>(i) * (i + 1) / 2; }

}  // namespace

std::vector<double> SymmetricSystem::factor() const {
    std::vector<double> l = matrix;
    for (int i = 0; i < size; ++i) {
        double* a = l.data() + row_of(i);
        for (int j = 0; j <= i; ++j) {
            const double* b = l.data() + row_of(j);
            double sum = a[j];
            for (int k = 0; k < j; ++k) sum -= a[k] * b[k];
            // A pivot lost to rounding stands for a direction without information: its unknown stays near zero.
            a[j] = i == j ? std::sqrt(std::max(sum, 1e-9)) : sum / b[j];
        }
    }
    return l;
}

std::vector<double> SymmetricSystem::solution(const std::vector<double>& l) const {
    std::vector<double> x = right;
    for (int i = 0; i < size; ++i) {
        for (int k = 0; k < i; ++k) x[i] -= l[row_of(i) + k] * x[k];
        x[i] /= l[row_of(i) + i];
    }
    for (int i = size - 1; i >= 0; --i) {
        for (int k = i + 1; k < size; ++k) x[i] -= l[row_of(k) + i] * x[k];
        x[i] /= l[row_of(i) + i];
    }
    return x;
}

double SymmetricSystem::saving(const std::vector<double>& x) const {
    double total = 0;
    for (int i = 0; i < size; ++i) {
        const double* row = matrix.data() + row_of(i);
        double sum = row[i] * x[i] / 2;
        for (int j = 0; j < i; ++j) sum += row[j] * x[j];
        total += x[i] * (right[i] - sum);
    }
    return total;
}

void SymmetricSystem::scale(double factor) {
    for (double& v : matrix) v *= factor;
    for (double& v : right) v *= factor;
}

double SymmetricSystem::mean_log_pivot(const std::vector<double>& l) const {
    double sum = 0;
    for (int i = 0; i < size; ++i) sum += 2 * std::log(l[row_of(i) + i]);
    return sum / size;
}

}  // namespace nlvc
