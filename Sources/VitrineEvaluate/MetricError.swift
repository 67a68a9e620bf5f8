import VitrineTensor

/// What can be wrong with a request for a metric.
public enum MetricError: Error, Equatable, CustomStringConvertible {
    case unknownMetric(String, known: [String])
    case unknownFamily(String, known: [String])
    case unknownOption(metric: String, option: String, known: [String])
    case percentageMissing(metric: String)
    /// An option's value is not what the option takes.
    case badValue(metric: String, option: String, value: String, allowed: String)
    /// An option stands twice, or beside another of the same kind.
    case repeatedOption(metric: String, option: String)
    case percentageOutOfRange(metric: String, percentage: String)
    case countOutOfRange(metric: String, count: String)
    case sizeMismatch(mapHeight: Int, mapWidth: Int, maskHeight: Int, maskWidth: Int)
    /// A map is neither on the patches nor of the size of the image that its model reads.
    case mapOfAnotherImage(mapHeight: Int, mapWidth: Int, imageHeight: Int, imageWidth: Int)

    public var description: String {
        switch self {
        case .unknownMetric(let name, let known):
            // Without the percentage and the options, which need not resemble anything.
            "unknown metric '\(name)'"
                + Suggestion.choice(String(name.prefix { $0 != "@" && $0 != ":" }), in: known, listedBy: "vitrine evaluate --help")
        case .unknownOption(let metric, let option, let known):
            "metric '\(metric)' has no option '\(option)': "
                + (known.isEmpty ? "it takes none" : "choose from \(known.joined(separator: ", "))")
        case .percentageMissing(let metric):
            "metric '\(metric)' needs a percentage of the image: write for example \(metric)@10"
        case .unknownFamily(let name, let known):
            "unknown family of metrics '\(name)': choose from \(known.joined(separator: ", "))"
        case .badValue(let metric, let option, let value, let allowed):
            "metric '\(metric)': \(option)=\(value) is not understood; \(option) takes \(allowed)"
        case .repeatedOption(let metric, let option):
            "metric '\(metric)': '\(option)' stands beside another option of its kind; keep one"
        case .percentageOutOfRange(let metric, let percentage):
            "metric '\(metric)': '\(percentage)' is no percentage above 0 and below 100; write for example iou@5"
        case .countOutOfRange(let metric, let count):
            "metric '\(metric)': '\(count)' is no whole number from 1 on"
        case .sizeMismatch(let mapHeight, let mapWidth, let maskHeight, let maskWidth):
            "the map is \(mapHeight)x\(mapWidth) and the mask \(maskHeight)x\(maskWidth): "
                + "resample the mask with nearest neighbours, or explain at the mask's size"
        case .mapOfAnotherImage(let mapHeight, let mapWidth, let imageHeight, let imageWidth):
            "the map is \(mapHeight)x\(mapWidth) and the model reads the image at \(imageHeight)x\(imageWidth): "
                + "make the map at the size that the model reads"
        }
    }
}

/// Why a metric has no value for a map.
public struct Undefined: Error, Equatable, CustomStringConvertible {
    /// A sentence without a capital and a stop: `the model's answer does not change`.
    public let reason: String

    public init(_ reason: String) { self.reason = reason }

    public var description: String { reason }
}
