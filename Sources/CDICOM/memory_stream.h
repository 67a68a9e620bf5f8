#ifndef VITRINE_MEMORY_STREAM_H
#define VITRINE_MEMORY_STREAM_H
#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmdata/dcerror.h>
#include <dcmtk/dcmdata/dcistrma.h>

#include <cstdint>
#include <cstring>

/// Bytes in memory as DCMTK reads them.
///
/// DCMTK parses nested sequences by recursion and sets no limit, so a few hundred kilobytes of nested items overflow the stack. Every
/// level reads its tag from here: when the stack has grown too far since the stream was made, the stream ends with an error instead.
class MemoryProducer : public DcmProducer {
public:
    MemoryProducer(const uint8_t *bytes, uint64_t count) : bytes_(bytes), count_(count), position_(0), isTooDeep_(false) {
        start_ = reinterpret_cast<intptr_t>(__builtin_frame_address(0));
    }

    bool isTooDeep() const { return isTooDeep_; }
    uint64_t position() const { return position_; }

    OFBool good() const override { return !isTooDeep_; }
    OFCondition status() const override { return isTooDeep_ ? EC_CorruptedData : EC_Normal; }
    OFBool eos() override { return isTooDeep_ || position_ >= count_; }
    offile_off_t avail() override { return isTooDeep_ ? 0 : static_cast<offile_off_t>(count_ - position_); }

    offile_off_t read(void *out, offile_off_t length) override {
        checkDepth();
        const offile_off_t n = clamped(length);
        if (n > 0) std::memcpy(out, bytes_ + position_, static_cast<size_t>(n));
        position_ += static_cast<uint64_t>(n);
        return n;
    }

    offile_off_t skip(offile_off_t length) override {
        const offile_off_t n = clamped(length);
        position_ += static_cast<uint64_t>(n);
        return n;
    }

    void putback(offile_off_t n) override {
        if (n > 0) position_ -= static_cast<uint64_t>(n) <= position_ ? static_cast<uint64_t>(n) : position_;
    }

private:
    /// Real objects nest about ten deep, at some hundred bytes of stack each; threads have 512 KB and more.
    static const intptr_t mostStack = 128 << 10;

    void checkDepth() {
        const intptr_t depth = start_ - reinterpret_cast<intptr_t>(__builtin_frame_address(0));
        if (depth > mostStack || depth < -mostStack) isTooDeep_ = true;
    }

    offile_off_t clamped(offile_off_t length) {
        const offile_off_t left = avail();
        return length < 0 ? 0 : length < left ? length : left;
    }

    const uint8_t *bytes_;
    uint64_t count_, position_;
    bool isTooDeep_;
    intptr_t start_;
};

class MemoryStream : public DcmInputStream {
public:
    MemoryStream(const uint8_t *bytes, uint64_t count) : DcmInputStream(&producer_), producer_(bytes, count) {}
    /// Elements are always loaded: the bytes are in memory already.
    DcmInputStreamFactory *newFactory() const override { return nullptr; }
    const MemoryProducer &producer() const { return producer_; }

private:
    MemoryProducer producer_;
};
#endif
