#include "vitrine_ranks.h"
#include "vk_math.h"

VK_CLONES void vk_upsample_rows(const float *wide, ptrdiff_t width, const int32_t *cells, const float *weights, ptrdiff_t taps,
                                ptrdiff_t height, float *out, float *row_minima, float *row_maxima, float *column_maxima) {
    for (ptrdiff_t x = 0; x < width; x++) column_maxima[x] = -INFINITY;
    for (ptrdiff_t y = 0; y < height; y++) {
        float *row = out + y * width;
        const float *first = wide + cells[y * taps] * width;
        float first_weight = weights[y * taps];
        for (ptrdiff_t x = 0; x < width; x++) row[x] = first_weight * first[x];
        for (ptrdiff_t t = 1; t < taps; t++) {
            const float *cell = wide + cells[y * taps + t] * width;
            float weight = weights[y * taps + t];
            // Skipped, so that a clamped edge repeats its cell exactly and its ties survive.
            if (weight == 0) continue;
            for (ptrdiff_t x = 0; x < width; x++) row[x] += weight * cell[x];
        }
        vk_lanes lows, highs, v;
        for (size_t k = 0; k < 16; k++) {
            lows[k] = INFINITY;
            highs[k] = -INFINITY;
        }
        ptrdiff_t x = 0;
        for (; x + 16 <= width; x += 16) {
            vk_lanes columns;
            memcpy(&v, row + x, sizeof v);
            memcpy(&columns, column_maxima + x, sizeof columns);
            lows = v < lows ? v : lows;
            highs = v > highs ? v : highs;
            columns = v > columns ? v : columns;
            memcpy(column_maxima + x, &columns, sizeof columns);
        }
        float low = INFINITY, high = -INFINITY;
        for (size_t k = 0; k < 16; k++) {
            low = lows[k] < low ? lows[k] : low;
            high = highs[k] > high ? highs[k] : high;
        }
        for (; x < width; x++) {
            low = row[x] < low ? row[x] : low;
            high = row[x] > high ? row[x] : high;
            if (row[x] > column_maxima[x]) column_maxima[x] = row[x];
        }
        row_minima[y] = low;
        row_maxima[y] = high;
    }
}

VK_CLONES void vk_rank_histogram(const float *values, const uint8_t *marks, ptrdiff_t count, float low, float scale,
                                 int16_t *steps, uint64_t *histogram, uint64_t *spare, ptrdiff_t step_count) {
    float last = (float)(step_count - 1);
    for (ptrdiff_t i = 0; i < count; i++) {
        float step = (values[i] - low) * scale;
        step = step > 0 ? step : 0; // NaN too
        step = step < last ? step : last;
        steps[i] = (int16_t)step;
    }
    // Neighbours mostly share a step: two tables keep one increment from waiting for the other.
    ptrdiff_t i = 0;
    for (; i + 2 <= count; i += 2) {
        histogram[steps[i]] += 1 + ((uint64_t)marks[i] << 32);
        spare[steps[i + 1]] += 1 + ((uint64_t)marks[i + 1] << 32);
    }
    if (i < count) histogram[steps[i]] += 1 + ((uint64_t)marks[i] << 32);
    for (ptrdiff_t k = 0; k < step_count; k++) histogram[k] += spare[k];
}
