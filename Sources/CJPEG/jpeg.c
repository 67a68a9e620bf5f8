#include "vitrine_jpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

/// A decoder that stops at the first error or at the first warning that means lost pixels.
typedef struct {
    struct jpeg_decompress_struct decoder;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf leave;
    vitrine_jpeg_info *info;
    const uint8_t *bytes;
    size_t count;
    int code;
} vitrine_jpeg;

/// More scans than any encoder writes; a small file can ask for millions of passes over a large picture.
enum { most_scans = 500 };

static _Noreturn void stop(vitrine_jpeg *state, int code) {
    state->code = code;
    longjmp(state->leave, 1);
}

static void keep_reason(j_common_ptr common, vitrine_jpeg *state) {
    char text[JMSG_LENGTH_MAX];
    (*common->err->format_message)(common, text);
    snprintf(state->info->reason, sizeof state->info->reason, "%s", text);
}

static void on_error(j_common_ptr common) {
    vitrine_jpeg *state = (vitrine_jpeg *)common->client_data;
    keep_reason(common, state);
    switch (common->err->msg_code) {
    case JERR_BAD_PRECISION: case JERR_SOF_UNSUPPORTED: case JERR_ARITH_NOTIMPL: case JERR_CONVERSION_NOTIMPL: case JERR_NOT_COMPILED:
    case JERR_FRACT_SAMPLE_NOTIMPL: case JERR_CCIR601_NOTIMPL: case JERR_COMPONENT_COUNT:
        stop(state, VITRINE_JPEG_UNSUPPORTED);
    default: stop(state, VITRINE_JPEG_DAMAGED);
    }
}

/// Whether the bytes that were skipped before a marker are padding: some encoders fill up with zeros or with marker bytes.
static int is_padding(const vitrine_jpeg *state) {
    const struct jpeg_decompress_struct *decoder = &state->decoder;
    const size_t skipped = (size_t)decoder->err->msg_parm.i[0];
    const size_t left = decoder->src->bytes_in_buffer;
    // The position is behind the last byte that was skipped.
    if (left > state->count || state->count - left < skipped) return 0;
    const uint8_t *end = state->bytes + (state->count - left);
    for (size_t i = 1; i <= skipped; i++) {
        if (end[-(ptrdiff_t)i] != 0x00 && end[-(ptrdiff_t)i] != 0xFF) return 0;
    }
    return 1;
}

static void on_message(j_common_ptr common, int level) {
    if (level >= 0) return;
    vitrine_jpeg *state = (vitrine_jpeg *)common->client_data;
    switch (common->err->msg_code) {
    // Words about the file that touch no pixel: an odd version number, a colour profile that nobody reads, spectral bounds of
    // a sequential scan, which are not used.
    case JWRN_JFIF_MAJOR: case JWRN_BOGUS_ICC: case JWRN_NOT_SEQUENTIAL: return;
    // Bytes between segments, before the first scan. Later ones are what a damaged scan leaves unread, unless they are padding.
    case JWRN_EXTRANEOUS_DATA:
        if (state->decoder.input_scan_number == 0 || is_padding(state)) return;
        break;
    default: break;
    }
    keep_reason(common, state);
    stop(state, VITRINE_JPEG_DAMAGED);
}

static void ignore_output(j_common_ptr common) { (void)common; }

static void on_progress(j_common_ptr common) {
    vitrine_jpeg *state = (vitrine_jpeg *)common->client_data;
    if (state->decoder.input_scan_number <= most_scans) return;
    snprintf(state->info->reason, sizeof state->info->reason, "more than %d scans", most_scans);
    stop(state, VITRINE_JPEG_DAMAGED);
}

