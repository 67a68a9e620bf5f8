#include "vitrine_dicom.h"

#include "frame_codecs.h"
#include "jpeg2000.h"
#include "memory_stream.h"

#include <dcmtk/dcmdata/dcdatset.h>
#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcmetinf.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dcsequen.h>
#include <dcmtk/dcmdata/dcxfer.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>
#include <dcmtk/oflog/oflog.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

struct vitrine_dicom {
    DcmDataset data;
    std::string transferSyntax;
    E_TransferSyntax encoding = EXS_Unknown;
    /// Deflated Image Frame Compression, which this DCMTK does not know: framed as any other compressed syntax.
    bool hasDeflatedFrames = false;
    /// What a deflated data set became; the elements are copies, so it is let go after parsing.
    std::vector<uint8_t> inflated;
};

namespace {

const char *const deflatedFrames = "1.2.840.10008.1.2.8.1";

void fail(vitrine_dicom_failure *failure, const std::string &reason, bool isUnsupported = false) {
    failure->is_unsupported = isUnsupported;
    std::snprintf(failure->reason, sizeof failure->reason, "%s", reason.c_str());
}

/// Settings of DCMTK that hold for the whole process, made once.
void setUp() {
    static std::once_flag once;
    std::call_once(once, [] {
        OFLog::configure(OFLogger::OFF_LOG_LEVEL);
        // Colours stay as they were compressed; the conversion to RGB is the caller's, by the formula of the standard.
        DJDecoderRegistration::registerCodecs(EDC_never, EUC_default, EPC_colorByPixel);
        DJLSDecoderRegistration::registerCodecs(EJLSUC_default, EJLSPC_colorByPixel);
        // Whatever stands behind the pixels (padding, signatures) is not needed.
        dcmStopParsingAfterElement.set(DCM_PixelData);
        // Sequences whose items are implicit though the file is explicit; common in data that passed through several archives.
        dcmAcceptUnexpectedImplicitEncoding.set(OFTrue);
        // Elements that an archive relabelled as unknown (UN) get the type of the data dictionary back.
        dcmEnableUnknownVRConversion.set(OFTrue);
    });
}

DcmTagKey key(uint32_t tag) { return DcmTagKey(static_cast<Uint16>(tag >> 16), static_cast<Uint16>(tag)); }

DcmItem *firstItem(DcmItem *item, const DcmTagKey &sequence, unsigned long index = 0) {
    DcmSequenceOfItems *found = nullptr;
    if (!item || item->findAndGetSequence(sequence, found).bad() || !found || index >= found->card()) return nullptr;
    return found->getItem(index);
}

DcmItem *item(vitrine_dicom *file, const vitrine_dicom_place &place) {
    DcmItem *at = &file->data;
    if (place.macro != 0) {
        at = firstItem(firstItem(&file->data, DCM_PerFrameFunctionalGroupsSequence, place.frame), key(place.macro));
        if (!at) at = firstItem(firstItem(&file->data, DCM_SharedFunctionalGroupsSequence), key(place.macro));
    }
    return place.sequence == 0 ? at : firstItem(at, key(place.sequence));
}

DcmElement *element(vitrine_dicom *file, const vitrine_dicom_place &place, uint32_t tag) {
    DcmItem *at = item(file, place);
    DcmElement *found = nullptr;
    if (!at || at->findAndGetElement(key(tag), found).bad()) return nullptr;
    return found;
}

/// The fragments of a frame, joined.
///
/// A frame is one fragment where there are as many of them as frames; else the table of offsets says where frames begin; else, in
/// JPEG 2000, a frame begins where a fragment begins with a code stream or a JP2 box.
std::string joinFragments(vitrine_dicom *file, DcmPixelData *pixels, uint32_t frame, std::vector<uint8_t> &code) {
    DcmPixelSequence *sequence = nullptr;
    if (pixels->getEncapsulatedRepresentation(file->encoding, nullptr, sequence).bad() || !sequence || sequence->card() < 2) {
        return "its compressed pixels cannot be found";
    }
    Sint32 frames = 1;
    file->data.findAndGetSint32(DCM_NumberOfFrames, frames);
    const unsigned long fragments = sequence->card() - 1;

    std::vector<uint32_t> starts;
    DcmPixelItem *table = nullptr;
    Uint8 *bytes = nullptr;
    if (sequence->getItem(table, 0).good() && table && table->getLength() >= 4 && table->getUint8Array(bytes).good() && bytes) {
        for (Uint32 i = 0; i + 4 <= table->getLength(); i += 4) {
            starts.push_back(bytes[i] | bytes[i + 1] << 8 | bytes[i + 2] << 16 | static_cast<uint32_t>(bytes[i + 3]) << 24);
        }
    }
    const bool hasTable = frames > 1 && starts.size() == static_cast<size_t>(frames);
    uint32_t begun = 0;
    uint64_t offset = 0;
    for (unsigned long i = 1; i <= fragments && begun <= frame + 1; i++) {
        DcmPixelItem *fragment = nullptr;
        if (sequence->getItem(fragment, i).bad() || !fragment) return "a fragment is missing";
        const Uint32 length = fragment->getLength();
        if (length > 0 && (fragment->getUint8Array(bytes).bad() || !bytes)) return "a fragment cannot be read";
        const auto isStart = [&] {
            if (begun == 0 || fragments == static_cast<unsigned long>(frames)) return true;
            if (hasTable) return begun < starts.size() && starts[begun] <= offset;
            if (frames <= 1 || length < 4) return false;
            return (bytes[0] == 0xFF && bytes[1] == 0x4F) || (bytes[0] == 0 && bytes[1] == 0 && bytes[2] == 0 && bytes[3] == 12);
        };
        if (isStart()) begun++;
        if (begun == frame + 1 && length > 0) code.insert(code.end(), bytes, bytes + length);
        offset += 8 + static_cast<uint64_t>(length);
    }
    return code.empty() ? "the frame is missing" : "";
}

template <typename Result, typename Body>
Result guarded(Result otherwise, vitrine_dicom_failure *failure, Body body) {
    try {
        return body();
    } catch (const std::exception &error) {
        if (failure) fail(failure, error.what());
    } catch (...) {
        if (failure) fail(failure, "the decoder failed");
    }
    return otherwise;
}

}  // namespace

