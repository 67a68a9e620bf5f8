extension Image {
    /// The centre of the image, padded with zeros where it is smaller, as torchvision's `center_crop` cuts it.
    ///
    /// Offsets are half the difference, rounded half to even; an odd padding puts the extra row or column at the bottom or right.
    public func centerCropped(width newWidth: Int, height newHeight: Int) -> Image {
        precondition(newWidth > 0 && newHeight > 0, "sizes of crops must be positive")
        var out = Image(width: newWidth, height: newHeight, channels: channels)
        let columns = CenterCrop(from: width, to: newWidth)
        let rows = CenterCrop(from: height, to: newHeight)
        for y in 0..<rows.count {
            let source = ((rows.source + y) * width + columns.source) * channels
            let target = ((rows.target + y) * newWidth + columns.target) * channels
            let n = columns.count * channels
            out.pixels.replaceSubrange(target..<target + n, with: pixels[source..<source + n])
        }
        return out
    }
}

/// One axis of a centre crop: which run of the input lands where in the output.
struct CenterCrop {
    let source: Int
    let target: Int
    let count: Int

    init(from old: Int, to new: Int) {
        if new > old {
            (source, target, count) = (0, (new - old) / 2, old)
        } else {
            // Python's round: a half goes to the even neighbour.
            (source, target, count) = (Int((Double(old - new) / 2).rounded(.toNearestOrEven)), 0, new)
        }
    }
}
