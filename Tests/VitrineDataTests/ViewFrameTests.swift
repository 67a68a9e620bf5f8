import Testing
import VitrineData
import VitrineImage

@Suite struct ViewFrameTests {
    /// A mask of one pixel goes where the frame says, to the nearest pixel that sampling allows.
    @Test(arguments: [
        ("center-crop:20", 31, 26, 0.0), ("center-crop:20", 10, 14, 0.0), ("none", 31, 26, 0.0), ("resize:62", 31, 31, 1.0),
        ("resize-shorter-crop:40,30", 20, 33, 1.0), ("resize-shorter-crop:40,50", 20, 20, 1.0),
    ])
    func placesAgreeWithTheGeometry(_ text: String, _ width: Int, _ height: Int, _ tolerance: Double) throws {
        let preprocess = try Preprocess(parsing: text)
        let frame = preprocess.viewFrame(width: width, height: height)
        var seen = 0
        for y in stride(from: 0, to: height, by: 3) {
            for x in stride(from: 0, to: width, by: 3) {
                let view = try preprocess.apply(to: PixelRectangle(top: y, left: x, width: 1, height: 1).mask(width: width, height: height))
                guard let found = view.boundingRectangle else { continue }
                let place = frame.viewPlace(x: Double(x) + 0.5, y: Double(y) + 0.5)
                let centre = (x: Double(found.left) + Double(found.width) / 2, y: Double(found.top) + Double(found.height) / 2)
                #expect(abs(place.x - centre.x) <= tolerance && abs(place.y - centre.y) <= tolerance, "\(x) \(y): \(place) \(centre)")
                seen += 1
            }
        }
        #expect(seen > 10)
    }
}