extern "C" vitrine_dicom *vitrine_dicom_open(
    const uint8_t *bytes, uint64_t count, uint64_t most, vitrine_dicom_failure *failure) {
    return guarded<vitrine_dicom *>(nullptr, failure, [&]() -> vitrine_dicom * {
        setUp();
        std::unique_ptr<vitrine_dicom> file(new vitrine_dicom);
        DcmMetaInfo meta;
        MemoryStream head(bytes, count);
        meta.transferInit();
        const OFCondition metaStatus = meta.read(head, EXS_Unknown, EGL_noChange, DCM_MaxReadLength);
        meta.transferEnd();
        if (head.producer().isTooDeep()) {
            fail(failure, "its sequences are nested too deeply");
            return nullptr;
        }
        uint64_t start = 0;
        OFString syntax;
        if (metaStatus.good() && meta.card() > 0) {
            start = head.producer().position();
            meta.findAndGetOFString(DCM_TransferSyntaxUID, syntax);
        }
        file->transferSyntax = syntax.c_str();
        file->hasDeflatedFrames = syntax == deflatedFrames;
        file->encoding = file->hasDeflatedFrames ? EXS_JPEG2000 : syntax.empty() ? EXS_Unknown : DcmXfer(syntax.c_str()).getXfer();
        if (!syntax.empty() && file->encoding == EXS_Unknown) {
            fail(
                failure, "has transfer syntax " + file->transferSyntax + ", which cannot be decoded here; convert it to Explicit VR Little Endian",
                true);
            return nullptr;
        }

        const uint8_t *body = bytes + start;
        uint64_t bodyCount = count - start;
        E_TransferSyntax encoding = file->encoding;
        if (encoding == EXS_DeflatedLittleEndianExplicit) {
            const std::string reason = inflateRaw(body, bodyCount, most, file->inflated);
            if (!reason.empty()) {
                fail(failure, reason);
                return nullptr;
            }
            body = file->inflated.data();
            bodyCount = file->inflated.size();
            encoding = EXS_LittleEndianExplicit;
        }
        MemoryStream stream(body, bodyCount);
        file->data.transferInit();
        const OFCondition status = file->data.read(stream, encoding, EGL_noChange, DCM_MaxReadLength);
        file->data.transferEnd();
        file->inflated = std::vector<uint8_t>();
        if (stream.producer().isTooDeep()) {
            fail(failure, "its sequences are nested too deeply");
            return nullptr;
        }
        if (status.bad()) {
            fail(failure, status.text());
            return nullptr;
        }
        if (file->encoding == EXS_Unknown) {
            file->encoding = file->data.getOriginalXfer();
            file->transferSyntax = DcmXfer(file->encoding).getXferID();
        }
        return file.release();
    });
}

extern "C" void vitrine_dicom_close(vitrine_dicom *file) { delete file; }

extern "C" const char *vitrine_dicom_transfer_syntax(const vitrine_dicom *file) { return file->transferSyntax.c_str(); }

extern "C" int32_t vitrine_dicom_is_big_endian(const vitrine_dicom *file) { return DcmXfer(file->encoding).isBigEndian(); }

extern "C" int32_t vitrine_dicom_is_encapsulated(const vitrine_dicom *file) { return DcmXfer(file->encoding).isEncapsulated(); }

extern "C" int64_t vitrine_dicom_text(vitrine_dicom *file, vitrine_dicom_place place, uint32_t tag, char *out, uint64_t capacity) {
    return guarded<int64_t>(-1, nullptr, [&]() -> int64_t {
        DcmElement *found = element(file, place, tag);
        OFString text;
        if (!found || found->getOFStringArray(text).bad()) return -1;
        const uint64_t n = text.size() < capacity ? text.size() : capacity;
        std::memcpy(out, text.data(), n);
        return static_cast<int64_t>(n);
    });
}

