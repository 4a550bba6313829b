// The inner loop: 12 vectors of sums, 2 of B and 1 of A are 15 of the 16 vector registers of an x86-64.
#include "tile.h"

#include "vector-math.h"

// sums[rows][2] += A[rows, depth] · panel[depth, 8]
INLINE void tile(int rows, const float *a, intptr_t row_step, intptr_t depth_step, const float *panel, int depth,
                 v128_t sums[ROWS][2]) {
  for (int p = 0; p < depth; p++) {
    const v128_t b0 = wasm_v128_load(panel);
    const v128_t b1 = wasm_v128_load(panel + 4);
    for (int i = 0; i < rows; i++) {
      const v128_t x = wasm_v128_load32_splat(a + i * row_step);
      sums[i][0] = vmadd(x, b0, sums[i][0]);
      sums[i][1] = vmadd(x, b1, sums[i][1]);
    }
    a += depth_step;
    panel += COLUMNS;
  }
}

// One tile of C: rows × up to 8 columns. With `add` it is added to what C holds, else it begins with the bias or 0.
INLINE void tile_of_c(int rows, const float *a, intptr_t row_step, intptr_t depth_step, const float *panel, int depth,
                      float *c, intptr_t c_step, int columns, const float *bias, int add) {
  v128_t sums[ROWS][2];
  float edge[COLUMNS];
  if (add && columns == COLUMNS) {
    for (int i = 0; i < rows; i++) {
      sums[i][0] = wasm_v128_load(c + i * c_step);
      sums[i][1] = wasm_v128_load(c + i * c_step + 4);
    }
  } else {
    v128_t b0 = wasm_f32x4_splat(0), b1 = b0;
    if (!add && bias) {
      for (int j = 0; j < COLUMNS; j++) edge[j] = j < columns ? bias[j] : 0;
      b0 = wasm_v128_load(edge);
      b1 = wasm_v128_load(edge + 4);
    }
    for (int i = 0; i < rows; i++) {
      sums[i][0] = b0;
      sums[i][1] = b1;
    }
  }
  tile(rows, a, row_step, depth_step, panel, depth, sums);
  for (int i = 0; i < rows; i++) {
    float *row = c + i * c_step;
    if (columns == COLUMNS) {
      wasm_v128_store(row, sums[i][0]);
      wasm_v128_store(row + 4, sums[i][1]);
    } else {
      wasm_v128_store(edge, sums[i][0]);
      wasm_v128_store(edge + 4, sums[i][1]);
      for (int j = 0; j < columns; j++) row[j] = add ? row[j] + edge[j] : edge[j];
    }
  }
}

// All columns for up to 6 rows. The steps are constants where it is inlined, so each case has its own loop.
INLINE void rows_of_c(int rows, const float *a, intptr_t row_step, intptr_t depth_step, const float *panels,
                      int panel_depth, int depth, float *c, intptr_t c_step, int columns, const float *bias, int add) {
  for (int j = 0; j < columns; j += COLUMNS) {
    const int width = columns - j < COLUMNS ? columns - j : COLUMNS;
    tile_of_c(rows, a, row_step, depth_step, panels + (intptr_t)j * panel_depth, depth, c + j, c_step, width,
              bias ? bias + j : 0, add);
  }
}

#define ROWS_CASE(n) \
  case n: return rows_of_c(n, a, row_step, depth_step, panels, panel_depth, depth, c, c_step, columns, bias, add)

INLINE void any_rows_of_c(int rows, const float *a, intptr_t row_step, intptr_t depth_step, const float *panels,
                          int panel_depth, int depth, float *c, intptr_t c_step, int columns, const float *bias,
                          int add) {
  switch (rows) {
    ROWS_CASE(6);
    ROWS_CASE(5);
    ROWS_CASE(4);
    ROWS_CASE(3);
    ROWS_CASE(2);
    ROWS_CASE(1);
  }
}

void multiply_rows(int rows, const float *a, intptr_t row_step, const float *panels, int panel_depth, int depth,
                          float *c, intptr_t c_step, int columns, const float *bias, int add) {
  const intptr_t depth_step = 1;
  any_rows_of_c(rows, a, row_step, depth_step, panels, panel_depth, depth, c, c_step, columns, bias, add);
}

void multiply_transposed_rows(int rows, const float *a, intptr_t depth_step, const float *panels,
                                     int panel_depth, int depth, float *c, intptr_t c_step, int columns,
                                     const float *bias, int add) {
  const intptr_t row_step = 1;
  any_rows_of_c(rows, a, row_step, depth_step, panels, panel_depth, depth, c, c_step, columns, bias, add);
}

// Four vectors as the rows of a matrix to its columns.
INLINE void transpose4(v128_t v[4]) {
  const v128_t a = wasm_i32x4_shuffle(v[0], v[1], 0, 4, 1, 5), b = wasm_i32x4_shuffle(v[0], v[1], 2, 6, 3, 7);
  const v128_t c = wasm_i32x4_shuffle(v[2], v[3], 0, 4, 1, 5), d = wasm_i32x4_shuffle(v[2], v[3], 2, 6, 3, 7);
  v[0] = wasm_i64x2_shuffle(a, c, 0, 2);
  v[1] = wasm_i64x2_shuffle(a, c, 1, 3);
  v[2] = wasm_i64x2_shuffle(b, d, 0, 2);
  v[3] = wasm_i64x2_shuffle(b, d, 1, 3);
}

void pack(const float *b, intptr_t step, int depth, int columns, float *panels) {
  for (int j = 0; j < columns; j += COLUMNS) {
    const int width = columns - j < COLUMNS ? columns - j : COLUMNS;
    for (int p = 0; p < depth; p++, panels += COLUMNS) {
      const float *from = b + p * step + j;
      if (width == COLUMNS) {
        wasm_v128_store(panels, wasm_v128_load(from));
        wasm_v128_store(panels + 4, wasm_v128_load(from + 4));
      } else {
        for (int i = 0; i < COLUMNS; i++) panels[i] = i < width ? from[i] : 0;
      }
    }
  }
}

void pack_transposed(const float *b, intptr_t step, int depth, int columns, float *panels) {
  for (int j = 0; j < columns; j += COLUMNS, panels += (intptr_t)depth * COLUMNS) {
    const int width = columns - j < COLUMNS ? columns - j : COLUMNS;
    const float *from = b + j * step;
    int p = 0;
    for (; width == COLUMNS && p + 4 <= depth; p += 4) {
      for (int half = 0; half < COLUMNS; half += 4) {
        v128_t v[4];
        for (int i = 0; i < 4; i++) v[i] = wasm_v128_load(from + (half + i) * step + p);
        transpose4(v);
        for (int i = 0; i < 4; i++) wasm_v128_store(panels + (p + i) * COLUMNS + half, v[i]);
      }
    }
    for (; p < depth; p++) {
      for (int i = 0; i < COLUMNS; i++) panels[p * COLUMNS + i] = i < width ? from[i * step + p] : 0;
    }
  }
}
