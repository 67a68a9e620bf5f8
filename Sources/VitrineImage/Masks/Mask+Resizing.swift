extension Mask {
    /// The mask at another size, each pixel taken from where Pillow's nearest-neighbour resize takes it.
    public func resized(width newWidth: Int, height newHeight: Int) -> Mask {
        precondition(newWidth > 0 && newHeight > 0 && width > 0 && height > 0, "sizes of masks to resize must be positive")
        if newWidth == width && newHeight == height { return self }
        var out = [Bool](repeating: false, count: newWidth * newHeight)
        let columns = nearestPositions(from: width, to: newWidth)
        let rows = nearestPositions(from: height, to: newHeight)
        for (y, row) in rows.enumerated() where row >= 0 {
            for (x, column) in columns.enumerated() where column >= 0 { out[y * newWidth + x] = bits[row * width + column] }
        }
        return Mask(width: newWidth, height: newHeight, bits: out)
    }

    /// The mask with its shorter side brought to `side`: the geometry of `Image.resizedShorterSide`.
    public func resizedShorterSide(to side: Int) -> Mask {
        let size = sizeWithShorterSide(side, width: width, height: height)
        return resized(width: size.width, height: size.height)
    }

    /// The centre of the mask, padded with "not lesion": the geometry of `Image.centerCropped`.
    public func centerCropped(width newWidth: Int, height newHeight: Int) -> Mask {
        precondition(newWidth > 0 && newHeight > 0, "sizes of crops must be positive")
        var out = Mask(width: newWidth, height: newHeight, bits: [Bool](repeating: false, count: newWidth * newHeight))
        let columns = CenterCrop(from: width, to: newWidth)
        let rows = CenterCrop(from: height, to: newHeight)
        for y in 0..<rows.count {
            for x in 0..<columns.count {
                out[row: rows.target + y, column: columns.target + x] = self[row: rows.source + y, column: columns.source + x]
            }
        }
        return out
    }
}
