import Foundation
import Testing

@testable import VitrineData

@Suite struct XMLScannerTests {
    private func events(_ text: String) throws(XMLScanner.Fault) -> [String] {
        var all: [String] = []
        try XMLScanner.scan(Array(text.utf8)) { event in
            switch event {
            case .start(let name, let line): all.append("+\(name)@\(line)")
            case .text(let text): all.append(text)
            case .end(let name): all.append("-" + name)
            }
        }
        return all
    }

    /// hostile F4: instructions, notations and attribute lists, which killed the parser of Foundation.
    @Test(arguments: [
        "<?x?><a>t</a>", "<?xml version='1.0'?><?xml-stylesheet?><a>t</a>", "<!DOCTYPE a [<!NOTATION n SYSTEM \"x]>\">]><a>t</a>",
        "<!DOCTYPE a [<!ATTLIST a b CDATA #IMPLIED> <!-- ' ]> --> <?y?> <!ELEMENT a ANY>]><a b='1' c=\"<>\">t</a>",
        "\u{FEFF}<a><!-- - c --><![CDATA[t]]></a>\n<!-- end --><?z ?>", "<a>&#116;</a>", "<a>&#x74;</a >",
    ])
    func wellFormed(_ text: String) throws { #expect(try events(text) == ["+a@1", "t", "-a"]) }

    @Test func linesAndEntities() throws {
        #expect(try events("<a>\n<b/>\n\n<c>&lt;&amp;</c></a>") == ["+a@1", "\n", "+b@2", "-b", "\n\n", "+c@4", "<&", "-c", "-a"])
    }

    @Test(arguments: [
        "", " \n", "<?x?>", "<a>", "<a></b>", "</a>", "<a/><b/>", "<a/>t", "t<a/>", "<a b></a>", "<a b=1/>", "<a b='1'c='2'/>", "<a b='1/>",
        "<a>&nbsp;</a>", "<a>&x</a>", "<a>&#0;</a>", "<a>&#xD800;</a>", "<a>]]></a>", "<a><!-- -- --></a>", "<a><!-- </a>",
        "<![CDATA[x]]><a/>",
        "<a><![CDATA[x</a>", "<!DOCTYPE a [<a/>", "<a/><!DOCTYPE a>", "<1a/>", "< a/>", "<a", "<a><?x</a>", "<!ENTITY x 'y'><a/>",
        "<a>\u{1}</a>",
    ])
    func notWellFormed(_ text: String) { #expect(throws: XMLScanner.Fault.self) { try events(text) } }

    /// Depth is bounded, and neither attributes nor text nor openings that never close cost more than their length.
    @Test(.timeLimit(.minutes(1))) func bombs() throws {
        let deep = String(repeating: "<a>", count: 100_000)
        #expect(throws: XMLScanner.Fault(line: 1, reason: "more than 256 elements inside each other")) { try events(deep) }
        let attributes = "<a " + (0..<100_000).map { "b\($0)='x' " }.joined() + "/>"
        #expect(try events(attributes) == ["+a@1", "-a"])
        let flat = "<a>" + String(repeating: "\n<b>&amp;</b>", count: 100_000) + "</a>"
        #expect(try events(flat).count == 2 + 4 * 100_000)
        // Entities of the file's own are never expanded.
        #expect(throws: XMLScanner.Fault.self) { try events("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>") }
    }

    /// Whatever a file holds, the scanner ends with events or a fault.
    @Test func mutations() throws {
        let valid = Array("<?xml version='1.0'?><!DOCTYPE a [<!ELEMENT a ANY>]><a b='1'><c>&lt;&#65;</c><![CDATA[x]]><!-- y --></a>".utf8)
        var opened = 0
        for (round, bytes) in stride(from: 0, to: 20_000, by: 1).map({ ($0, DataFixtures.randomBytes(4, seed: UInt32($0))) }) {
            var mutant = valid
            let place = (Int(bytes[0]) << 8 | Int(bytes[1])) % mutant.count
            switch round % 3 {
            case 0: mutant[place] = Array("<>&;'\"/![]-?a \n".utf8)[Int(bytes[2]) % 15]
            case 1: mutant.removeSubrange(place..<min(mutant.count, place + Int(bytes[2] % 9)))
            default:
                mutant.insert(contentsOf: mutant[place..<min(mutant.count, place + Int(bytes[2] % 9))], at: Int(bytes[3]) % mutant.count)
            }
            do {
                try XMLScanner.scan(mutant) { _ in }
                opened += 1
            } catch { #expect(error.line >= 1 && !error.reason.isEmpty) }
        }
        #expect(opened > 1_000 && opened < 19_000)
    }
}
