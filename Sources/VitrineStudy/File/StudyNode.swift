import Foundation
import VitrineTrain
import Yams

/// A value of a study file with the place it stands at.
struct StudyNode {
    enum Content {
        case scalar(String)
        case list([StudyNode])
        case map([Entry])
        /// A key without a value.
        case nothing
    }

    struct Entry {
        var key: String
        var place: StudyPlace
        var value: StudyNode
    }

    var content: Content
    var place: StudyPlace

    /// Larger files are refused.
    static let maximumBytes = 1 << 20
    /// More values than this, aliases followed, are refused.
    private static let maximumValues = 100_000

    /// Reads YAML text; what its grammar does not allow is a mistake with a line.
    static func parse(_ text: String, path: String) throws(StudyFileError) -> StudyNode {
        guard text.utf8.count <= maximumBytes else {
            throw StudyFileError(
                path: path,
                mistakes: [
                    StudyMistake(.line(1), "the file has \(text.utf8.count) bytes; a study file has at most \(maximumBytes)")
                ])
        }
        return try parse(text, path: path, place: nil)
    }

    /// - Parameter place: of every value; nil takes the lines of the text.
    private static func parse(_ text: String, path: String, place: StudyPlace?) throws(StudyFileError) -> StudyNode {
        func failure(_ line: Int, _ message: String) -> StudyFileError {
            StudyFileError(path: path, mistakes: [StudyMistake(place ?? .line(max(1, line)), message)])
        }
        if let fault = YAMLKeys.fault(in: text) { throw failure(fault.line, fault.reason) }
        let root: Node?
        do { root = try Yams.compose(yaml: text) } catch let error as YamlError {
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
                throw failure(mark.line, "is no YAML: \(problem)")
            case .duplicatedKeysInMapping(let keys, let context):
                throw failure(context.mark.line, "'\(keys.joined(separator: "', '"))' stands twice in one mapping; keep one")
            case .reader(let problem, _, _, _): throw failure(1, "is no YAML: \(problem); save the file as UTF-8")
            default: throw failure(1, "is no YAML")
            }
        } catch { throw failure(1, "is no YAML: \(error)") }
        guard let root else { return StudyNode(content: .nothing, place: place ?? .line(1)) }
        var count = 0
        do { return try convert(root, place: place, count: &count) } catch let error as Unsuitable {
            throw failure(error.line, error.message)
        } catch { throw failure(1, "\(error)") }
    }

    private struct Unsuitable: Error {
        var line: Int
        var message: String
    }

    private static func convert(_ node: Node, place: StudyPlace?, count: inout Int) throws -> StudyNode {
        let line = node.mark?.line ?? 1
        count += 1
        guard count <= maximumValues else { throw Unsuitable(line: line, message: "the file holds more than \(maximumValues) values") }
        let own = place ?? .line(line)
        switch node {
        case .scalar(let scalar):
            let isNothing = scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
            return StudyNode(content: isNothing ? .nothing : .scalar(scalar.string), place: own)
        case .sequence(let sequence):
            return StudyNode(content: .list(try sequence.map { try convert($0, place: place, count: &count) }), place: own)
        case .mapping(let mapping):
            let entries = try mapping.map { pair in
                guard case .scalar(let key) = pair.key else {
                    throw Unsuitable(line: pair.key.mark?.line ?? line, message: "a key must be a word")
                }
                return Entry(
                    key: key.string, place: place ?? .line(key.mark?.line ?? line),
                    value: try convert(pair.value, place: place, count: &count))
            }
            return StudyNode(content: .map(entries), place: own)
        case .alias: throw Unsuitable(line: line, message: "an alias without its anchor")
        }
    }

    // MARK: Overrides

    /// Sets values by `path.to.key=value`; list items are addressed by their position from 0, and the value is YAML.
    func overridden(by overrides: [String], path: String) throws(StudyFileError) -> StudyNode {
        var result = self
        var mistakes: [StudyMistake] = []
        for (i, text) in overrides.enumerated() {
            let place = StudyPlace.override(i, text)
            guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
                mistakes.append(StudyMistake(place, "an override is key=value, such as seed=1 or datasets.kvasir.path=data/kvasir"))
                continue
            }
            do throws(StudyFileError) {
                let value = try Self.parse(String(text[text.index(after: equals)...]), path: path, place: place)
                let keys = text[..<equals].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
                if let mistake = result.set(keys[...], value, place) { mistakes.append(mistake) }
            } catch { mistakes += error.mistakes }
        }
        guard mistakes.isEmpty else { throw StudyFileError(path: path, mistakes: mistakes) }
        return result
    }

    private mutating func set(_ keys: ArraySlice<String>, _ value: StudyNode, _ place: StudyPlace) -> StudyMistake? {
        guard let key = keys.first else {
            self = value
            return nil
        }
        switch content {
        case .map(var entries):
            if let i = entries.firstIndex(where: { $0.key == key }) {
                let mistake = entries[i].value.set(keys.dropFirst(), value, place)
                entries[i].place = keys.count == 1 ? place : entries[i].place
                content = .map(entries)
                return mistake
            }
            var new = StudyNode(content: .nothing, place: place)
            let mistake = new.set(keys.dropFirst(), value, place)
            content = .map(entries + [Entry(key: key, place: place, value: new)])
            return mistake
        case .list(var items):
            guard let i = Int(key), items.indices.contains(i) else {
                return StudyMistake(place, "'\(key)' is no position in a list of \(items.count); positions count from 0")
            }
            let mistake = items[i].set(keys.dropFirst(), value, place)
            content = .list(items)
            return mistake
        case .nothing:
            content = .map([])
            return set(keys, value, place)
        case .scalar(let text): return StudyMistake(place, "'\(text)' is a value and has no '\(key)' below it")
        }
    }
}
