import VitrineImage

extension Preprocess {
    /// How grey levels became what the network reads.
    public var scale: ChannelScale { ChannelScale(mean: normalisation.mean, deviation: normalisation.deviation) }
}
