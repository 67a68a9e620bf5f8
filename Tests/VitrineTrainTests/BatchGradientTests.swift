import Foundation
import Synchronization
import Testing
import VitrineModel

@testable import VitrineTrain

@Suite struct BatchGradientTests {
    private struct Broken: Error {}

    /// A worker behind one that failed gives up; as the lower index it once hid the failure, and the run looked stopped by a signal.
    @Test func aFailureIsNotTakenForAStop() throws {
        let model = VisionTransformer.scratch(
            try ModelPresets.configuration("patch=8,width=8,depth=1,heads=2", imageSize: 16, classes: 2), seed: 1)
        let gradient = BatchGradient(model: model, workers: 2)
        let hasFailed = Atomic<Bool>(false)
        #expect(throws: Broken.self) {
            _ = try gradient([MicroBatch(samples: [], scale: 1), MicroBatch(samples: [], scale: 2)], fromLayer: 0) { batch, _, _ in
                if batch.scale == 2 {
                    hasFailed.store(true, ordering: .relaxed)
                    throw Broken()
                }
                // Until the other has failed, and then long enough for that to be known; on one core there is nobody to wait for.
                for _ in 0..<200 where !hasFailed.load(ordering: .relaxed) { Thread.sleep(forTimeInterval: 0.01) }
                Thread.sleep(forTimeInterval: 0.05)
                return StepOutcome()
            }
        }
    }
}
