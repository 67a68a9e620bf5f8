import Testing
import VitrineTensor

@Suite struct TextTests {
    /// A spreadsheet sees scalars: a field that begins with `\r\n=`, or with `=` and a combining mark, is a formula to it.
    @Test(arguments: [
        ("plain", "plain"), ("", ""), ("a,b", "\"a,b\""), ("say \"x\"", "\"say \"\"x\"\"\""), ("=1+1", "'=1+1"), ("-1", "'-1"),
        ("@x", "'@x"),
        ("\r\n=1", "\"'\r\n=1\""), ("=\u{301}1", "'=\u{301}1"), ("a\r\nb", "\"a\r\nb\""), ("x\"\u{301}y", "\"x\"\"\u{301}y\""),
        ("x,\u{301}y", "\"x,\u{301}y\""), ("\u{FF1D}1", "'\u{FF1D}1"), ("\n=1", "\"'\n=1\""),
    ])
    func fieldsAreDisarmedByScalars(_ text: String, _ expected: String) {
        #expect(Array(CSV.field(text).utf8) == Array(expected.utf8))
    }

    @Test func numbersReadBack() {
        #expect(CSV.number(0.1) == "0.1" && CSV.number(nil).isEmpty && CSV.number(.nan).isEmpty && CSV.number(-.infinity).isEmpty)
        #expect(Double(CSV.number(1.0 / 3.0)) == 1.0 / 3.0)
    }

    @Test func linesOfJSONHoldEveryNumber() throws {
        let line = try JSON.line(["b/c": [1.5, Double.nan, -.infinity]])
        #expect(line == #"{"b/c":[1.5,"nan","-inf"]}"#)
        let back = try JSON.value([String: [Double]].self, Array(line.utf8))["b/c"] ?? []
        #expect(back.count == 3 && back[0] == 1.5 && back[1].isNaN && back[2] == -.infinity)
    }

    @Test(arguments: [
        ("gradcm", "gradcam"), ("grad-cam", "gradcam"), ("GradCAM", "gradcam"), ("chefer-stabel", "chefer-stable"), ("rolout", "rollout"),
        ("stable", nil), ("xyz", nil), ("", nil),
    ])
    func nearestName(_ text: String, _ expected: String?) {
        #expect(Suggestion.nearest(to: text, in: ["attention", "rollout", "gradcam", "gradcam-eigen", "chefer-stable"]) == expected)
    }

    /// Of many names the nearest three, not all of them.
    @Test func manyNamesAreNotPrinted() {
        let names = ["gradcam", "gradcam-eigen", "gradcam-study", "hirescam", "iou@K"] + (0..<20).map { "zzzzzzzz\($0)" }
        #expect(
            Suggestion.choice("gradcm", in: names, listedBy: "help")
                == "; did you mean gradcam, gradcam-eigen or gradcam-study? help lists all 25")
        #expect(Suggestion.choice("iuo", in: names, listedBy: "help") == "; did you mean iou@K? help lists all 25")
        #expect(Suggestion.choice("???", in: names, listedBy: "help") == ". help lists all 25")
        #expect(Suggestion.choice("b", in: ["a", "c"], listedBy: "help") == "; did you mean a? Choose from a, c")
    }
}
