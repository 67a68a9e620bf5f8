import VitrineTensor

extension VisionTransformer {
    /// Makes the convolution of a linear map on pixels in the order row, column, channel.
    ///
    /// - Throws: `LoadError.unsupported` where no square patch of one or three channels has as many values.
    static func unpackPerceptron(_ keys: inout MappedKeys, _ tensors: inout NamedTensors) throws(LoadError) {
        guard keys.map.anchor == KeyMap.monaiPerceptron.anchor, let key = keys.sources["patch_embed.proj.weight"]?.first,
            let shape = tensors.shapes[key], shape.count == 2
        else { return }
        let (width, values) = (shape[0], shape[1])
        // 3 is no square, so that at most one of the two fits.
        let fitting = [3, 1].compactMap { channels -> (channels: Int, side: Int)? in
            let side = Int((Double(values) / Double(channels)).squareRoot().rounded())
            return side > 0 && channels * side * side == values ? (channels, side) : nil
        }
        guard let (channels, side) = fitting.first else {
            throw .unsupported(
                source: tensors.path, what: "a perceptron on patches of \(values) values", known: "square patches of 1 or 3 channels")
        }
        tensors.shapes[key] = [width, channels, side, side]
        let original = tensors.tensor
        tensors.tensor = { name in
            let tensor = try original(name)
            guard name == key else { return tensor }
            let (stored, area) = (tensor.values, side * side)
            return Tensor(
                [width, channels, side, side],
                (0..<tensor.count).map { i in
                    let (row, place) = (i / values, i % values)
                    return stored[row * values + place % area * channels + place / area]
                })
        }
    }
}

/// `monai.networks.nets.ViT` (MONAI 1.6.1).
extension ArchitectureInference {
    var isMONAI: Bool { keys.map.style == .monai }

    /// Its classifier ends in a Tanh.
    var hasTanhHead: Bool { keys.sources["head.weight"]?.first?.hasSuffix("classification_head.0.weight") == true }

    /// Says what is MONAI's own.
    ///
    /// - Throws: `LoadError.keys` for a classifier without the class token, the only thing that it reads.
    func addMONAI(facts: inout [ModelFact]) throws(LoadError) {
        guard isMONAI else { return }
        guard has("cls_token") || !has("head.weight") else {
            throw .keys(path: path, missing: ["cls_token, which MONAI's classifier reads"], unused: [], mismatched: [])
        }
        if keys.map.anchor == KeyMap.monaiPerceptron.anchor, let shape = shape("patch_embed.proj.weight") {
            facts.append(
                ModelFact("patch", "\(shape[2])x\(shape[3]) of \(shape[1]) channels", .convention(reason: "square, of 1 or 3 channels")))
        }
        if hasTanhHead && options.head == .asStored {
            facts.append(ModelFact("logits", "the classifier's values before its Tanh", .tensors))
        }
    }
}
