import VitrineTensor

extension Pass {
    /// Sets the scores `[B, H, N, N]` of patches that cannot be attended to to -infinity: the softmax gives them 0.
    ///
    /// - Parameter visible: by image, the patches that remain keys.
    func hideKeys(except visible: [[Int]], in scores: inout Tensor) {
        let (tokens, heads) = (layout.tokens, configuration.heads)
        scores.withMutableSpan { s in
            for (b, patches) in visible.enumerated() {
                var isHidden = [Bool](repeating: false, count: tokens)
                for token in layout.prefix..<tokens { isHidden[token] = true }
                for patch in patches { isHidden[layout.prefix + patch] = false }
                let hidden = isHidden.indices.filter { isHidden[$0] }
                for row in b * heads * tokens..<(b + 1) * heads * tokens {
                    for token in hidden { s[row * tokens + token] = -.infinity }
                }
            }
        }
    }
}
