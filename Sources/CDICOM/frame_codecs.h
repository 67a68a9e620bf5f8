#ifndef VITRINE_FRAME_CODECS_H
#define VITRINE_FRAME_CODECS_H
#include <cstdint>
#include <string>
#include <vector>

// Byte codecs that stand around DCMTK's own. Each returns an empty text, or why it failed.

/// Raw deflate (RFC 1951), as PS3.5 A.5 and A.4.13 ask for; refused when it grows beyond `most` bytes.
std::string inflateRaw(const uint8_t *bytes, uint64_t count, uint64_t most, std::vector<uint8_t> &out);

/// The run-length codec of PS3.5 annex G. DCMTK 3.6.7's own reads beyond its buffer when segments contradict their header, and refuses
/// one bit per sample.
///
/// - Parameter out: `pixels * samples * sampleBytes` bytes: little-endian samples, those of a pixel side by side.
std::string unpackRuns(const std::vector<uint8_t> &code, uint64_t pixels, uint32_t samples, uint32_t sampleBytes, uint8_t *out);
#endif
