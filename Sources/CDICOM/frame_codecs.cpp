#include "frame_codecs.h"

#include <zlib.h>

#include <memory>

std::string inflateRaw(const uint8_t *bytes, uint64_t count, uint64_t most, std::vector<uint8_t> &out) {
    z_stream stream = {};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return "no memory to inflate it";
    std::unique_ptr<z_stream, int (*)(z_stream *)> owner(&stream, inflateEnd);
    stream.next_in = const_cast<Bytef *>(bytes);
    uint64_t given = 0;
    int status = Z_OK;
    while (status == Z_OK) {
        const uint64_t left = count - given;
        const uInt step = static_cast<uInt>(left < (1u << 30) ? left : (1u << 30));
        stream.avail_in = step;
        uint8_t block[1 << 14];
        stream.next_out = block;
        stream.avail_out = sizeof block;
        status = inflate(&stream, Z_NO_FLUSH);
        given += step - stream.avail_in;
        out.insert(out.end(), block, block + (sizeof block - stream.avail_out));
        if (out.size() > most) return "its deflated part grows beyond " + std::to_string(most) + " bytes";
    }
    return status == Z_STREAM_END ? "" : "its deflated part breaks off or is corrupt";
}

std::string unpackRuns(const std::vector<uint8_t> &code, uint64_t pixels, uint32_t samples, uint32_t sampleBytes, uint8_t *out) {
    const auto word = [&](size_t at) {
        return static_cast<uint32_t>(code[at]) | static_cast<uint32_t>(code[at + 1]) << 8 | static_cast<uint32_t>(code[at + 2]) << 16
            | static_cast<uint32_t>(code[at + 3]) << 24;
    };
    const uint32_t header = 64, segments = samples * sampleBytes;
    if (code.size() < header || segments > 15) return "its run-length header is cut off";
    if (word(0) != segments) {
        return "its run-length header has " + std::to_string(word(0)) + " segments instead of " + std::to_string(segments);
    }
    for (uint32_t segment = 0; segment < segments; segment++) {
        uint64_t at = word(4 + 4 * segment);
        const uint64_t end = segment + 1 < segments ? word(8 + 4 * segment) : code.size();
        if (at < header || end > code.size() || at > end) return "a run-length segment leaves its frame";
        // One segment per byte of each sample, the highest byte first.
        uint8_t *target = out + segment / sampleBytes * sampleBytes + (sampleBytes - 1 - segment % sampleBytes);
        uint64_t filled = 0;
        while (filled < pixels) {
            if (at >= end) return "a run-length segment is short";
            const uint8_t control = code[at++];
            if (control == 128) continue;
            const bool isRun = control > 128;
            const uint64_t length = isRun ? 257u - control : control + 1u;
            if ((isRun ? 1 : length) > end - at) return "a run-length segment is short";
            for (uint64_t i = 0; i < length && filled < pixels; i++) target[filled++ * segments] = code[isRun ? at : at + i];
            at += isRun ? 1 : length;
        }
    }
    return "";
}
