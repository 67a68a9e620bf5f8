import Foundation
import VitrineModel
import VitrineTensor

/// A slow vision transformer in Float64, written from the definitions with plain loops; it shares nothing with the engine but
/// the description of a model and its weights. Positions are not resampled: the image has the grid of the position embedding.
public struct Twin: Sendable {
    public let configuration: ViTConfiguration
    let patchEmbedding: Map
    let prefix: Matrix
    let positions: Matrix
    let blocks: [Block]
    let inputNorm: Scale?
    let norm: Scale
    let pool: Pool?
    let projection: Map?
    let head: Map?
    let distillationHead: Map?

    /// `y_o = sum_i W_oi x_i + b_o`.
    struct Map: Sendable {
        let weight: Matrix
        let bias: [Double]

        init(_ linear: Linear) {
            weight = Matrix(linear.weight)
            bias = linear.bias.map { $0.values.map(Double.init) } ?? [Double](repeating: 0, count: linear.outputs)
        }

        func callAsFunction(_ x: Matrix) -> Matrix {
            Matrix(x.rows, weight.rows) { t, o in
                var sum = bias[o]
                for i in 0..<weight.columns { sum += weight[o, i] * x[t, i] }
                return sum
            }
        }
    }

    struct Scale: Sendable {
        let weight: [Double]
        let bias: [Double]

        init(_ norm: LayerNorm) {
            weight = norm.weight.values.map(Double.init)
            bias = norm.bias.values.map(Double.init)
        }
    }

    struct Block: Sendable {
        let norm1: Scale
        let qkv: Map
        let projection: Map
        let scale1: [Double]?
        let norm2: Scale
        let fc1: Map
        let fc2: Map
        let scale2: [Double]?
        let queryNorm: Scale?
        let keyNorm: Scale?
        let contextNorm: Scale?
        let hiddenNorm: Scale?
        /// By row of the table, then head.
        let relativePositions: Matrix?
        /// By axis, then head and pair.
        let frequencies: Matrix?
    }

    /// Pooling by attention.
    struct Pool: Sendable {
        let probe: Matrix
        let query: Map
        let keysValues: Map
        let projection: Map
        let keyNorm: Scale?
        let mlp: (norm: Scale, fc1: Map, fc2: Map)?
        let outputNorm: Scale?

        init(_ pool: AttentionPool) {
            probe = Matrix(pool.probe.reshaped([1, pool.probe.count]))
            query = Map(pool.query)
            keysValues = Map(pool.keysValues)
            projection = Map(pool.projection)
            keyNorm = pool.keyNorm.map(Scale.init)
            mlp = pool.mlp.map { (Scale($0.norm2), Map($0.fc1), Map($0.fc2)) }
            outputNorm = pool.outputNorm.map(Scale.init)
        }
    }

    public init(_ model: VisionTransformer) {
        configuration = model.configuration
        patchEmbedding = Map(model.patchEmbedding)
        var rows: [[Double]] = []
        if let token = model.classToken { rows.append(token.values.map(Double.init)) }
        if let token = model.distillationToken { rows.append(token.values.map(Double.init)) }
        if let registers = model.registerTokens {
            for i in 0..<registers.shape[0] { rows.append(registers[i].values.map(Double.init)) }
        }
        let width = model.configuration.width
        prefix = Matrix(rows.count, width) { rows[$0][$1] }
        let table = model.positionEmbedding.map { Matrix($0) }
        let positioned = model.configuration.positionedPrefixTokens
        positions = Matrix(rows.count + model.configuration.positionGrid.count, width) { t, d in
            guard let table else { return 0 }
            if t < positioned { return table[t, d] }
            return t < rows.count ? 0 : table[t - rows.count + positioned, d]
        }
        blocks = model.blocks.map { block in
            Block(
                norm1: Scale(block.norm1), qkv: Map(block.qkv), projection: Map(block.projection),
                scale1: block.scale1?.values.map(Double.init), norm2: Scale(block.norm2), fc1: Map(block.fc1),
                fc2: Map(block.fc2), scale2: block.scale2?.values.map(Double.init), queryNorm: block.queryNorm.map(Scale.init),
                keyNorm: block.keyNorm.map(Scale.init), contextNorm: block.contextNorm.map(Scale.init),
                hiddenNorm: block.hiddenNorm.map(Scale.init), relativePositions: block.relativePositions.map { Matrix($0) },
                frequencies: block.rotaryFrequencies.map { Matrix($0) })
        }
        inputNorm = model.inputNorm.map(Scale.init)
        norm = Scale(model.norm)
        pool = model.attentionPool.map(Pool.init)
        projection = model.visualProjection.map(Map.init)
        head = model.head.map(Map.init)
        distillationHead = model.distillationHead.map(Map.init)
    }
}

/// A dense matrix of Float64.
public struct Matrix: Sendable {
    public let rows: Int
    public let columns: Int
    public var values: [Double]

    public init(_ rows: Int, _ columns: Int, _ value: (Int, Int) -> Double) {
        self.rows = rows
        self.columns = columns
        values = []
        values.reserveCapacity(rows * columns)
        for i in 0..<rows { for j in 0..<columns { values.append(value(i, j)) } }
    }

    init(_ tensor: Tensor) {
        (rows, columns) = (tensor.shape[0], tensor.count / tensor.shape[0])
        values = tensor.values.map(Double.init)
    }

    public subscript(_ i: Int, _ j: Int) -> Double {
        get { values[i * columns + j] }
        set { values[i * columns + j] = newValue }
    }

    public func row(_ i: Int) -> [Double] { Array(values[i * columns..<(i + 1) * columns]) }
}
