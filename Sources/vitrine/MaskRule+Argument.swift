import ArgumentParser
import VitrineImage

extension MaskRule: ExpressibleByArgument {
    public init?(argument: String) {
        if let level = UInt8(argument) {
            self = .atLeast(level)
        } else if let rule = MaskRule(parsing: argument) {
            self = rule
        } else {
            return nil
        }
    }

    public var defaultValueDescription: String { text }
}
