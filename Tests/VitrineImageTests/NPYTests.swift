import Foundation
import Testing
import VitrineImage

@Suite struct NPYTests {
    @Test(arguments: ImageFixtures.expected.npy.keys.sorted())
    func matchesNumPy(name: String) throws {
        let expected = try #require(ImageFixtures.expected.npy[name])
        let array = try NPY.read(ImageFixtures.path(name))
        #expect(array.shape == expected.shape)
        // NumPy's own conversion to Float32 wrote the expectation, with enough digits to be exact.
        #expect(array.values == expected.values)
    }

    @Test(arguments: ["structured.npy", "complex.npy", "objects.npy"])
    func otherTypesAreRefused(name: String) {
        #expect {
            try NPY.read(ImageFixtures.path(name))
        } throws: { error in
            guard case NPYError.unsupportedType? = error as? NPYError else { return false }
            return true
        }
    }

    @Test(arguments: [[6], [2, 3], [1, 2, 3], [0, 4], []])
    func roundTrip(shape: [Int]) throws {
        let values = (0..<shape.reduce(1, *)).map { Float($0) / 3 - 1 }
        let bytes = NPY.encoded(values, shape: shape)
        let header = 10 + Int(bytes[8]) + Int(bytes[9]) << 8
        #expect(header % 64 == 0)
        #expect(try NPY.read(encoded: bytes) == NPYArray(shape: shape, values: values))
    }

    @Test func writtenFileHoldsTheHeaderNumPyExpects() {
        let bytes = NPY.encoded([1], shape: [1, 1])
        let header = String(decoding: bytes[10..<bytes.count - 4], as: UTF8.self)
        #expect(header.hasPrefix("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), }"))
        #expect(header.hasSuffix("\n"))
        #expect(Array(bytes.suffix(4)) == [0, 0, 0x80, 0x3F])
    }

    @Test func everyTruncationIsRefused() throws {
        for name in ["fortran3.npy", "bool.npy", "version2.npy"] {
            let bytes = try ImageFixtures.bytes(name)
            for n in 0..<bytes.count {
                #expect(throws: NPYError.self, "\(name) cut at \(n)") { try NPY.read(encoded: Array(bytes.prefix(n))) }
            }
            #expect(throws: NPYError.self) { try NPY.read(encoded: bytes + [0]) }
        }
    }

    @Test(arguments: [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'shape': (1,), }",
        "{'descr': '<f4', 'fortran_order': 1, 'shape': (1,), }", "{'descr': '<f4', 'shape': (1,), }", "{'descr': '<f4'",
        "{'descr': __import__('os'), 'fortran_order': False, 'shape': (1,), }", "[]", "", "{'descr",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,,), }",
    ])
    func hostileHeadersAreRefused(header: String) {
        let bytes: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8) + [0, 0, 0, 0]
        #expect(throws: NPYError.self) { try NPY.read(encoded: bytes) }
    }
}
