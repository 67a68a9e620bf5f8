extension Image {
    /// A picture of a preprocessed array, to draw maps over when the file itself is not at hand.
    ///
    /// - Parameter planes: `channels x height x width` values, 1 or 3 channels; their range is stretched to 0...255, so
    ///   the colours of a normalised image are only approximate. Values that are not finite are black.
    public static func preview(planes: [Float], channels: Int, width: Int, height: Int) -> Image {
        precondition(planes.count == channels * width * height, "planes must hold channels x height x width values")
        var out = Image(width: width, height: height, channels: channels)
        let finite = planes.filter(\.isFinite)
        guard let low = finite.min(), let high = finite.max(), high > low else { return out }
        // In Double: the difference of two large floats may overflow.
        let scale = 255 / (Double(high) - Double(low))
        for c in 0..<channels {
            for i in 0..<width * height {
                let value = planes[c * width * height + i]
                out.pixels[i * channels + c] = value.isFinite ? UInt8(((Double(value) - Double(low)) * scale).rounded()) : 0
            }
        }
        return out
    }
}
