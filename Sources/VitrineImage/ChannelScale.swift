/// How grey levels became what the network reads: `(level - mean) / deviation` per channel, levels from 0 to 1.
public struct ChannelScale: Sendable, Equatable {
    /// One per channel, on the scale 0...1.
    public let mean: [Float]
    /// One per channel, on the scale 0...1; above 0.
    public let deviation: [Float]

    public init(mean: [Float], deviation: [Float]) {
        precondition(mean.count == deviation.count && deviation.allSatisfy { $0 > 0 }, "one mean and one positive deviation per channel")
        self.mean = mean
        self.deviation = deviation
    }

    /// Levels as they are: nothing was normalised.
    public static func unit(channels: Int) -> ChannelScale {
        ChannelScale(mean: [Float](repeating: 0, count: channels), deviation: [Float](repeating: 1, count: channels))
    }

    /// The normalised value of a level from 0 (black) to 1 (white).
    public func value(ofLevel level: Float, channel: Int) -> Float { (level - mean[channel]) / deviation[channel] }

    /// One grey level of 255 in normalised units.
    public func greyLevel(channel: Int) -> Float { 1 / 255 / deviation[channel] }
}
