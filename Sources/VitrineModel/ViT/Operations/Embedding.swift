import VitrineTensor

extension Pass {
    /// Patch tokens, prefix tokens and positions: z_0 `[B, N, D]`.
    func embed(_ images: Tensor, grid: PatchGrid) -> Tensor {
        let (batch, rows, d) = (images.shape[0], layout.tokens, configuration.width)
        let table = embeddingTable(grid: grid)
        var z = workspace.tensor([batch, rows, d])
        var patches = workspace.tensor([grid.count, model.patchEmbedding.inputs])
        let weight = model.patchEmbedding.transposed(threads: threads)
        for b in 0..<batch {
            z.replace(from: b * rows * d, with: table)
            im2patches(images[b], patch: configuration.patchSize, into: &patches)
            multiply(
                patches.matrix, weight, into: &z,
                window: MatrixWindow(start: (b * rows + layout.prefix) * d, rows: grid.count, columns: d, stride: d), beta: 1,
                threads: threads)
        }
        return z
    }

    /// What every image's tokens start from: prefix tokens, patch bias and positions, `[N, D]`.
    private func embeddingTable(grid: PatchGrid) -> Tensor {
        let (d, r) = (configuration.width, layout.prefix)
        var table = workspace.zeros([r + grid.count, d])
        if let bias = model.patchEmbedding.bias {
            var rows = workspace.zeros([grid.count, d])
            addBias(bias, to: &rows)
            table.replace(from: r * d, with: rows)
        }
        add(positionTable(grid: grid), to: &table)
        var prefix = workspace.zeros([r + grid.count, d])
        var row = 0
        for token in [model.classToken, model.distillationToken] {
            guard let token else { continue }
            prefix.replace(from: row * d, with: token)
            row += 1
        }
        if let registerTokens = model.registerTokens { prefix.replace(from: row * d, with: registerTokens) }
        add(prefix, to: &table)
        return table
    }

    /// The position embedding of every token at this grid, `[N, D]`; 0 for prefix tokens without one, and where there is none at all.
    func positionTable(grid: PatchGrid) -> Tensor {
        let c = configuration
        var table = workspace.zeros([layout.prefix + grid.count, c.width])
        guard let positions = model.positionEmbedding else { return table }
        table.replace(from: 0, with: positions[0..<c.positionedPrefixTokens])
        var patches = positions[c.positionedPrefixTokens..<(c.positionedPrefixTokens + c.positionGrid.count)]
        if grid != c.positionGrid {
            patches = resamplePositionEmbedding(patches, from: c.positionGrid, to: grid, mode: c.positionResampling)
        }
        table.replace(from: layout.prefix * c.width, with: patches)
        return table
    }

    /// From z_0 to the pixels, `[B, channels, height, width]`.
    func gradientOfPixels(_ dz: Tensor, _ state: ForwardState, rule: GradientRule) -> Tensor {
        let d = configuration.width
        let images = state.images!
        let dz = state.inputNorm.map { gradient(of: model.inputNorm!, $0, dz, rule: rule) } ?? dz
        var dPatches = workspace.tensor([layout.patches, model.patchEmbedding.inputs])
        var dImages = workspace.tensor(images.shape)
        var dImage = workspace.tensor([images.shape[1], images.shape[2], images.shape[3]])
        for b in 0..<dz.shape[0] {
            let window = MatrixWindow(
                start: (b * layout.tokens + layout.prefix) * d, rows: layout.patches, columns: d, stride: d)
            if rule.patchGamma == 0 {
                multiply(dz.matrix(window), model.patchEmbedding.matrix, into: &dPatches)
            } else {
                var patches = workspace.tensor(dPatches.shape)
                im2patches(images[b], patch: configuration.patchSize, into: &patches)
                dPatches = gradient(
                    of: model.patchEmbedding, x: patches, y: linear(model.patchEmbedding, patches), dz[b][layout.prefix..<layout.tokens],
                    gamma: rule.patchGamma)
            }
            patches2im(dPatches, patch: configuration.patchSize, into: &dImage)
            dImages.replace(from: b * dImage.count, with: dImage)
        }
        return dImages
    }

