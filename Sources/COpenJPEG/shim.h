#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <openjpeg.h>

// OpenJPEG reads and complains through callbacks: they stay in C.

/// A JPEG 2000 file held in memory, and the first thing OpenJPEG complained about.
typedef struct {
    const uint8_t *bytes;
    OPJ_SIZE_T count, position;
    char message[256];
    opj_codec_t *codec;
    opj_stream_t *stream;
    opj_image_t *image;
} vitrine_j2k_source;

static OPJ_SIZE_T vitrine_j2k_read(void *out, OPJ_SIZE_T length, void *user) {
    vitrine_j2k_source *source = (vitrine_j2k_source *)user;
    const OPJ_SIZE_T left = source->count - source->position;
    if (left == 0) return (OPJ_SIZE_T)-1;
    const OPJ_SIZE_T n = length < left ? length : left;
    memcpy(out, source->bytes + source->position, n);
    source->position += n;
    return n;
}

static OPJ_OFF_T vitrine_j2k_skip(OPJ_OFF_T length, void *user) {
    vitrine_j2k_source *source = (vitrine_j2k_source *)user;
    const OPJ_OFF_T left = (OPJ_OFF_T)(source->count - source->position);
    if (length < 0) return -1;
    const OPJ_OFF_T n = length < left ? length : left;
    source->position += (OPJ_SIZE_T)n;
    return n;
}

static OPJ_BOOL vitrine_j2k_seek(OPJ_OFF_T position, void *user) {
    vitrine_j2k_source *source = (vitrine_j2k_source *)user;
    if (position < 0 || (OPJ_SIZE_T)position > source->count) return OPJ_FALSE;
    source->position = (OPJ_SIZE_T)position;
    return OPJ_TRUE;
}

static void vitrine_j2k_message(const char *message, void *user) {
    vitrine_j2k_source *source = (vitrine_j2k_source *)user;
    if (source->message[0] || !message) return;
    snprintf(source->message, sizeof source->message, "%s", message);
    for (size_t n = strlen(source->message); n > 0 && (source->message[n - 1] == '\n' || source->message[n - 1] == ' '); n--) {
        source->message[n - 1] = 0;
    }
}

static void vitrine_j2k_silence(const char *message, void *user) { (void)message; (void)user; }

/// Opens a stream and a decoder (boxed: a JP2 file; else a bare code stream), and reads the header into `image`.
/// Call `vitrine_j2k_close` also after a failure. Returns 1 on success.
static inline int vitrine_j2k_open(vitrine_j2k_source *source, int boxed) {
    source->codec = opj_create_decompress(boxed ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K);
    source->stream = opj_stream_create(1 << 16, OPJ_TRUE);
    if (!source->codec || !source->stream) return 0;
    opj_set_error_handler(source->codec, vitrine_j2k_message, source);
    opj_set_warning_handler(source->codec, vitrine_j2k_silence, NULL);
    opj_set_info_handler(source->codec, vitrine_j2k_silence, NULL);
    opj_stream_set_read_function(source->stream, vitrine_j2k_read);
    opj_stream_set_skip_function(source->stream, vitrine_j2k_skip);
    opj_stream_set_seek_function(source->stream, vitrine_j2k_seek);
    opj_stream_set_user_data(source->stream, source, NULL);
    opj_stream_set_user_data_length(source->stream, source->count);
    opj_dparameters_t parameters;
    opj_set_default_decoder_parameters(&parameters);
    return opj_setup_decoder(source->codec, &parameters) && opj_read_header(source->stream, source->codec, &source->image) && source->image;
}

/// Decodes the pixels; a warning on the way means lost ones and is an error here. Returns 1 on success.
static inline int vitrine_j2k_decode(vitrine_j2k_source *source) {
    opj_set_warning_handler(source->codec, vitrine_j2k_message, source);
    return opj_decode(source->codec, source->stream, source->image) && opj_end_decompress(source->codec, source->stream)
        && source->message[0] == 0;
}

static inline void vitrine_j2k_close(vitrine_j2k_source *source) {
    if (source->image) opj_image_destroy(source->image);
    if (source->stream) opj_stream_destroy(source->stream);
    if (source->codec) opj_destroy_codec(source->codec);
}
