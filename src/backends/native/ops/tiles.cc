// The innermost loops of matrix products: 6 rows of A at a time with a panel of B, all sums in registers.
#include "matmul.h"

namespace {

// How A is read. Steps that the compiler knows to be 1 leave more registers for addresses.
enum class Steps { ROWS, COLUMNS };

template <int rows, int vectors, Steps steps>
INLINE void tile(Matrix a, const float *b, int64_t step, int64_t depth, int64_t columns, float *c, int64_t c_step,
                 bool add, const float *bias) {
  Vector sums[rows][vectors];
  const int64_t last = columns - (vectors - 1) * LANES;  // numbers of the last vector
#pragma GCC unroll 4
  for (int j = 0; j < vectors; j++) {
    const int64_t count = j + 1 < vectors ? LANES : last;
    const Vector start = bias ? load_part(bias + j * LANES, count) : Vector{};
#pragma GCC unroll 6
    for (int i = 0; i < rows; i++) sums[i][j] = add ? load_part(c + i * c_step + j * LANES, count) : start;
  }
  for (int64_t p = 0; p < depth; p++) {
    Vector right[vectors];
#pragma GCC unroll 4
    for (int j = 0; j < vectors; j++) right[j] = load(b + p * step + j * LANES);
#pragma GCC unroll 6
    for (int i = 0; i < rows; i++) {
      const Vector left = splat(steps == Steps::ROWS ? a.at[i * a.row_step + p] : a.at[p * a.column_step + i]);
#pragma GCC unroll 4
      for (int j = 0; j < vectors; j++) sums[i][j] += left * right[j];
    }
  }
#pragma GCC unroll 4
  for (int j = 0; j < vectors; j++) {
    const int64_t count = j + 1 < vectors ? LANES : last;
#pragma GCC unroll 6
    for (int i = 0; i < rows; i++) store_part(c + i * c_step + j * LANES, sums[i][j], count);
  }
}

template <int vectors, Steps steps>
void rows_of_tiles(Matrix a, const float *b, int64_t step, int64_t rows, int64_t depth, int64_t columns, float *c,
                   int64_t c_step, bool add, const float *bias) {
  for (; rows >= TILE_ROWS; rows -= TILE_ROWS) {
    tile<TILE_ROWS, vectors, steps>(a, b, step, depth, columns, c, c_step, add, bias);
    a = a.part(TILE_ROWS, 0), c += TILE_ROWS * c_step;
  }
  switch (rows) {
    case 5: return tile<5, vectors, steps>(a, b, step, depth, columns, c, c_step, add, bias);
    case 4: return tile<4, vectors, steps>(a, b, step, depth, columns, c, c_step, add, bias);
    case 3: return tile<3, vectors, steps>(a, b, step, depth, columns, c, c_step, add, bias);
    case 2: return tile<2, vectors, steps>(a, b, step, depth, columns, c, c_step, add, bias);
    case 1: return tile<1, vectors, steps>(a, b, step, depth, columns, c, c_step, add, bias);
  }
}

template <Steps steps>
void panel_of_tiles(Matrix a, const float *b, int64_t step, int64_t rows, int64_t depth, int64_t columns, float *c,
                    int64_t c_step, bool add, const float *bias) {
  switch ((columns + LANES - 1) / LANES) {
    case 1: return rows_of_tiles<1, steps>(a, b, step, rows, depth, columns, c, c_step, add, bias);
    case 2: return rows_of_tiles<2, steps>(a, b, step, rows, depth, columns, c, c_step, add, bias);
#if TILE_VECTORS > 2
    case 3: return rows_of_tiles<3, steps>(a, b, step, rows, depth, columns, c, c_step, add, bias);
    case 4: return rows_of_tiles<4, steps>(a, b, step, rows, depth, columns, c, c_step, add, bias);
#endif
  }
}

}  // namespace

void multiply_panel(Matrix a, const float *b, int64_t step, int64_t rows, int64_t depth, int64_t columns, float *c,
                    int64_t c_step, bool add, const float *bias) {
  const auto multiply = a.column_step == 1 ? panel_of_tiles<Steps::ROWS> : panel_of_tiles<Steps::COLUMNS>;
  multiply(a, b, step, rows, depth, columns, c, c_step, add, bias);
}

void multiply_packed(Matrix a, const float *panels, int64_t packed, int64_t rows, int64_t depth, int64_t columns,
                     float *c, int64_t c_step, bool add, const float *bias) {
  for (int64_t j = 0; j < columns; j += PANEL) {
    const int64_t here = columns - j < PANEL ? columns - j : PANEL;
    multiply_panel(a, panels + j * depth, panel_width(packed - j), rows, depth, here, c + j, c_step, add,
                   bias ? bias + j : nullptr);
  }
}

// Rows of b become columns of the panel: blocks of LANES × LANES numbers are transposed in registers.
static void pack_transposed(Matrix b, int64_t depth, int64_t columns, int64_t width, float *panel) {
  for (int64_t j = 0; j < width; j += LANES) {
    const int64_t here = columns - j < LANES ? columns - j : LANES;
    int64_t p = 0;
    for (; here == LANES && p + LANES <= depth; p += LANES) {
      Vector block[LANES];
#pragma GCC unroll 16
      for (int i = 0; i < LANES; i++) block[i] = load(b.at + (j + i) * b.column_step + p);
      transpose(block);
#pragma GCC unroll 16
      for (int i = 0; i < LANES; i++) store(panel + (p + i) * width + j, block[i]);
    }
    for (; p < depth; p++)
      for (int i = 0; i < LANES; i++) panel[p * width + j + i] = i < here ? b.at[(j + i) * b.column_step + p] : 0;
  }
}

void pack(Matrix b, int64_t depth, int64_t columns, float *panels) {
  for (int64_t j = 0; j < columns; j += PANEL) {
    const int64_t here = columns - j < PANEL ? columns - j : PANEL, width = panel_width(columns - j);
    const Matrix from = b.part(0, j);
    if (b.column_step != 1) {
      pack_transposed(from, depth, here, width, panels);
    } else {
      for (int64_t p = 0; p < depth; p++)
        for (int64_t i = 0; i < width; i += LANES)
          store(panels + p * width + i, load_part(from.at + p * b.row_step + i, here - i));
    }
    panels += depth * width;
  }
}
