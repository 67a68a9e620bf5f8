import VitrineModel

extension ConfiguredMethod {
    /// Passes through the network for one image of this grid, when the method is asked alone.
    ///
    /// - Throws: `ViTError` where this network cannot serve the method.
    public func passes(_ network: ViTConfiguration, grid: PatchGrid) throws(ViTError) -> Passes {
        let needs = try explainer.needs(network)
        var own = needs.image
        if let same = needs.variants[.identity] { own.formUnion(same) }
        let requests = [own] + needs.variants.filter { $0.key != .identity }.map(\.value)
        let read = Passes(
            forward: Double(requests.reduce(0) { $0 + $1.forwardPasses }), backward: Double(requests.reduce(0) { $0 + $1.backward.count }))
        return read + explainer.passes(network, grid: grid)
    }
}
