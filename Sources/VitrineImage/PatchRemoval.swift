import VitrineTensor

/// Takes patches of one image away by a rule; what is painted over them is made once.
public struct PatchRemoval: Sendable {
    public let rule: RemovalRule
    public let rows: Int
    public let columns: Int
    private let image: Tensor
    /// What stands where nothing is left, `[channels, height, width]`; absent where tokens are taken away.
    private let ground: Tensor?

    /// - Parameters:
    ///   - image: `[channels, height, width]`, normalised; its sides are multiples of `rows` and `columns`.
    ///   - random: draws the noise of `noise`.
    /// - Complexity: O(pixels); `blur` O(pixels · side).
    public init(_ rule: RemovalRule, image: Tensor, rows: Int, columns: Int, scale: ChannelScale, random: Philox) {
        precondition(image.shape.rank == 3 && image.shape[1] % rows == 0 && image.shape[2] % columns == 0, "an image of whole patches")
        self.rule = rule
        self.rows = rows
        self.columns = columns
        self.image = image
        ground = rule.isPainted ? Self.ground(rule, image, scale, random) : nil
    }

    /// The image with nothing left of it, as the rule paints it; rules that act on tokens have no such picture.
    public static func ground(_ rule: RemovalRule, _ image: Tensor, _ scale: ChannelScale, _ random: Philox) -> Tensor {
        let (channels, plane) = (image.shape[0], image.shape[1] * image.shape[2])
        switch rule {
        case .drop, .mask, .clsMean: preconditionFailure("\(rule.rawValue) paints nothing")
        case .mean: return Tensor(image.shape)
        case .black:
            var ground = Tensor(image.shape)
            ground.withMutableSpan { span in
                for c in 0..<channels {
                    let black = scale.value(ofLevel: 0, channel: c)
                    for i in 0..<plane { span[c * plane + i] = black }
                }
            }
            return ground
        case .blur: return image.blurred(sigma: 5 * Float(min(image.shape[1], image.shape[2])) / 224)
        case .noise:
            var ground = Tensor(image.shape)
            var random = random
            ground.withMutableSpan { span in for i in 0..<span.count { span[i] = Float(random.normal()) } }
            return ground
        }
    }

    /// The image of which only these patches (row-major, ascending) are left.
    public func keeping(_ patches: [Int]) -> ChangedInput {
        switch rule {
        case .drop: return .patches(patches)
        case .mask: return .visible(patches)
        case .clsMean: return .averaged(keeping: patches)
        case .mean, .black, .blur, .noise: break
        }
        guard var pixels = ground else { return .patches(patches) }
        let (height, width) = (image.shape[1], image.shape[2])
        let (patchHeight, patchWidth) = (height / rows, width / columns)
        image.withSpan { source in
            pixels.withMutableSpan { span in
                for c in 0..<image.shape[0] {
                    for patch in patches {
                        let corner = (c * height + patch / columns * patchHeight) * width + patch % columns * patchWidth
                        for y in 0..<patchHeight {
                            for x in 0..<patchWidth { span[corner + y * width + x] = source[corner + y * width + x] }
                        }
                    }
                }
            }
        }
        return .pixels(pixels)
    }

    /// The image with nothing left, where dropping or hiding every patch would leave the network nothing to read: the mean colour.
    public func keepingNothing(networkNeedsPatches: Bool) -> ChangedInput {
        (rule == .drop || rule == .mask) && networkNeedsPatches ? .pixels(Tensor(image.shape)) : keeping([])
    }
}
