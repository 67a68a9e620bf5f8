import Foundation

/// What Scripts/fixtures/pictures.py wrote.
struct PictureFixtures: Decodable {
    struct Turned: Decodable {
        /// Where the value of the Orientation tag stands in the file, two bytes.
        let place: Int
        let isLittle: Bool
        /// The picture for the values 1 to 8, by Pillow.
        let cases: [ImageFixtures.File]
    }
    let files: [String: ImageFixtures.File]
    let turned: [String: Turned]

    static let folder = ImageFixtures.root.appendingPathComponent("Tests/Fixtures/pictures")
    static let expected: PictureFixtures = {
        do {
            return try JSONDecoder().decode(PictureFixtures.self, from: Data(contentsOf: folder.appendingPathComponent("expected.json")))
        } catch { fatalError("Tests/Fixtures/pictures/expected.json: \(error); run Scripts/fixtures/pictures.py") }
    }()

    static func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
    static func bytes(_ name: String) throws -> [UInt8] { try [UInt8](Data(contentsOf: folder.appendingPathComponent(name))) }
}
