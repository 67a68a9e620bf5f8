/// The class of the largest logit, the first of equals; for one logit the sign decides between it (0) and its absence (-1).
func predictedClass(_ logits: [Float]) -> Int {
    if logits.count == 1 { return logits[0] > 0 ? 0 : -1 }
    var best = 0
    for i in logits.indices where logits[i] > logits[best] { best = i }
    return best
}
