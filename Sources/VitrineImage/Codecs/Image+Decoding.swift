extension Image {
    /// Reads an image file; the format is told by its first bytes, not by its extension.
    ///
    /// Grey files give 1 channel, all others 3 (`converted(toChannels:)` changes that). As Pillow's `convert("RGB")` does it,
    /// alpha is dropped, not composited; TIFF pages are turned as their Orientation says, and EXIF in other formats is not applied
    /// (`ImageFile.orientation` tells it). 16-bit samples: see `ImageFile.notes` for those that do not use their range.
    ///
    /// - Throws: `ImageError`, before large allocations where the header already shows that the file is unusable.
    public init(contentsOf path: String, limits: ImageLimits = .default) throws(ImageError) {
        try self.init(encoded: wholeFile(path, limits: limits), source: path, limits: limits)
    }

    /// Decodes an image that is already in memory; `source` names it in errors.
    public init(encoded bytes: [UInt8], source: String = "image in memory", limits: ImageLimits = .default) throws(ImageError) {
        let (_, raster) = try Raster.decoded(bytes, ImageCodec.Request(source: source, limits: limits))
        self = try raster.picture(source: source).image
    }
}
