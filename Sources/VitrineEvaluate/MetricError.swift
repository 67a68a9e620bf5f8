import VitrineTensor

/// What can be wrong with a request for a metric.
public enum MetricError: Error, Equatable, CustomStringConvertible {
    case unknownMetric(String, known: [String])
    case unknownOption(metric: String, option: String, known: [String])
    case percentageMissing(metric: String)
    case percentageOutOfRange(metric: String, percentage: String)
    case sizeMismatch(mapHeight: Int, mapWidth: Int, maskHeight: Int, maskWidth: Int)

    public var description: String {
        switch self {
        case .unknownMetric(let name, let known):
            // Without the percentage and the options, which need not resemble anything.
            "unknown metric '\(name)'\(Suggestion.question(String(name.prefix { $0 != "@" && $0 != ":" }), in: known)) Choose from "
                + known.joined(separator: ", ")
        case .unknownOption(let metric, let option, let known):
            "metric '\(metric)' has no option '\(option)': "
                + (known.isEmpty ? "it takes none" : "choose from \(known.joined(separator: ", "))")
        case .percentageMissing(let metric):
            "metric '\(metric)' needs a percentage of the image: write for example \(metric)@10"
        case .percentageOutOfRange(let metric, let percentage):
            "metric '\(metric)': '\(percentage)' is no percentage above 0 and below 100; write for example iou@5"
        case .sizeMismatch(let mapHeight, let mapWidth, let maskHeight, let maskWidth):
            "the map is \(mapHeight)x\(mapWidth) and the mask \(maskHeight)x\(maskWidth): "
                + "resample the mask with nearest neighbours, or explain at the mask's size"
        }
    }
}
