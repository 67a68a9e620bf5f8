#ifndef VITRINE_JPEG2000_H
#define VITRINE_JPEG2000_H
#include "vitrine_dicom.h"

#include <string>
#include <vector>

/// Decodes a JPEG 2000 code stream (bare or in a JP2 box) by OpenJPEG into little-endian samples, those of a pixel side by side.
///
/// The code stream must have the frame's size and number of components; this is checked before OpenJPEG asks for the pixels' memory.
///
/// - Returns: an empty text, or why it failed.
std::string decodeJPEG2000(const std::vector<uint8_t> &code, const vitrine_dicom_size &size, uint8_t *out);
#endif
