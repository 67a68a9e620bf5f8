import VitrineImage

/// Where the network's view lies in the stored image, so that a map can be drawn on the image as the reader knows it.
public struct ViewFrame: Sendable, Equatable {
    /// Pixels of the view per pixel of the stored image.
    public private(set) var scale: (x: Double, y: Double) = (1, 1)
    /// The stored image's top left corner in pixels of the view; negative where the view is a crop.
    public private(set) var origin: (x: Double, y: Double) = (0, 0)

    /// The place in the view of a place in the stored image; both count pixels from the top left corner, a pixel's centre at one half.
    public func viewPlace(x: Double, y: Double) -> (x: Double, y: Double) { (x * scale.x + origin.x, y * scale.y + origin.y) }

    public static func == (a: ViewFrame, b: ViewFrame) -> Bool { a.scale == b.scale && a.origin == b.origin }

    fileprivate mutating func take(_ step: PreprocessGeometry.Step, width: inout Int, height: inout Int) {
        switch step {
        case .resize(let newWidth, let newHeight):
            let (x, y) = (Double(newWidth) / Double(width), Double(newHeight) / Double(height))
            scale = (scale.x * x, scale.y * y)
            origin = (origin.x * x, origin.y * y)
            (width, height) = (newWidth, newHeight)
        case .centerCrop(let newWidth, let newHeight):
            origin.x += Self.shift(from: width, to: newWidth)
            origin.y += Self.shift(from: height, to: newHeight)
            (width, height) = (newWidth, newHeight)
        }
    }

    /// As the crop itself rounds: half the difference, a half to the even neighbour; a padding to the floor.
    private static func shift(from old: Int, to new: Int) -> Double {
        new > old ? Double((new - old) / 2) : -(Double(old - new) / 2).rounded(.toNearestOrEven)
    }
}

extension Preprocess {
    /// The view of an image of this size as stored.
    public func viewFrame(width: Int, height: Int) -> ViewFrame {
        var frame = ViewFrame()
        var (width, height) = (width, height)
        for step in geometry.steps(width: width, height: height, sizes: sizes) { frame.take(step, width: &width, height: &height) }
        return frame
    }
}
