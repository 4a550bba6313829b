// Products of up to 6 rows of A with panels of B, the inner loop of everything that multiplies matrices. A panel is 8
// columns wide: B [depth, columns] as [columns / 8][depth][8], missing columns 0.
#pragma once

#include <stdint.h>

#define ROWS 6
#define COLUMNS 8

// C[rows, columns] = A·B + bias, or with `add` C + A·B. Rows of A lie `row_step` numbers apart, those of C `c_step`. The
// panels are `panel_depth` deep, of which `depth` is used.
void multiply_rows(int rows, const float *a, intptr_t row_step, const float *panels, int panel_depth, int depth,
                   float *c, intptr_t c_step, int columns, const float *bias, int add);

// The same for a transposed A: rows are neighbours in memory, `depth_step` numbers from one depth to the next.
void multiply_transposed_rows(int rows, const float *a, intptr_t depth_step, const float *panels, int panel_depth,
                              int depth, float *c, intptr_t c_step, int columns, const float *bias, int add);

// Copies B [depth, columns], its rows `step` apart, into panels.
void pack(const float *b, intptr_t step, int depth, int columns, float *panels);

// The same for a transposed B [columns, depth].
void pack_transposed(const float *b, intptr_t step, int depth, int columns, float *panels);
