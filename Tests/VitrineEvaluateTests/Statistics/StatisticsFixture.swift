import Foundation
import Testing
import VitrineEvaluate
import VitrineTensor

/// Results of SciPy, statsmodels, scikit-learn and mpmath, written by `Scripts/fixtures/study_statistics.py`.
enum StatisticsFixture {
    typealias Case = [String: [Double]]

    static let sections: [String: [Case]] = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let file = root.appending(path: "Fixtures/statistics/statistics.json")
        guard let data = try? Data(contentsOf: file), let decoded = try? JSONDecoder().decode([String: [Case]].self, from: data) else {
            return [:]
        }
        return decoded
    }()

    /// The cases of one section; a missing section fails the test that asks for it.
    static func cases(_ section: String) throws -> [Case] { try #require(sections[section], "no fixture section \(section)") }
}

extension [String: [Double]] {
    subscript(one name: String) -> Double { self[name]![0] }
    func int(_ name: String) -> Int { Int(self[name]![0]) }
    func ints(_ name: String) -> [Int] { self[name]!.map { Int($0) } }
    func flags(_ name: String) -> [Bool] { self[name]!.map { $0 != 0 } }
    /// Rows of `width` values.
    func rows(_ name: String, width: Int) -> [[Double]] {
        stride(from: 0, to: self[name]!.count, by: width).map { Array(self[name]![$0..<$0 + width]) }
    }
    var alternative: Alternative { [.twoSided, .greater, .less][int("alternative")] }
}

/// Agreement within 1e-10 relative, the contract of the statistics; absolute below 1e-12, where the reference itself rounds.
func expectClose(
    _ found: Double, _ expected: Double, relative: Double = 1e-10, absolute: Double = 1e-12, _ what: @autoclosure () -> String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(
        abs(found - expected) <= max(absolute, relative * abs(expected)), "\(what()): found \(found), expected \(expected)",
        sourceLocation: sourceLocation)
}

func expectClose(_ found: [Double], _ expected: [Double], sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(found.count == expected.count, sourceLocation: sourceLocation)
    for (a, b) in zip(found, expected) { expectClose(a, b, sourceLocation: sourceLocation) }
}

extension Philox {
    /// A standard normal number, by inversion.
    mutating func normal() -> Double { NormalDistribution.quantile(uniform() + 0x1p-54) }
}
