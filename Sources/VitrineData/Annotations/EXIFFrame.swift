import VitrineImage

/// The picture that an annotation was drawn on, where an image carries an EXIF orientation.
public enum EXIFFrame: String, Sendable, Equatable, CaseIterable {
    /// The pixels as they are stored, which networks see: what Pillow's `Image.open` shows.
    case stored
    /// The picture as EXIF turns it: what viewers, browsers and LabelMe show.
    case turned
}

/// How an image is turned before it is shown, and how a mask drawn on the turned picture comes back to the stored pixels.
struct EXIFTurn {
    /// 1 to 8, as EXIF counts.
    let orientation: Int
    let storedSize: [Int]

    init(orientation: Int, width: Int, height: Int) {
        self.orientation = orientation
        storedSize = [width, height]
    }

    /// Width and height of the picture as shown.
    var turnedSize: [Int] { orientation >= 5 ? storedSize.reversed() : storedSize }

    /// The frame that an annotation was drawn in: by its size where that decides, else by what is said.
    ///
    /// - Throws: `DataError.unknownFrame` where neither does.
    func frame(drawnOn: [Int]?, said: EXIFFrame?, source: String) throws(DataError) -> EXIFFrame {
        if orientation == 1 { return .stored }
        if let drawnOn, storedSize != turnedSize {
            if drawnOn == storedSize { return .stored }
            if drawnOn == turnedSize { return .turned }
        }
        guard let said else { throw .unknownFrame(source: source, orientation: orientation) }
        return said
    }

    /// A mask of the turned picture as a mask of the stored one.
    func back(_ turned: Mask) -> Mask {
        let (w, h) = (storedSize[0], storedSize[1])
        var stored = Mask(width: w, height: h, bits: [Bool](repeating: false, count: w * h))
        for y in 0..<h {
            for x in 0..<w {
                // Where pixel (x, y) is shown.
                let (u, v) =
                    switch orientation {
                    case 2: (w - 1 - x, y)
                    case 3: (w - 1 - x, h - 1 - y)
                    case 4: (x, h - 1 - y)
                    case 5: (y, x)
                    case 6: (h - 1 - y, x)
                    case 7: (h - 1 - y, w - 1 - x)
                    case 8: (y, w - 1 - x)
                    default: (x, y)
                    }
                if turned[row: v, column: u] { stored[row: y, column: x] = true }
            }
        }
        return stored
    }
}
