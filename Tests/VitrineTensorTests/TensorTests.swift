import Foundation
import Testing
import VitrineTensor

@Suite struct TensorTests {
    @Test func copiesAreIndependent() {
        let a = Tensor([2, 3], [1, 2, 3, 4, 5, 6])
        var b = a
        scale(&b, by: 10)
        #expect(a.values == [1, 2, 3, 4, 5, 6])
        #expect(b.values == [10, 20, 30, 40, 50, 60])
    }

    @Test func viewsReadTheSameMemoryAndWriteTheirOwn() {
        var whole = Tensor([3, 2, 2], (0..<12).map(Float.init))
        var slice = whole[1]
        let range = whole[1..<3]
        #expect(slice.shape == [2, 2] && slice.values == [4, 5, 6, 7])
        #expect(range.shape == [2, 2, 2] && range.values == [4, 5, 6, 7, 8, 9, 10, 11])
        #expect(whole.reshaped([4, 3])[at: 3, 2] == 11)
        slice.fill(-1)
        #expect(whole.values == (0..<12).map(Float.init))
        whole.fill(0)
        #expect(slice.values == [-1, -1, -1, -1])
        #expect(range.values == [4, 5, 6, 7, 8, 9, 10, 11])
    }

    /// The output may be named as an input: the input's values are read before they change.
    @Test func outputThatWasAnInput() {
        var y = Tensor([3], [1, 2, 3])
        add(y, y, into: &y)
        #expect(y.values == [2, 4, 6])
        var whole = Tensor([2, 2], [1, 2, 3, 4])
        whole.replace(from: 2, with: whole[0])
        #expect(whole.values == [1, 2, 1, 2])
        var c = Tensor([2, 2], [0, 1, 1, 0])
        multiply(c.matrix, c.matrix, into: &c)
        #expect(c.values == [1, 0, 0, 1])
    }

    @Test func mutationThroughASpan() {
        var a = Tensor([4])
        let before = a
        a.withMutableSpan { span in for i in span.indices { span[i] = Float(i) } }
        #expect(a.values == [0, 1, 2, 3] && before.values == [0, 0, 0, 0])
        #expect(a.withSpan { $0.count } == 4)
    }

    @Test func mappedFilesAreNeverWritten() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "vitrine-tensor-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        let values: [Float] = [9, 1, 2, 3, 4, 5, 6]
        let bytes = values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
        try Data(bytes).write(to: file)
        let mapped = try MappedFile(path: file.path)
        var tensor = mapped.tensor(byteOffset: 4, shape: [2, 3])
        let view = tensor[1]
        #expect(tensor.values == [1, 2, 3, 4, 5, 6])
        scale(&tensor, by: 2)
        #expect(tensor.values == [2, 4, 6, 8, 10, 12])
        #expect(view.values == [4, 5, 6])
        #expect(try Data(contentsOf: file) == Data(bytes))
        #expect(mapped.bytes(0..<4) == Array(bytes[0..<4]))
    }

    @Test func filesThatCannotBeMapped() throws {
        let folder = FileManager.default.temporaryDirectory
        let empty = folder.appending(path: "vitrine-empty-\(UUID().uuidString)")
        try Data().write(to: empty)
        defer { try? FileManager.default.removeItem(at: empty) }
        #expect(throws: MappedFile.Failure.empty(path: empty.path)) { try MappedFile(path: empty.path) }
        #expect(throws: MappedFile.Failure.notARegularFile(path: folder.path)) { try MappedFile(path: folder.path) }
        let absent = folder.path + "/no-such-file"
        let failure = #expect(throws: MappedFile.Failure.self) { try MappedFile(path: absent) }
        #expect("\(failure!)".hasPrefix("\(absent): cannot be read (No such file"))
    }

    @Test func impossibleShapesTrap() async {
        await #expect(processExitsWith: .failure) { _ = Tensor([2, 2]).reshaped([5]) }
        await #expect(processExitsWith: .failure) { _ = Tensor([2, 2])[2] }
        await #expect(processExitsWith: .failure) { _ = Tensor([2], [1, 2, 3]) }
        await #expect(processExitsWith: .failure) { _ = Shape([1, -1]) }
    }
}

@Suite struct ShapeTests {
    @Test func countsAndExtents() {
        let shape: Shape = [2, 3, 4]
        #expect(shape.rank == 3 && shape.count == 24 && shape.last == 4 && shape[1] == 3)
        #expect(shape.dimensions == [2, 3, 4] && "\(shape)" == "[2, 3, 4]")
        let scalar = Shape([Int]())
        #expect(scalar.count == 1 && scalar.last == 1 && scalar.rank == 0)
        #expect(Shape([3, 0]).count == 0)
    }

    @Test func equality() {
        #expect(Shape([2, 3]) == Shape([2, 3]))
        #expect(Shape([2, 3]) != Shape([3, 2]))
        // Trailing ones count: [2] and [2, 1] are different shapes.
        #expect(Shape([2]) != Shape([2, 1]))
        #expect(Set<Shape>([[2, 3], [2, 3], [2, 3, 1]]).count == 2)
    }
}
