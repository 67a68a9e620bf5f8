import VitrineImage
import VitrineTensor

extension Witness {
    /// The image under uniform noise within half of `greyLevels` grey levels to either side.
    func noisy(_ purpose: String, greyLevels: Float, draw: Int) -> ChangedInput {
        var random = random(purpose, draw)
        var pixels = image
        let plane = height * width
        pixels.withMutableSpan { span in
            for i in 0..<span.count { span[i] += greyLevels * scale.greyLevel(channel: i / plane) * Float(random.uniform() - 0.5) }
        }
        return .pixels(pixels)
    }
}