    /// From z_0 `[B, N, D]` to tokens, positions and the patch embedding; the transpose of `embed`.
    func gradientOfEmbedding(_ dz: Tensor, _ state: ForwardState, into gradients: inout VisionTransformer) {
        let c = configuration
        let images = state.images!
        if let norm = state.inputNorm { gradients.inputNorm!.accumulate(dy: dz, norm) }
        let dz = state.inputNorm.map { gradient(of: model.inputNorm!, $0, dz) } ?? dz
        let (batch, tokens, d, r) = (dz.shape[0], layout.tokens, c.width, layout.prefix)
        // Every image starts from the same table, so its gradient is the sum over the images.
        var table = workspace.zeros([tokens, d])
        var patches = workspace.tensor([layout.patches, model.patchEmbedding.inputs])
        for b in 0..<batch {
            add(dz[b][0..<tokens], to: &table)
            im2patches(images[b], patch: c.patchSize, into: &patches)
            let window = MatrixWindow(start: (b * tokens + r) * d, rows: layout.patches, columns: d, stride: d)
            multiply(dz.matrix(window).transposed, patches.matrix, into: &gradients.patchEmbedding.weight, beta: 1)
        }
        if gradients.patchEmbedding.bias != nil { columnSums(table[r..<tokens], addingTo: &gradients.patchEmbedding.bias!) }
        let positioned = c.positionedPrefixTokens
        if gradients.positionEmbedding == nil {
            // Nothing was added to the tokens.
        } else if positioned == r {
            add(table, to: &gradients.positionEmbedding!)
        } else {
            var positions = workspace.tensor([positioned + layout.patches, d])
            positions.replace(from: 0, with: table[0..<positioned])
            positions.replace(from: positioned * d, with: table[r..<tokens])
            add(positions, to: &gradients.positionEmbedding!)
        }
        var row = 0
        if gradients.classToken != nil {
            add(table[row], to: &gradients.classToken!)
            row += 1
        }
        if gradients.distillationToken != nil {
            add(table[row], to: &gradients.distillationToken!)
            row += 1
        }
        if gradients.registerTokens != nil { add(table[row..<row + c.registers], to: &gradients.registerTokens!) }
    }

    /// Position embedding (an addition) and patch convolution (the z^B rule with each image's own bounds): `[B, height, width]`.
    ///
    /// - Parameter embedded: z_0.
    func relevanceOfPixels(_ r: Tensor, images: Tensor, embedded: Tensor, grid: PatchGrid, rule: RelevanceRule) -> Tensor {
        let c = configuration
        let (batch, d) = (r.shape[0], c.width)
        let positions = positionTable(grid: grid)
        let weight = model.patchEmbedding.weight
        var magnitude = workspace.tensor(weight.shape)
        absolute(weight, into: &magnitude)
        var positive = workspace.tensor(weight.shape)
        add(weight, magnitude, into: &positive)
        VitrineTensor.scale(&positive, by: 0.5)
        var negative = weight
        addScaled(positive, -1, to: &negative)

        let (height, width) = (images.shape[2], images.shape[3])
        var result = workspace.zeros([batch, height, width])
        var plane = workspace.tensor([c.channels, height, width])
        var columns = workspace.tensor([layout.patches, model.patchEmbedding.inputs])
        var low = workspace.tensor(columns.shape)
        var high = workspace.tensor(columns.shape)
        var z = workspace.tensor([layout.patches, d])
        var s = workspace.tensor([layout.patches, d])
        var part = workspace.tensor(columns.shape)
        for b in 0..<batch {
            var withoutPosition = embedded[b]
            addScaled(positions, -1, to: &withoutPosition)
            let shape: Shape = [1, layout.tokens, d]
            let rTokens =
                c.hasPositionEmbedding
                ? relevanceOfAdd(
                    r[b].reshaped(shape), withoutPosition.reshaped(shape), positions.reshaped(shape), sum: embedded[b].reshaped(shape),
                    rule: rule
                ).0 : r[b].reshaped(shape)
            let rPatches = rTokens[0][layout.prefix..<layout.tokens]
            im2patches(images[b], patch: c.patchSize, into: &columns)
            let bounds = minMax(images[b])
            low.fill(bounds.minimum)
            high.fill(bounds.maximum)
            multiply(columns.matrix, weight.matrix.transposed, into: &z)
            multiply(low.matrix, positive.matrix.transposed, into: &z, alpha: -1, beta: 1)
            multiply(high.matrix, negative.matrix.transposed, into: &z, alpha: -1, beta: 1)
            safeDivide(rPatches, z, into: &s)
            // C = x (s W) - L (s W+) - H (s W-)
            var total = workspace.tensor(columns.shape)
            multiply(s.matrix, weight.matrix, into: &part)
            multiply(part, columns, into: &total)
            multiply(s.matrix, positive.matrix, into: &part)
            addScaled(part, -bounds.minimum, to: &total)
            multiply(s.matrix, negative.matrix, into: &part)
            addScaled(part, -bounds.maximum, to: &total)
            patches2im(total, patch: c.patchSize, into: &plane)
            var summed = plane[0]
            for channel in 1..<c.channels { add(plane[channel], to: &summed) }
            result.replace(from: b * height * width, with: summed)
        }
        return result
    }
}
