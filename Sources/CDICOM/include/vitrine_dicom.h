#ifndef VITRINE_DICOM_H
#define VITRINE_DICOM_H
#include <stddef.h>
#include <stdint.h>

// DCMTK behind a plain C surface: it parses, finds elements and decompresses frames. No exception and no log line leaves it, and no
// function asks for more memory than a caller allowed. What the values mean is decided in Swift.

#ifdef __cplusplus
extern "C" {
#endif

/// A parsed DICOM file; one thread at a time may use it.
typedef struct vitrine_dicom vitrine_dicom;

/// Why a call failed: one line, ended by a zero.
typedef struct {
    /// The file is well formed and asks for something that cannot be decoded here; otherwise it is damaged.
    int32_t is_unsupported;
    char reason[200];
} vitrine_dicom_failure;

/// Where an element stands: in the data set itself when `macro` and `sequence` are 0.
typedef struct {
    /// Counted from 0; only looked at together with `macro`.
    uint32_t frame;
    /// A sequence inside the functional groups of multi-frame objects: its first item in the frame's own group, else in the shared one.
    uint32_t macro;
    /// A sequence whose first item is entered last.
    uint32_t sequence;
} vitrine_dicom_place;

/// Parses `count` bytes and keeps none of them; NULL on failure. A deflated data set may grow to `most` bytes.
/// The bytes need no preamble and no meta header.
vitrine_dicom *vitrine_dicom_open(const uint8_t *bytes, uint64_t count, uint64_t most, vitrine_dicom_failure *failure);
void vitrine_dicom_close(vitrine_dicom *file);

/// The transfer syntax as a UID, or the name of the encoding that was guessed where the file states none.
const char *vitrine_dicom_transfer_syntax(const vitrine_dicom *file);
int32_t vitrine_dicom_is_big_endian(const vitrine_dicom *file);
/// Whether the frames are compressed.
int32_t vitrine_dicom_is_encapsulated(const vitrine_dicom *file);

/// An element as text, cut off at `capacity`: the number of characters, -1 where the element is absent.
int64_t vitrine_dicom_text(vitrine_dicom *file, vitrine_dicom_place place, uint32_t tag, char *out, uint64_t capacity);
/// Value `index` of a numeric or decimal element: 1 when it is there and a number.
int32_t vitrine_dicom_number(vitrine_dicom *file, vitrine_dicom_place place, uint32_t tag, uint32_t index, double *out);
/// The bytes of an element from `offset` on, words in little-endian order, at most `capacity` of them: how many the element has in all,
/// -1 where it is absent or is no run of bytes or words. `out` may be NULL when `capacity` is 0.
int64_t vitrine_dicom_bytes(
    vitrine_dicom *file, vitrine_dicom_place place, uint32_t tag, uint64_t offset, uint8_t *out, uint64_t capacity);

/// Size of a frame, as the caller read it from the header and checked it; bits per sample are 1 or a multiple of 8.
typedef struct {
    uint32_t rows, columns, samples, bits;
} vitrine_dicom_size;

/// Decompresses a frame into `out`, little-endian samples, those of a pixel side by side: 1 when it succeeded.
/// Samples of one bit stay packed, the first in the lowest bit. `capacity` is the frame's size in whole bytes and at least one more:
/// some decoders round up to an even size.
int32_t vitrine_dicom_decode(
    vitrine_dicom *file, uint32_t frame, vitrine_dicom_size size, uint8_t *out, uint64_t capacity, vitrine_dicom_failure *failure);

#ifdef __cplusplus
}
#endif
#endif
