/// What one phantom is drawn from: the streams of its patient and of the image, and what it must contain.
struct PhantomScene {
    let seed: UInt64
    let task: PhantomTask
    let patient: Int
    let image: Int
    /// What the image shows.
    var parts: Set<PhantomPart>
    var options = PhantomOptions()

    var hasLesion: Bool { parts.contains(.lesion) }
    var hasDistractor: Bool { parts.contains(.distractor) }
    /// Factor of the lesions' areas.
    var size: Float { Float(options.size) }

    /// A stream that all images of the patient share.
    func anatomy(_ part: String) -> PhantomDraws {
        PhantomDraws(seed: seed, name: "phantom/\(task.rawValue)/anatomy/\(part)", index: patient)
    }

    /// A stream of this image alone. It does not depend on the label: an image and its lesion-free twin share everything else.
    func slice(_ part: String) -> PhantomDraws {
        PhantomDraws(seed: seed, name: "phantom/\(task.rawValue)/slice/\(part)", index: image)
    }
}

/// What a generator returns: colours in 0...1 before exposure and noise, and how much of each pixel the lesion covers.
struct PhantomRendering {
    var colours = [Colour](repeating: Colour(), count: Plane.count)
    /// How much of each pixel the lesions cover, whichever kind they are.
    var lesion = Plane()
    /// The same by part, where the generator tells parts apart; only what the image shows.
    var covers: [PhantomPart: Plane] = [:]

    /// The lesions as a mask: pixels they cover by half or more.
    var mask: [Bool] { Self.mask(lesion) }

    static func mask(_ cover: Plane) -> [Bool] { cover.values.map { $0 >= 0.5 } }

    /// The rendering with its lesions faded: this share of their difference from the picture without them stays.
    func faded(to contrast: Float, over bare: PhantomRendering) -> PhantomRendering {
        var faded = self
        for i in 0..<Plane.count { faded.colours[i] = mix(bare.colours[i], colours[i], contrast) }
        return faded
    }

    /// Exposure, gamma and sensor noise, then bytes: the last step of every generator.
    ///
    /// Gain ~ U(1 ± spread), white balance ~ U(1 ± 0.1) in colour, gamma ~ U(1 ± spread), offset ~ U(± spread / 10), drawn per image whatever its label, so that the
    /// brightness of the whole image says little about it.
    func exposed(grey: Bool, spread: Float, noise: Float, draws: inout PhantomDraws) -> [UInt8] {
        let gain = draws.uniform(1 - spread, 1 + spread)
        let gamma = draws.uniform(1 - spread, 1 + spread)
        let offset = draws.uniform(-spread, spread) / 10
        let steps = 2048
        // White balance of a colour camera.
        let balance = grey ? Colour(repeating: 1) : Colour(draws.uniform(0.9, 1.1), draws.uniform(0.93, 1.07), draws.uniform(0.9, 1.1))
        // The curve is tabulated: a power per channel would cost more than the rest of the image.
        let curve = (0...steps).map { i in
            255 * clamped(gain * phantomExp(gamma * phantomLog(max(Float(i) / Float(steps), 1e-6))) + offset)
        }
        var bytes = [UInt8](repeating: 0, count: Plane.count * 3)
        for i in 0..<Plane.count {
            let c = colours[i]
            if grey {
                let level = curve[Int(clamped(c.x) * Float(steps))] + 255 * noise * draws.pixelNoise()
                let byte = UInt8(clamped(level, 0, 255).rounded())
                bytes[3 * i] = byte
                bytes[3 * i + 1] = byte
                bytes[3 * i + 2] = byte
            } else {
                let common = draws.pixelNoise()
                for k in 0..<3 {
                    let level =
                        balance[k] * curve[Int(clamped(c[k]) * Float(steps))] + 255 * noise * (0.7 * common + 0.7 * draws.pixelNoise())
                    bytes[3 * i + k] = UInt8(clamped(level, 0, 255).rounded())
                }
            }
        }
        return bytes
    }
}