extern "C" int32_t vitrine_dicom_number(
    vitrine_dicom *file, vitrine_dicom_place place, uint32_t tag, uint32_t index, double *out) {
    return guarded<int32_t>(0, nullptr, [&]() -> int32_t {
        DcmElement *found = element(file, place, tag);
        if (!found || index >= found->getVM()) return 0;
        Uint16 u16 = 0;
        Sint16 s16 = 0;
        Uint32 u32 = 0;
        Sint32 s32 = 0;
        Float32 f32 = 0;
        Float64 f64 = 0;
        if (found->getFloat64(f64, index).good()) *out = f64;
        else if (found->getFloat32(f32, index).good()) *out = f32;
        else if (found->getUint16(u16, index).good()) *out = u16;
        else if (found->getSint16(s16, index).good()) *out = s16;
        else if (found->getUint32(u32, index).good()) *out = u32;
        else if (found->getSint32(s32, index).good()) *out = s32;
        else return 0;
        return 1;
    });
}

extern "C" int64_t vitrine_dicom_bytes(
    vitrine_dicom *file, vitrine_dicom_place place, uint32_t tag, uint64_t offset, uint8_t *out, uint64_t capacity) {
    return guarded<int64_t>(-1, nullptr, [&]() -> int64_t {
        DcmElement *found = element(file, place, tag);
        if (!found) return -1;
        const uint64_t length = found->getLength();
        if (length == 0) return 0;
        Uint8 *bytes = nullptr;
        if (found->getUint8Array(bytes).good() && bytes) {
            for (uint64_t i = 0; i < capacity && offset + i < length; i++) out[i] = bytes[offset + i];
            return static_cast<int64_t>(length);
        }
        Uint16 *words = nullptr;
        if (found->getUint16Array(words).bad() || !words) return -1;
        for (uint64_t i = 0; i < capacity && offset + i < length; i++) {
            const uint64_t at = offset + i;
            out[i] = static_cast<uint8_t>(words[at / 2] >> (8 * (at % 2)));
        }
        return static_cast<int64_t>(length);
    });
}

extern "C" int32_t vitrine_dicom_decode(
    vitrine_dicom *file, uint32_t frame, vitrine_dicom_size size, uint8_t *out, uint64_t capacity, vitrine_dicom_failure *failure) {
    return guarded<int32_t>(0, failure, [&]() -> int32_t {
        DcmElement *found = element(file, vitrine_dicom_place(), 0x7FE00010);
        if (!found || found->ident() != EVR_PixelData) {
            fail(failure, "it has no pixel data");
            return 0;
        }
        DcmPixelData *pixels = static_cast<DcmPixelData *>(found);
        const uint64_t bits = static_cast<uint64_t>(size.rows) * size.columns * size.samples * size.bits;
        const uint64_t whole = bits / 8 + (bits % 8 != 0);
        if (whole >= capacity || capacity > 0xFFFFFFFEu) {
            fail(failure, "has a frame of more than 4 GB", true);
            return 0;
        }
        const bool hasRuns = file->encoding == EXS_RLELossless;
        if (file->encoding == EXS_JPEG2000LosslessOnly || file->encoding == EXS_JPEG2000 || hasRuns) {
            std::vector<uint8_t> code;
            std::string reason = joinFragments(file, pixels, frame, code);
            if (reason.empty() && hasRuns) {
                // Packed bits are runs of whole bytes.
                const uint64_t count = static_cast<uint64_t>(size.rows) * size.columns;
                reason = size.bits == 1 ? unpackRuns(code, whole, 1, 1, out) : unpackRuns(code, count, size.samples, size.bits / 8, out);
            } else if (reason.empty() && file->hasDeflatedFrames) {
                std::vector<uint8_t> inflated;
                reason = inflateRaw(code.data(), code.size(), whole + 1, inflated);
                if (reason.empty() && inflated.size() < whole) reason = "a deflated frame is short";
                if (reason.empty()) std::memcpy(out, inflated.data(), whole);
            } else if (reason.empty()) {
                reason = decodeJPEG2000(code, size, out);
            }
            if (reason.empty()) return 1;
            fail(failure, reason);
            return 0;
        }
        Uint32 fragment = 0;
        OFString colours;
        const OFCondition status =
            pixels->getUncompressedFrame(&file->data, frame, fragment, out, static_cast<Uint32>(capacity), colours);
        if (status.bad()) {
            const bool isUnsupported = status == EC_CannotChangeRepresentation || status == EC_UnsupportedEncoding;
            const char *reason = isUnsupported ? "has frames that cannot be decompressed here; decompress it first" : status.text();
            fail(failure, reason, isUnsupported);
            return 0;
        }
        return 1;
    });
}