/// Everything up to the choice of the output's colours.
static void open_decoder(vitrine_jpeg *state) {
    struct jpeg_decompress_struct *decoder = &state->decoder;
    vitrine_jpeg_info *info = state->info;
    jpeg_create_decompress(decoder);
    state->progress.progress_monitor = on_progress;
    decoder->progress = &state->progress;
    jpeg_mem_src(decoder, state->bytes, (unsigned long)state->count);
    jpeg_read_header(decoder, TRUE);
    switch (decoder->jpeg_color_space) {
    case JCS_GRAYSCALE: decoder->out_color_space = JCS_GRAYSCALE; info->channels = 1; break;
    case JCS_CMYK: case JCS_YCCK: decoder->out_color_space = JCS_CMYK; info->channels = 4; break;
    default: decoder->out_color_space = JCS_RGB; info->channels = 3; break;
    }
    info->width = decoder->image_width;
    info->height = decoder->image_height;
    info->bits = (uint32_t)decoder->data_precision;
    info->is_adobe = decoder->saw_Adobe_marker ? 1 : 0;
}

static void prepare(vitrine_jpeg *state, const uint8_t *bytes, size_t count, vitrine_jpeg_info *info) {
    memset(state, 0, sizeof *state);
    memset(info, 0, sizeof *info);
    state->info = info;
    state->bytes = bytes;
    state->count = count;
    state->decoder.err = jpeg_std_error(&state->errors);
    state->errors.error_exit = on_error;
    state->errors.emit_message = on_message;
    state->errors.output_message = ignore_output;
    state->decoder.client_data = state;
}

int vitrine_jpeg_header(const uint8_t *bytes, size_t count, vitrine_jpeg_info *info) {
    vitrine_jpeg state;
    prepare(&state, bytes, count, info);
    if (setjmp(state.leave) == 0) open_decoder(&state);
    jpeg_destroy_decompress(&state.decoder);
    return state.code;
}

int vitrine_jpeg_decode(const uint8_t *bytes, size_t count, uint8_t *pixels, vitrine_jpeg_info *info) {
    vitrine_jpeg state;
    prepare(&state, bytes, count, info);
    if (setjmp(state.leave) == 0) {
        open_decoder(&state);
        struct jpeg_decompress_struct *decoder = &state.decoder;
        decoder->dct_method = JDCT_ISLOW;
        jpeg_start_decompress(decoder);
        const size_t stride = (size_t)info->width * info->channels;
        while (decoder->output_scanline < decoder->output_height) {
            JSAMPROW row = pixels + stride * decoder->output_scanline;
            jpeg_read_scanlines(decoder, &row, 1);
        }
        // Reads up to the end of the image, so that what a damaged scan left unread is noticed.
        jpeg_finish_decompress(decoder);
    }
    jpeg_destroy_decompress(&state.decoder);
    return state.code;
}

/// An encoder that stops at the first error.
typedef struct {
    struct jpeg_compress_struct encoder;
    struct jpeg_error_mgr errors;
    jmp_buf leave;
} vitrine_jpeg_writer;

static void on_writing_error(j_common_ptr common) { longjmp(((vitrine_jpeg_writer *)common->client_data)->leave, 1); }

static void on_writing_message(j_common_ptr common) { (void)common; }

size_t vitrine_jpeg_encode(const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t channels, int quality, uint8_t *bytes,
                           size_t capacity) {
    vitrine_jpeg_writer state;
    unsigned char *target = bytes;
    unsigned long size = capacity;
    memset(&state, 0, sizeof state);
    state.encoder.err = jpeg_std_error(&state.errors);
    state.errors.error_exit = on_writing_error;
    state.errors.output_message = on_writing_message;
    state.encoder.client_data = &state;
    jpeg_create_compress(&state.encoder);
    if (setjmp(state.leave)) {
        jpeg_destroy_compress(&state.encoder);
        return 0;
    }
    // A buffer that proves too small is replaced by one of libjpeg's own.
    jpeg_mem_dest(&state.encoder, &target, &size);
    state.encoder.image_width = width;
    state.encoder.image_height = height;
    state.encoder.input_components = (int)channels;
    state.encoder.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&state.encoder);
    jpeg_set_quality(&state.encoder, quality, TRUE);
    jpeg_start_compress(&state.encoder, TRUE);
    while (state.encoder.next_scanline < height) {
        JSAMPROW row = (JSAMPROW)(pixels + (size_t)state.encoder.next_scanline * width * channels);
        jpeg_write_scanlines(&state.encoder, &row, 1);
    }
    jpeg_finish_compress(&state.encoder);
    jpeg_destroy_compress(&state.encoder);
    if (target != bytes) {
        free(target);
        return 0;
    }
    return size;
}
