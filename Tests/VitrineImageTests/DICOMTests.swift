import Foundation
import Testing

@testable import VitrineImage

/// What Scripts/fixtures/dicom.py wrote.
struct DICOMFixtures: Decodable {
    struct File: Decodable {
        let rows, columns, frames, samples, channels, tolerance: Int
        let patient: String
        let stored: [[Int]]
        let pictures: [[UInt8]]
    }
    let files: [String: File]

    static let folder = ImageFixtures.root.appendingPathComponent("Tests/Fixtures/dicom")
    static let shared = ImageFixtures.shared.appendingPathComponent("data/dicom")
    static let expected: DICOMFixtures = {
        do {
            return try JSONDecoder().decode(DICOMFixtures.self, from: Data(contentsOf: folder.appendingPathComponent("expected.json")))
        } catch { fatalError("Tests/Fixtures/dicom/expected.json: \(error); run Scripts/fixtures/dicom.py") }
    }()
    static let names = expected.files.keys.sorted()

    static func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
    static func bytes(_ name: String) throws -> [UInt8] { try [UInt8](Data(contentsOf: folder.appendingPathComponent(name))) }
}

@Suite struct DICOMTests {
    /// Every encoding: stored values and pictures are pydicom's.
    @Test(arguments: DICOMFixtures.names) func matchesPydicom(name: String) throws {
        let expected = try #require(DICOMFixtures.expected.files[name])
        let file = try DICOMFile(contentsOf: DICOMFixtures.path(name))
        #expect(file.header.rows == expected.rows && file.header.columns == expected.columns && file.header.frames == expected.frames)
        #expect(file.header.samplesPerPixel == expected.samples && file.header.patientID == expected.patient)
        for i in 0..<expected.frames {
            let frame = try file.frame(i)
            // Lossless encodings carry no tolerance; the script says what lossy ones have and why.
            let stored = (0..<frame.count).map { abs(frame[$0] - expected.stored[i][$0]) }
            #expect(stored.count == expected.stored[i].count && stored.max()! <= min(1, expected.tolerance), "frame \(i): \(stored.max()!)")
            let picture = try file.image(frame: i)
            let levels = zip(picture.pixels, expected.pictures[i]).map { abs(Int($0) - Int($1)) }
            #expect(picture.channels == expected.channels && picture.pixels.count == expected.pictures[i].count)
            #expect(levels.max()! <= expected.tolerance, "frame \(i): \(levels.max()!) at \(levels.firstIndex(of: levels.max()!)!)")
        }
        // The first frame is what everything else in the package reads.
        #expect(try Image(contentsOf: DICOMFixtures.path(name)) == file.image())
        #expect(throws: ImageError.self) { try file.frame(expected.frames) }
        #expect(throws: ImageError.self) { try file.frame(-1) }
    }

