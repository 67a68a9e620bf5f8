import Foundation
import Testing
import VitrineStore
import VitrineStudy

@Suite struct AnnotationFailureTests {
    /// Case 23 and hostile F6: an annotation that is empty, an error page, or an instruction alone is a failure of its image; the other images
    /// are scored, and none counts as healthy.
    @Test func damagedAnnotationsAreFailures() throws {
        let scratch = try Scratch()
        let good =
            "<annotation><object><name>a</name><bndbox><xmin>3</xmin><ymin>3</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>"
        let texts = ["a": good, "b": "", "c": "<?x?>", "d": "<html><body>404</body></html>", "e": "<?x?>" + good]
        for (name, text) in texts {
            try scratch.writeImage("table/\(name).png")
            try scratch.write(text, to: "ann/\(name).xml")
        }
        try scratch.write("image\n" + texts.keys.sorted().map { $0 + ".png\n" }.joined(), to: "table/labels.csv")
        try scratch.write(
            """
            title: Test
            methods: [centre]
            metrics: [auroc]
            protocols: [corrected]
            datasets:
              table: {kind: csv, path: table, preprocess: none, annotations: ann, annotation-format: voc}
            output: results
            """, to: "study.yaml")
        let store = try Store.open(try scratch.run(try scratch.plan()), isReadOnly: true)
        defer { try? store.close() }
        let messages = try store.failures().map(\.message)
        #expect(messages.count == 3, "\(messages)")
        for (name, reason) in [("b", "no well-formed XML"), ("c", "no well-formed XML"), ("d", "is a 'html'")] {
            #expect(messages.contains { $0.contains("ann/\(name).xml") && $0.contains(reason) }, "\(messages)")
        }
    }
}
