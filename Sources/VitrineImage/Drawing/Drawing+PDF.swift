import Foundation

extension Drawing {
    /// The figure as a PDF of one page: words as text in Helvetica, pictures at their own resolution, no date, so that equal figures give
    /// equal bytes.
    ///
    /// Characters beyond Latin-1 are shown as `?`, since the standard fonts have no others; an SVG has them all.
    ///
    /// - Throws: `ImageError` when a picture cannot be encoded.
    public func pdf() throws(ImageError) -> [UInt8] {
        var file = PDFFile()
        var content = ""
        var pictures: [Int] = []
        func y(_ value: Double) -> Double { height - value }
        for shape in shapes {
            switch shape {
            case .line(let x1, let y1, let x2, let y2, let paint, let width, let isDashed):
                content +=
                    "\(color(paint, "RG"))\(n(width)) w \(isDashed ? "[4 3] 0 d" : "[] 0 d") \(n(x1)) \(n(y(y1))) m \(n(x2)) \(n(y(y2))) l S\n"
            case .rectangle(let x, let top, let width, let height, let paint):
                content += "\(color(paint, "rg"))\(n(x)) \(n(y(top + height))) \(n(width)) \(n(height)) re f\n"
            case .dot(let x, let middle, let radius, let paint, let isHollow):
                content += color(paint, isHollow ? "RG" : "rg") + (isHollow ? "1.5 w [] 0 d " : "") + circle(x, y(middle), radius)
                content += isHollow ? "S\n" : "f\n"
            case .text(let text, let x, let base, let anchor, let paint, let size):
                let shown = text.printable
                let length = Helvetica.width(shown, size: size)
                let left = x - (anchor == .start ? 0 : anchor == .middle ? length / 2 : length)
                content += "\(color(paint, "rg"))BT /F1 \(n(size)) Tf \(n(left)) \(n(y(base))) Td (\(Self.latin(shown))) Tj ET\n"
            case .picture(let image, let x, let top, let width, let height):
                content += "q \(n(width)) 0 0 \(n(height)) \(n(x)) \(n(y(top + height))) cm /P\(pictures.count) Do Q\n"
                pictures.append(try file.add(image))
            }
        }
        return file.finished(width: width, height: height, content: content, pictures: pictures, title: Self.latin(description.printable))
    }

    private func n(_ value: Double) -> String {
        let text = String(format: "%.3f", value)
        return text.hasSuffix(".000") ? String(text.dropLast(4)) : text
    }

    private func color(_ paint: Paint, _ operation: String) -> String {
        switch paint {
        case .color(let c): "\(n(Double(c.red) / 255)) \(n(Double(c.green) / 255)) \(n(Double(c.blue) / 255)) \(operation) "
        case .ink(let opacity): "\(n(1 - opacity)) \(n(1 - opacity)) \(n(1 - opacity)) \(operation) "
        }
    }

    /// Four Bezier curves; their handles lie at 4/3 (sqrt 2 - 1) of the radius.
    private func circle(_ x: Double, _ y: Double, _ r: Double) -> String {
        let k = 0.5523 * r
        let curves = [
            (x + r, y + k, x + k, y + r, x, y + r), (x - k, y + r, x - r, y + k, x - r, y), (x - r, y - k, x - k, y - r, x, y - r),
            (x + k, y - r, x + r, y - k, x + r, y),
        ]
        return "\(n(x + r)) \(n(y)) m "
            + curves.map { "\(n($0.0)) \(n($0.1)) \(n($0.2)) \(n($0.3)) \(n($0.4)) \(n($0.5)) c " }.joined()
    }

    /// A PDF string in WinAnsi: Latin-1 as octal codes, brackets and backslashes escaped.
    private static func latin(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar.value {
            case 0x28, 0x29, 0x5C: "\\" + String(scalar)
            case 32..<127: String(scalar)
            case 160..<256: "\\" + String(scalar.value, radix: 8)
            case 9, 10: " "
            default: "?"
            }
        }.joined()
    }
}

/// The objects of a PDF of one page.
private struct PDFFile {
    /// From object 5 on: catalogue, pages, page and font come first.
    private var objects: [[UInt8]] = []

    /// The number of an image object. The compressed rows of a PNG are what PDF's Flate filter with a PNG predictor reads: nothing is
    /// encoded again.
    mutating func add(_ image: Image) throws(ImageError) -> Int {
        let data = Self.compressedRows(try image.pngData())
        let head =
            "<< /Type /XObject /Subtype /Image /Width \(image.width) /Height \(image.height) /BitsPerComponent 8 "
            + "/ColorSpace /\(image.channels == 1 ? "DeviceGray" : "DeviceRGB") /Filter /FlateDecode "
            + "/DecodeParms << /Predictor 15 /Colors \(image.channels) /BitsPerComponent 8 /Columns \(image.width) >> /Length \(data.count) >>"
        objects.append(Array("\(head)\nstream\n".utf8) + data + Array("\nendstream".utf8))
        return 4 + objects.count
    }

    /// The data of all IDAT chunks.
    private static func compressedRows(_ png: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var at = 8
        while at + 12 <= png.count {
            let length = png[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
            if Array(png[at + 4..<at + 8]) == Array("IDAT".utf8) { out += png[at + 8..<at + 8 + length] }
            at += 12 + length
        }
        return out
    }

    func finished(width: Double, height: Double, content: String, pictures: [Int], title: String) -> [UInt8] {
        let names = pictures.enumerated().map { "/P\($0.offset) \($0.element) 0 R" }.joined(separator: " ")
        let contentNumber = 5 + objects.count
        let body = Array(content.utf8)
        let all: [[UInt8]] =
            [
                "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 \(width) \(height)] /Contents \(contentNumber) 0 R "
                    + "/Resources << /Font << /F1 4 0 R >> /XObject << \(names) >> >> >>",
                "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
            ].map { Array($0.utf8) } + objects
            + [
                Array("<< /Length \(body.count) >>\nstream\n".utf8) + body + Array("\nendstream".utf8),
                Array("<< /Title (\(title)) /Producer (Vitrine) >>".utf8),
            ]
        var out = Array("%PDF-1.4\n%\u{E2}\u{E3}\n".utf8)
        var offsets: [Int] = []
        for (i, object) in all.enumerated() {
            offsets.append(out.count)
            out += Array("\(i + 1) 0 obj\n".utf8) + object + Array("\nendobj\n".utf8)
        }
        let start = out.count
        let rows = offsets.map { String(format: "%010d 00000 n \n", $0) }.joined()
        out += Array("xref\n0 \(all.count + 1)\n0000000000 65535 f \n\(rows)".utf8)
        out += Array("trailer\n<< /Size \(all.count + 1) /Root 1 0 R /Info \(all.count) 0 R >>\nstartxref\n\(start)\n%%EOF\n".utf8)
        return out
    }
}
