extension Image {
    /// The image as grey (1) or RGB (3).
    ///
    /// RGB becomes grey by Pillow's integer luma, `(19595 R + 38470 G + 7471 B + 32768) >> 16` (ITU-R 601); grey becomes RGB
    /// by repetition.
    public func converted(toChannels wanted: Int) -> Image {
        precondition(wanted == 1 || wanted == 3, "an image has 1 or 3 channels")
        if wanted == channels { return self }
        var out = [UInt8](repeating: 0, count: width * height * wanted)
        if wanted == 3 {
            for i in 0..<width * height {
                let value = pixels[i]
                out[3 * i] = value
                out[3 * i + 1] = value
                out[3 * i + 2] = value
            }
        } else {
            for i in 0..<width * height {
                let red = UInt32(pixels[3 * i]) * 19595
                let green = UInt32(pixels[3 * i + 1]) * 38470
                let blue = UInt32(pixels[3 * i + 2]) * 7471
                out[i] = UInt8((red + green + blue + 0x8000) >> 16)
            }
        }
        return Image(width: width, height: height, channels: wanted, pixels: out)
    }
}
