/// An 8-bit raster image, grey or RGB, rows from top to bottom, channels interleaved.
///
/// Images are what codecs return and what the Pillow-exact resize works on; networks see tensors made from them by a
/// preprocessing of `VitrineData`.
public struct Image: Sendable, Equatable {
    public let width: Int
    public let height: Int
    /// 1 (grey) or 3 (RGB).
    public let channels: Int
    /// `height * width * channels` bytes; the byte of (row y, column x, channel c) stands at `(y * width + x) * channels + c`.
    public var pixels: [UInt8]

    public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
        precondition(channels == 1 || channels == 3, "an image has 1 or 3 channels")
        precondition(pixels.count == width * height * channels, "pixels must hold height x width x channels bytes")
        self.width = width
        self.height = height
        self.channels = channels
        self.pixels = pixels
    }

    public init(width: Int, height: Int, channels: Int) {
        self.init(
            width: width, height: height, channels: channels,
            pixels: [UInt8](repeating: 0, count: width * height * channels))
    }
}
