/// A folder of Pascal VOC files, one per image: boxes of whole pixels, counted from 1, both ends inside.
struct PascalVOC: AnnotationSource {
    let files: AnnotationFiles
    let classes: [String]?
    var names: [String] { files.names }

    func annotation(at position: Int) throws(DataError) -> Annotation {
        let path = files.path(position)
        var reader = Reader()
        let bytes = Array(try readText(path, neededBy: "the annotations").utf8)
        do throws(XMLScanner.Fault) { try XMLScanner.scan(bytes) { reader.take($0) } } catch {
            throw .malformed(file: path, place: "line \(error.line)", reason: "is no well-formed XML (\(error.reason))")
        }
        guard reader.root == "annotation" else {
            throw .malformed(
                file: path, place: "whole file",
                reason: "is a '\(reader.root.prefix(40))', not the 'annotation' of Pascal VOC; download or export it again")
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
    private struct Reader {
        struct Object {
            var name = ""
            var edges: [String: String] = [:]
            var line = 0
        }
        var root = ""
        var objects: [Object] = []
        private var path: [String] = []
        private var text = ""
        private var width: Int?
        private var height: Int?

        var size: [Int]? { width.flatMap { w in height.flatMap { w > 0 && $0 > 0 ? [w, $0] : nil } } }

        mutating func take(_ event: XMLScanner.Event) {
            switch event {
            case .start(let name, let line):
                if path.isEmpty { root = name }
                path.append(name)
                text = ""
                if path == ["annotation", "object"] { objects.append(Object(line: line)) }
            case .text(let more): text += more
            case .end(let name):
                let value = text.trimmingPrefix(while: \.isWhitespace)
                let trimmed = String(value.reversed().trimmingPrefix(while: \.isWhitespace).reversed())
                switch path {
                case ["annotation", "size", "width"]: width = Int(trimmed)
                case ["annotation", "size", "height"]: height = Int(trimmed)
                case ["annotation", "object", "name"]: objects[objects.count - 1].name = trimmed
                case ["annotation", "object", "bndbox", name]: objects[objects.count - 1].edges[name] = trimmed
                default: break
                }
                path.removeLast()
                text = ""
            }
        }
    }
}

extension AnnotationFormat {
    /// Pascal VOC.
    static let pascalVOC = AnnotationFormat(
        name: "voc", summary: "folder of Pascal VOC XML files: boxes of whole pixels, counted from 1, both ends inside",
        citation: "Everingham et al. 2010, The Pascal Visual Object Classes (VOC) Challenge, https://doi.org/10.1007/s11263-009-0275-4"
    ) { (path, _, classes) throws(DataError) in
        PascalVOC(files: try AnnotationFiles(folder: path, ending: "xml"), classes: classes)
    }
}
