import Foundation
import Testing
import VitrineImage

@Suite struct DrawingFormatTests {
    private func drawing() -> Drawing {
        var drawing = Drawing(width: 100, height: 60, description: "A (test)")
        drawing.picture(generatedImage(width: 12, height: 8, channels: 3, seed: 3), 10, 10, 24, 16)
        drawing.picture(generatedImage(width: 5, height: 5, channels: 1, seed: 4), 50, 10, 20, 20)
        drawing.text("f(x) \\ caf\u{E9}", 50, 50, anchor: .middle, size: 9)
        drawing.line(0, 0, 8, 5, isDashed: true)
        drawing.dot(80, 40, radius: 3, .color(.red), isHollow: true)
        return drawing
    }

    /// Every offset of the table of objects points to that object, every stream has the length that it says.
    @Test func pdfIsWellFormed() throws {
        let bytes = try drawing().pdf()
        #expect(try drawing().pdf() == bytes, "equal figures give equal bytes")
        let text = String(decoding: bytes, as: Unicode.ASCII.self)
        let start = try #require(text.range(of: "startxref\n").flatMap { Int(text[$0.upperBound...].prefix { $0.isNumber }) })
        #expect(Array(bytes[start..<start + 4]) == Array("xref".utf8))
        let table = String(decoding: bytes[start...], as: UTF8.self).split(separator: "\n")
        let count = try #require(Int(table[1].split(separator: " ")[1]))
        for number in 1..<count {
            let offset = try #require(Int(table[2 + number].prefix(10)))
            let head = "\(number) 0 obj\n"
            #expect(Array(bytes[offset..<offset + head.utf8.count]) == Array(head.utf8))
        }
        let all = String(decoding: bytes, as: UTF8.self)
        #expect(all.contains("(f\\(x\\) \\\\ caf\\351) Tj") && all.contains("/Title (A \\(test\\))"))
        #expect(all.components(separatedBy: "/Subtype /Image").count == 3 && all.contains("/DeviceGray") && all.contains("/DeviceRGB"))
    }

    @Test func svgHoldsThePictures() throws {
        let svg = drawing().svg(isStandalone: true)
        let data = try generatedImage(width: 12, height: 8, channels: 3, seed: 3).pngData()
        #expect(svg.contains("data:image/png;base64," + Data(data).base64EncodedString()))
        #expect(svg.contains("font-size=\"9\""))
    }

    @Test func pixelsOfPicturesStayPixels() {
        let image = generatedImage(width: 12, height: 8, channels: 3, seed: 3)
        let drawn = drawing().image(scale: 2)
        #expect(drawn.width == 200 && drawn.height == 120)
        for (x, y) in [(0, 0), (11, 7), (5, 3)] {
            for dot in [0, 3] {
                let at = 3 * ((20 + 4 * y + dot) * 200 + 20 + 4 * x + dot)
                #expect(Array(drawn.pixels[at..<at + 3]) == Array(image.pixels[3 * (y * 12 + x)..<3 * (y * 12 + x) + 3]))
            }
        }
    }

    @Test func sheetsWrapAndKeepProportions() {
        let wide = generatedImage(width: 40, height: 20, channels: 3, seed: 3)
        let tiles = (0..<5).map { FigureSheet.Tile(name: "method \($0)", picture: wide, captions: ["score"], range: 0...1) }
        let one = FigureSheet(rows: [.init(heading: "row", tiles: tiles)]).drawing()
        let three = FigureSheet(rows: [.init(heading: "row", tiles: tiles)], columns: 2).drawing()
        #expect(three.width < one.width && three.height > 2.5 * one.height)
        #expect(one.height == 8 + 14 + 13 + 60 + 10 + 8, "edge, heading, name, a picture twice as wide as high, score, edge")
        #expect(FigureSheet(rows: []).drawing().width > 0)
    }
}
