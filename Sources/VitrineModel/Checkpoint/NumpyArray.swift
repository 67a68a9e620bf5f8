import VitrineTensor

/// One array of NumPy's own format (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html), as a file of one tensor.
enum NumpyArray {
    static let magic: [UInt8] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
    /// What the only tensor is called.
    static let name = "array"

    /// - Throws: `CheckpointError.numpy`.
    static func read(_ file: MappedFile) throws(CheckpointError) -> CheckpointFile {
        func fault(_ reason: String) -> CheckpointError { .numpy(path: file.path, reason: reason) }
        let start = file.count > 8 && file.bytes(6..<7)[0] == 1 ? 10 : 12
        guard file.count >= start else { throw fault("its header is cut off") }
        let length = file.bytes(8..<start).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= 1 << 16, start + length <= file.count else { throw fault("its header is cut off") }
        let header = String(decoding: file.bytes(start..<start + length), as: UTF8.self)
        func value(_ key: String) -> Substring? {
            header.firstRange(of: "'\(key)':").map { header[$0.upperBound...].drop { $0 == " " } }
        }
        let types: [String: ElementType] = ["f2": .float16, "f4": .float32, "f8": .float64]
        guard let type = value("descr")?.dropFirst().prefix(3), let element = types[String(type.dropFirst())], type.first == "<" else {
            throw fault("holds other than floats in the usual byte order; use array.astype('float32') before saving")
        }
        guard value("fortran_order")?.hasPrefix("False") == true else {
            throw fault("is in Fortran's order; save numpy.ascontiguousarray of it")
        }
        guard let shape = value("shape"), shape.first == "(", let end = shape.firstIndex(of: ")") else {
            throw fault("its header has no shape")
        }
        let words = shape[shape.index(after: shape.startIndex)..<end].split(separator: ",").map { $0.filter { $0 != " " } }.filter {
            !$0.isEmpty
        }
        let sizes = words.compactMap { Int($0) }
        guard sizes.count == words.count, sizes.allSatisfy({ (0...1 << 24).contains($0) }), sizes.count <= 4 else {
            throw fault("its header has no plausible shape")
        }
        let bytes = file.count - start - length
        guard sizes.reduce(element.byteCount, { $0.multipliedReportingOverflow(by: $1).partialValue }) == bytes else {
            throw fault("shape \(sizes) does not fit \(bytes) bytes of data; copy or save it again")
        }
        let entry = TensorEntry(name: name, type: element, shape: sizes, byteOffset: start + length, file: file)
        return try CheckpointFile(file: file, format: .numpyArray, groups: [TensorGroup(path: [], entries: [(name, entry)])])
    }
}
