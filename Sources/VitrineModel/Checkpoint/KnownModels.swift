/// What the published models have in common and their tensors do not show.
public enum KnownModels {
    /// Number of attention heads by token width, as timm 1.0.31, DINO, DINOv2, MAE, DeiT, Hugging Face and torchvision define their
    /// models of this family.
    static let headsByWidth: [Int: Int] = [
        192: 3,  // tiny
        256: 4,
        320: 5,  // little
        384: 6,  // small
        512: 8,  // medium
        640: 10,  // betwixt
        768: 12,  // base
        832: 13,
        896: 14,  // base plus
        1024: 16,  // large
        1152: 16,  // so400m
        1280: 16,  // huge
        1408: 16,  // giant
        1536: 24,  // DINOv2's giant
        1664: 16,  // gigantic
    ]

    /// Heads of a published model of this width, or nil if there is none or there are two kinds.
    ///
    /// - Parameter hasClassToken: without one, models of width 768 come with 12 heads and with 16, and those of 1536 have 16.
    public static func heads(width: Int, hasClassToken: Bool) -> Int? {
        switch (width, hasClassToken) {
        case (768, false): nil
        case (1536, false): 16
        default: headsByWidth[width]
        }
    }
}
