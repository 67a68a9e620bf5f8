import VitrineExplain
import VitrineTensor

/// Stabilities as they stand in results.
enum StabilityFixture {
    typealias Value = Stability

    static func make(_ mean: Double?) -> Stability {
        let text = mean.map {
            $0.isNaN ? "{\"draws\":10,\"pearsonMean\":\"nan\"}" : "{\"draws\":10,\"pearsonMean\":\($0),\"pearsonMinimum\":\($0)}"
        }
        do { return try JSON.value(Stability.self, Array((text ?? "{\"draws\":10}").utf8)) } catch { preconditionFailure("\(error)") }
    }
}
