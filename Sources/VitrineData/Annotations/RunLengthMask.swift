import VitrineImage

/// A mask as COCO's run lengths: alternating counts of pixels outside and inside, column by column, beginning outside.
///
/// Format: https://github.com/cocodataset/cocoapi (`maskApi.h`).
public struct RunLengthMask: Sendable, Equatable {
    public let width: Int
    public let height: Int
    /// Lengths of the runs; they add up to `width * height`.
    public let counts: [Int]

    /// - Throws: `DataError.malformed` with `file` and `place` when the runs do not fill the image exactly.
    init(width: Int, height: Int, counts: [Int], file: String, place: String) throws(DataError) {
        guard width > 0, height > 0, width <= ImageLimits.default.pixels / height else {
            throw .malformed(file: file, place: place, reason: "a mask of \(width) x \(height) pixels is not possible")
        }
        var sum = 0
        for count in counts {
            guard count >= 0, count <= width * height - sum else {
                throw .malformed(file: file, place: place, reason: "runs exceed \(width) x \(height) = \(width * height) pixels")
            }
            sum += count
        }
        guard sum == width * height else {
            throw .malformed(file: file, place: place, reason: "runs cover \(sum) of \(width) x \(height) = \(width * height) pixels")
        }
        self.width = width
        self.height = height
        self.counts = counts
    }

    /// Reads the compressed form: five bits per character from `0` on, lowest first, signed; from the third run on each is stored as the
    /// difference to the run before the previous one.
    init(width: Int, height: Int, compressed text: String, file: String, place: String) throws(DataError) {
        var counts: [Int] = []
        var bytes = text.utf8.makeIterator()
        while var byte = bytes.next() {
            var value = 0
            var shift = 0
            while true {
                guard (48..<112).contains(byte), shift < 60 else {
                    throw .malformed(file: file, place: place, reason: "compressed runs hold a character or a number that cannot be there")
                }
                let chunk = Int(byte) - 48
                value |= (chunk & 31) << shift
                shift += 5
                if chunk & 32 == 0 {
                    if chunk & 16 != 0 { value |= -1 << shift }
                    break
                }
                guard let next = bytes.next() else {
                    throw .malformed(file: file, place: place, reason: "compressed runs end in the middle of a number")
                }
                byte = next
            }
            if counts.count > 2 { value &+= counts[counts.count - 2] }
            counts.append(value)
        }
        try self.init(width: width, height: height, counts: counts, file: file, place: place)
    }

    /// The mask that the runs describe.
    public func mask() -> Mask {
        var mask = Mask(width: width, height: height, bits: [Bool](repeating: false, count: width * height))
        var position = 0
        for (i, count) in counts.enumerated() {
            if i % 2 == 1 {
                for p in position..<position + count { mask[row: p % height, column: p / height] = true }
            }
            position += count
        }
        return mask
    }
}
