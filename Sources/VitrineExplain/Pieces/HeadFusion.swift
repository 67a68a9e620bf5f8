import VitrineTensor

/// How the attention of several heads becomes one.
enum HeadFusion: String, CaseIterable {
    case mean, max, min

    /// `[H, N, N]` -> `[N, N]`.
    func callAsFunction(_ heads: Tensor) -> Tensor {
        guard self != .mean else { return meanOverHeads(heads) }
        var fused = heads[0]
        for h in 1..<heads.shape[0] {
            let other = heads[h]
            other.withSpan { o in
                fused.withMutableSpan { f in
                    for i in 0..<f.count { f[i] = self == .max ? Swift.max(f[i], o[i]) : Swift.min(f[i], o[i]) }
                }
            }
        }
        return fused
    }
}
