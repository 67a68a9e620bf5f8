import Foundation
import VitrineImage

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// A folder of Pascal VOC files, one per image: boxes of whole pixels, counted from 1, both ends inside.
struct PascalVOC: AnnotationSource {
    let index: StemIndex
    let classes: [String]?

    func annotation(of image: String) throws(DataError) -> Annotation? {
        guard let path = index[image] else { return nil }
        let text = try readText(path, neededBy: "the annotations")
        let reader = Reader()
        let parser = XMLParser(data: Data(text.utf8))
        parser.shouldResolveExternalEntities = false
        parser.delegate = reader
        guard parser.parse(), parser.parserError == nil, reader.isClosed else {
            throw .malformed(file: path, place: "line \(parser.lineNumber)", reason: "is no well-formed XML")
        }
        var regions: [Annotation.Region] = []
        for object in reader.objects where classes.map({ $0.contains(object.name) }) ?? true {
            var edges: [Double] = []
            for key in ["xmin", "ymin", "xmax", "ymax"] {
                guard let text = object.edges[key], let value = Double(text), value.isFinite else {
                    throw .malformed(
                        file: path, place: "line \(object.line)",
                        reason: "object '\(object.name)': \(key) is \(object.edges[key].map { "'\($0)'" } ?? "missing"), a number is needed"
                    )
                }
                edges.append(value)
            }
            guard edges[0] <= edges[2], edges[1] <= edges[3] else {
                throw .malformed(file: path, place: "line \(object.line)", reason: "object '\(object.name)': its box ends before it begins")
            }
            regions.append(.box(BoundingBox(left: edges[0] - 1, top: edges[1] - 1, right: edges[2], bottom: edges[3])))
        }
        return Annotation(regions, drawnOn: reader.size)
    }

    /// Collects `annotation/object/{name,bndbox/*}` and `annotation/size`.
    private final class Reader: NSObject, XMLParserDelegate {
        struct Object {
            var name = ""
            var edges: [String: String] = [:]
            var line = 0
        }
        var objects: [Object] = []
        /// Every element was closed by its own tag: the parser lets some files through that end or close elements wrongly.
        var isClosed: Bool { path.isEmpty && !hasMismatch }
        private var hasMismatch = false
        private var path: [String] = []
        private var text = ""
        private var width: Int?
        private var height: Int?

        var size: [Int]? { width.flatMap { w in height.flatMap { w > 0 && $0 > 0 ? [w, $0] : nil } } }

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String] = [:]
        ) {
            path.append(name)
            text = ""
            if path == ["annotation", "object"] { objects.append(Object(line: parser.lineNumber)) }
        }

        func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

        func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
            guard path.last == name else {
                hasMismatch = true
                return
            }
            let value = text.trimmingCharacters(in: .whitespacesAndNewlines)
            switch path {
            case ["annotation", "size", "width"]: width = Int(value)
            case ["annotation", "size", "height"]: height = Int(value)
            case ["annotation", "object", "name"]: objects[objects.count - 1].name = value
            case ["annotation", "object", "bndbox", name]: objects[objects.count - 1].edges[name] = value
            default: break
            }
            path.removeLast()
            text = ""
        }
    }
}

extension AnnotationFormat {
    /// Pascal VOC.
    static let pascalVOC = AnnotationFormat(
        name: "voc", summary: "folder of Pascal VOC XML files: boxes of whole pixels, counted from 1, both ends inside",
        citation: "Everingham et al. 2010, The Pascal Visual Object Classes (VOC) Challenge, https://doi.org/10.1007/s11263-009-0275-4"
    ) { (path, _, classes) throws(DataError) in
        PascalVOC(index: try StemIndex(folder: path, extensions: ["xml"], neededBy: "the annotations"), classes: classes)
    }
}
