// Symmetric positive definite systems by Cholesky's decomposition, in double precision and a fixed order: the same
// result on every machine.
#pragma once
#include <cstddef>
#include <vector>

namespace nlvc {

/// matrix x = right
struct SymmetricSystem {
    int size;
    std::vector<double> matrix;  ///< lower triangle, one row after another
    std::vector<double> right;

    explicit SymmetricSystem(int n) : size(n), matrix(static_cast<size_t>(n) * (n + 1) / 2), right(n) {}
    double& diagonal(int i) { return matrix[static_cast<size_t>(i) * (i + 1) / 2 + i]; }

    std::vector<double> solution() const { return solution(factor()); }
    /// The same from the triangle that factor() gave.
    std::vector<double> solution(const std::vector<double>& l) const;
    /// right'x - x'matrix x / 2
    double saving(const std::vector<double>& x) const;
    void scale(double factor);
    /// The lower triangle L with matrix = L L'.
    std::vector<double> factor() const;
    /// Mean of the logarithms of the pivots of factor().
    double mean_log_pivot(const std::vector<double>& l) const;
};

}  // namespace nlvc