    @Test func spacing() throws {
        #expect(
            try DICOMFile(contentsOf: DICOMFixtures.path("window.dcm")).header.spacing == DICOMHeader.Spacing(rows: 0.5, columns: 0.75))
        // Of the functional groups, where the object itself has none.
        #expect(
            try DICOMFile(contentsOf: DICOMFixtures.path("frames.dcm")).header.spacing == DICOMHeader.Spacing(rows: 0.25, columns: 0.125))
    }

    /// Rescaled values need not be whole: a window of 2.5 units over a slope of 0.00012 still gives all grey levels.
    @Test func fractionalRescaling() throws {
        let file = try DICOMFile(contentsOf: DICOMFixtures.path("fractional-exact.dcm"))
        let frame = try file.frame()
        let scale = try file.greyScale(of: frame)
        for i in 0..<frame.count { #expect(scale.modalityValue(of: frame[i]) == Double(frame[i]) * 0.00012) }
        #expect(Set(try file.image().pixels).count > 60)
    }

    @Test func valuesAsNPY() throws {
        let file = try DICOMFile(contentsOf: DICOMFixtures.path("mono1-signed.dcm"))
        let array = try NPY.read(encoded: file.frame().npyData())
        #expect(array.shape == [9, 14])
        #expect(array.values.map { Int($0) } == DICOMFixtures.expected.files["mono1-signed.dcm"]!.stored[0])
    }

    /// A mask keeps what is not zero, whatever window the file declares, and a full one stays full.
    @Test func masks() throws {
        let file = try DICOMFile(contentsOf: DICOMFixtures.path("bits.dcm"))
        let frame = try file.frame()
        let mask = try Mask(contentsOf: DICOMFixtures.path("bits.dcm"))
        #expect(mask.bits == (0..<frame.count).map { frame[$0] == 1 })
        let grey = try DICOMFile(contentsOf: DICOMFixtures.path("grey8.dcm")).frame()
        #expect(grey.range.lowerBound > 0)
        #expect(try Mask(contentsOf: DICOMFixtures.path("grey8.dcm")).area == 1)
    }

    @Test func segmentsOfALookupTable() {
        // PS3.3 C.7.9.2: two values, a line of four to 50, both again.
        #expect(
            DICOMLookupTable.expanded([0, 2, 5, 10, 1, 4, 50, 2, 2, 0, 0], isWide: true)
                == [5, 10, 20, 30, 40, 50, 5, 10, 20, 30, 40, 50])
        #expect(DICOMLookupTable.expanded([0, 1, 7, 2, 1, 0, 0, 0, 0], isWide: false) == [7, 7])
        for broken: [UInt16] in [[1, 2, 9], [0, 4, 1], [3, 1, 1], [2, 1, 0, 0], [0, 1, 1, 1, 65535, 2, 1, 9, 9]] {
            #expect(DICOMLookupTable.expanded(broken, isWide: true) == nil, "\(broken)")
        }
    }

    @Test func recognisedByContent() throws {
        for name in DICOMFixtures.names { #expect(DICOMFile.recognises(try DICOMFixtures.bytes(name)), "\(name)") }
        for name in ImageFixtures.expected.files.keys { #expect(!DICOMFile.recognises(try ImageFixtures.bytes(name)), "\(name)") }
        #expect(!DICOMFile.recognises([]) && !DICOMFile.recognises([UInt8](repeating: 0, count: 200)))
        #expect(!DICOMFile.recognises(Array("image,label\na.png,1\n".utf8)))
    }

    @Test func framesFromManyThreads() async throws {
        let file = try DICOMFile(contentsOf: DICOMFixtures.path("jpeg-2000.dcm"))
        let whole = try (0..<2).map { try file.image(frame: $0) }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for i in 0..<64 { group.addTask { try file.image(frame: i % 2) == whole[i % 2] } }
            for try await isEqual in group { #expect(isEqual) }
        }
    }
}

/// Published DICOM files beside the package; skipped where they are absent.
@Suite(.enabled(if: FileManager.default.fileExists(atPath: DICOMFixtures.shared.path), "needs shared/data/dicom beside the package"))
struct RealDICOMTests {
    @Test func allDecode() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: DICOMFixtures.shared.path).filter { $0.hasSuffix(".dcm") }
        #expect(names.count == 20)
        for name in names {
            let file = try DICOMFile(contentsOf: DICOMFixtures.shared.appendingPathComponent(name).path)
            for i in Set([0, file.header.frames / 2, file.header.frames - 1]) {
                let image = try file.image(frame: i)
                #expect(image.width == file.header.columns && image.height == file.header.rows)
                #expect(Set(image.pixels).count > 1, "\(name), frame \(i) is empty")
            }
        }
    }

    /// The same values in both byte orders, and the same segmentation run-length coded and deflated.
    @Test func encodingsAgree() throws {
        func file(_ name: String) throws -> DICOMFile { try DICOMFile(contentsOf: DICOMFixtures.shared.appendingPathComponent(name).path) }
        let pairs = [("emri_small.dcm", "emri_small_big_endian.dcm"), ("liver_rle.dcm", "liver_deflate.dcm")]
        for (first, second) in pairs {
            let (a, b) = (try file(first), try file(second))
            #expect(a.header.frames == b.header.frames)
            for i in 0..<a.header.frames { #expect(try a.frame(i) == b.frame(i), "\(first), frame \(i)") }
        }
    }

    /// Real files with bytes changed at random places, and cut off, are read or refused, never a crash.
    @Test func mutations() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: DICOMFixtures.shared.path).filter { $0.hasSuffix(".dcm") }.sorted()
        let limits = ImageLimits(pixels: 4 << 20, fileBytes: 4 << 20)
        var state: UInt64 = 1
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for name in names {
            let whole = try [UInt8](Data(contentsOf: DICOMFixtures.shared.appendingPathComponent(name)))
            for round in 0..<24 {
                var bytes = whole
                if round % 4 == 3 { bytes.removeLast(next(bytes.count)) }
                // The header stands in the first part, where most of the structure is.
                for _ in 0..<1 + next(12) where !bytes.isEmpty {
                    bytes[next(min(bytes.count, round % 2 == 0 ? 4000 : bytes.count))] = UInt8(next(256))
                }
                do throws(ImageError) {
                    let image = try Image(encoded: bytes, source: name, limits: limits)
                    #expect(image.width * image.height <= limits.pixels)
                } catch { #expect(!"\(error)".contains("\n"), "\(error)") }
            }
        }
    }
}
