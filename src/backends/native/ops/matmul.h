// Matrix products of parts of matrices, the piece that products and attention are made of.
#pragma once

#include <cstdint>

#include "vector.h"

#define TILE_ROWS 6
#if defined(__AVX512F__) || defined(__aarch64__)
#define TILE_VECTORS 4  // 6 × 4 sums, 4 of B and 1 of A: 29 of 32 registers
#else
#define TILE_VECTORS 2  // 6 × 2 sums, 2 of B and 1 of A: 15 of 16 registers
#endif
#define PANEL (TILE_VECTORS * LANES)  // columns of a panel

// A matrix in memory: the number at (row, column) is at[row * row_step + column * column_step]. One step is 1.
struct Matrix {
  const float *at;
  int64_t row_step, column_step;

  Matrix part(int64_t row, int64_t column) const {
    return {at + row * row_step + column * column_step, row_step, column_step};
  }
};

// How many numbers a packed copy of [depth, columns] takes.
inline int64_t packed_size(int64_t depth, int64_t columns) { return depth * ((columns + PANEL - 1) / PANEL * PANEL); }

// Copies b [depth, columns] into panels [columns / PANEL][depth][width], width being PANEL but for the last panel,
// which is as wide as whole vectors need. Missing columns are 0.
void pack(Matrix b, int64_t depth, int64_t columns, float *panels);

// One panel: c[rows, columns] (+)= a[rows, depth] · b[depth, columns], columns ≤ PANEL. Rows of b are `step` apart and
// filled up to whole vectors. `bias` [columns] is added where the sum begins.
void multiply_panel(Matrix a, const float *b, int64_t step, int64_t rows, int64_t depth, int64_t columns, float *c,
                    int64_t c_step, bool add, const float *bias);

// The first `columns` of the `packed` columns that `pack` made panels of.
void multiply_packed(Matrix a, const float *panels, int64_t packed, int64_t rows, int64_t depth, int64_t columns,
                     float *c, int64_t c_step, bool add, const float *bias);

// The width of the panel that starts at a column.
inline int64_t panel_width(int64_t left) {
  return left >= PANEL ? PANEL : (left + LANES - 1) / LANES * LANES;
}
