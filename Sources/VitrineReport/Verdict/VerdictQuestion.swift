import VitrineEvaluate

/// What a verdict asks of a method; each question has one primary measurement and one bar, fixed before anything is computed.
public enum VerdictQuestion: String, Sendable, CaseIterable {
    case lesion
    case used
    case weights
    case classes = "class"
    case stable
    case seeds

    public var title: String {
        switch self {
        case .lesion: "points at the lesion"
        case .used: "was used by the network"
        case .weights: "depends on what was learnt"
        case .classes: "depends on the class"
        case .stable: "is stable under what nobody sees"
        case .seeds: "agrees between training runs"
        }
    }

    /// What `shown` means here, for the legend.
    public var bar: String {
        switch self {
        case .lesion: "the study's first localisation metric lies above chance and above a blob at the centre of the image"
        case .used: "deletion falls faster, and insertion rises faster, than in a random order of the patches"
        case .weights: "the absolute rank correlation with the map of the same network with all weights at random is below 0.5"
        case .classes: "the rank correlation with the map for the strongest other class is below 0.5"
        case .stable: "the rank correlation with the maps under noise of half a grey level is above 0.9"
        case .seeds: "the rank correlation between the maps of models from different training seeds is above 0.5"
        }
    }

    /// What to add to a study file that does not ask the question.
    public var remedy: String {
        switch self {
        case .lesion: "add a localisation metric such as average-precision to metrics, and centre to methods"
        case .used: "add deletion and insertion to metrics"
        case .weights: "add parameter-randomisation to metrics"
        case .classes: "add class-sensitivity to metrics"
        case .stable: "add quantisation-stability to metrics"
        case .seeds: "add models of other training seeds, named alike but for the number: NAME-seed1, NAME-seed2"
        }
    }

    /// Metrics whose scores answer it, by identifier; empty where they are not fixed.
    var metrics: [String] {
        switch self {
        case .used: ["deletion", "insertion"]
        case .weights: ["parameter-randomisation"]
        case .classes: ["class-sensitivity"]
        case .stable: ["quantisation-stability"]
        case .lesion, .seeds: []
        }
    }

    /// A rank correlation that is compared with a constant: the constant, and which side of it is good.
    var constant: (bar: Double, better: Direction, range: ClosedRange<Double>)? {
        switch self {
        case .weights: (0.5, .lower, 0...1)
        case .classes: (0.5, .lower, -1...1)
        case .stable: (0.9, .higher, -1...1)
        case .seeds: (0.5, .higher, -1...1)
        case .lesion, .used: nil
        }
    }
}
