import VitrineImage
import VitrineTensor

extension Witness {
    /// The image under uniform noise of `greyLevels` grey levels from end to end.
    func noisy(_ purpose: String, greyLevels: Float, draw: Int) -> ChangedInput {
        var random = random(purpose, draw)
        var pixels = image
        let plane = height * width
        pixels.withMutableSpan { span in
            for i in 0..<span.count { span[i] += greyLevels * scale.greyLevel(channel: i / plane) * Float(random.uniform() - 0.5) }
        }
        return .pixels(pixels)
    }

    /// The image under uniform noise far below the spacing of Float32: each value becomes one of its two neighbours so often that the
    /// mean is right.
    func rounded(_ purpose: String, greyLevels: Double, draw: Int) -> ChangedInput {
        var random = random(purpose, draw)
        var pixels = image
        let plane = height * width
        pixels.withMutableSpan { span in
            for i in 0..<span.count {
                let wanted = Double(span[i]) + greyLevels * Double(scale.greyLevel(channel: i / plane)) * (random.uniform() - 0.5)
                var below = Float(wanted)
                if Double(below) > wanted { below = below.nextDown }
                let share = (wanted - Double(below)) / Double(below.nextUp - below)
                span[i] = random.uniform() < share ? below.nextUp : below
            }
        }
        return .pixels(pixels)
    }

    /// The image under independent uniform noise of up to `radius` to either side, in normalised units.
    func inBall(_ radius: Float, draw: Int) -> Tensor {
        var random = random("ball", draw)
        var pixels = image
        pixels.withMutableSpan { span in for i in 0..<span.count { span[i] += radius * Float(2 * random.uniform() - 1) } }
        return pixels
    }
}
