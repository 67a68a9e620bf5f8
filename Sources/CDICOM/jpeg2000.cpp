#include "jpeg2000.h"

#include <openjpeg.h>

#include <cstring>
#include <memory>

namespace {

struct Source {
    const uint8_t *bytes;
    OPJ_SIZE_T count, position;
};

OPJ_SIZE_T readSource(void *out, OPJ_SIZE_T length, void *user) {
    auto source = static_cast<Source *>(user);
    const OPJ_SIZE_T left = source->count - source->position;
    if (left == 0) return static_cast<OPJ_SIZE_T>(-1);
    const OPJ_SIZE_T n = length < left ? length : left;
    std::memcpy(out, source->bytes + source->position, n);
    source->position += n;
    return n;
}

OPJ_OFF_T skipSource(OPJ_OFF_T length, void *user) {
    auto source = static_cast<Source *>(user);
    const OPJ_OFF_T left = static_cast<OPJ_OFF_T>(source->count - source->position);
    if (length < 0) return -1;
    const OPJ_OFF_T n = length < left ? length : left;
    source->position += static_cast<OPJ_SIZE_T>(n);
    return n;
}

OPJ_BOOL seekSource(OPJ_OFF_T position, void *user) {
    auto source = static_cast<Source *>(user);
    if (position < 0 || static_cast<OPJ_SIZE_T>(position) > source->count) return OPJ_FALSE;
    source->position = static_cast<OPJ_SIZE_T>(position);
    return OPJ_TRUE;
}

/// Keeps the first thing that OpenJPEG complains about.
void keepMessage(const char *message, void *user) {
    auto text = static_cast<std::string *>(user);
    if (text->empty() && message) *text = message;
}

void ignoreMessage(const char *, void *) {}

}  // namespace

std::string decodeJPEG2000(const std::vector<uint8_t> &code, const vitrine_dicom_size &size, uint8_t *out) {
    const uint32_t sampleBytes = size.bits / 8;
    if (sampleBytes == 0 || sampleBytes > 4) return "JPEG 2000 with " + std::to_string(size.bits) + " bits per sample";
    const uint8_t box[] = {0, 0, 0, 12, 'j', 'P', ' ', ' '};
    const bool isBoxed = code.size() >= sizeof box && std::memcmp(code.data(), box, sizeof box) == 0;

    Source source = {code.data(), code.size(), 0};
    std::string message;
    std::unique_ptr<opj_codec_t, void (*)(opj_codec_t *)> codec(
        static_cast<opj_codec_t *>(opj_create_decompress(isBoxed ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K)),
        [](opj_codec_t *p) { opj_destroy_codec(p); });
    std::unique_ptr<opj_stream_t, void (*)(opj_stream_t *)> stream(
        static_cast<opj_stream_t *>(opj_stream_create(1 << 16, OPJ_TRUE)), [](opj_stream_t *p) { opj_stream_destroy(p); });
    if (!codec || !stream) return "no memory for the JPEG 2000 decoder";
    opj_set_error_handler(codec.get(), keepMessage, &message);
    opj_set_warning_handler(codec.get(), ignoreMessage, nullptr);
    opj_set_info_handler(codec.get(), ignoreMessage, nullptr);
    opj_stream_set_read_function(stream.get(), readSource);
    opj_stream_set_skip_function(stream.get(), skipSource);
    opj_stream_set_seek_function(stream.get(), seekSource);
    opj_stream_set_user_data(stream.get(), &source, nullptr);
    opj_stream_set_user_data_length(stream.get(), source.count);

    const auto failed = [&](const char *what) {
        while (!message.empty() && (message.back() == '\n' || message.back() == ' ')) message.pop_back();
        return message.empty() ? std::string(what) : "JPEG 2000: " + message;
    };
    opj_dparameters_t parameters;
    opj_set_default_decoder_parameters(&parameters);
    if (!opj_setup_decoder(codec.get(), &parameters)) return failed("the JPEG 2000 decoder cannot be set up");
    opj_image_t *read = nullptr;
    const bool hasHeader = opj_read_header(stream.get(), codec.get(), &read);
    std::unique_ptr<opj_image_t, void (*)(opj_image_t *)> image(read, [](opj_image_t *p) { opj_image_destroy(p); });
    if (!hasHeader || !image) return failed("the JPEG 2000 header cannot be read");

    // Every component at the full size of the frame.
    const auto fits = [&] {
        if (image->x1 < image->x0 || image->y1 < image->y0 || image->numcomps < size.samples) return false;
        if (image->x1 - image->x0 != size.columns || image->y1 - image->y0 != size.rows) return false;
        for (uint32_t c = 0; c < image->numcomps; c++) {
            if (image->comps[c].dx != 1 || image->comps[c].dy != 1) return false;
        }
        return true;
    };
    if (!fits()) return "the JPEG 2000 code stream has another size than the frame, or subsampled components";
    if (!opj_decode(codec.get(), stream.get(), image.get()) || !opj_end_decompress(codec.get(), stream.get())) {
        return failed("the JPEG 2000 code stream cannot be decoded");
    }
    if (!fits()) return "the JPEG 2000 code stream changes its size";
    for (uint32_t c = 0; c < size.samples; c++) {
        const opj_image_comp_t &component = image->comps[c];
        if (!component.data || component.w != size.columns || component.h != size.rows) return "a JPEG 2000 component is missing";
        for (size_t i = 0; i < static_cast<size_t>(size.rows) * size.columns; i++) {
            uint8_t *sample = out + (i * size.samples + c) * sampleBytes;
            const uint32_t value = static_cast<uint32_t>(component.data[i]);
            for (uint32_t b = 0; b < sampleBytes; b++) sample[b] = static_cast<uint8_t>(value >> (8 * b));
        }
    }
    return "";
}
