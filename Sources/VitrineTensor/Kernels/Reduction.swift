import CVitrineKernels
import Synchronization

// SAFETY: the kernels below read `count` floats, which are the whole tensor.

/// Sum of all elements, accumulated in Double.
public func sum(_ x: Tensor) -> Double { unsafe vk_sum(x.pointer, x.count) }

/// Sum of the absolute values of all elements, accumulated in Double.
public func absoluteSum(_ x: Tensor) -> Double { unsafe vk_absolute_sum(x.pointer, x.count) }

/// Sum of the products of corresponding elements, accumulated in Double.
public func dot(_ a: Tensor, _ b: Tensor) -> Double {
    requireCount(a.count, b.count)
    return unsafe vk_dot(a.pointer, b.pointer, a.count)
}

/// Sum of the squares of several tensors, accumulated in Double, tensor by tensor; the threads share the tensors.
public func squaredNorm(_ tensors: [Tensor], threads: Int = 1) -> Double {
    let sums = Mutex([Double](repeating: 0, count: tensors.count))
    HelperThreads.run(tensors.count, threads: threads) { i in
        let sum = dot(tensors[i], tensors[i])
        sums.withLock { $0[i] = sum }
    }
    return sums.withLock { $0.reduce(0, +) }
}

/// Standard deviation over all elements, dividing by their number; NaN for an empty tensor.
public func standardDeviation(_ x: Tensor) -> Double {
    let n = Double(x.count)
    return unsafe (vk_squared_deviations(x.pointer, sum(x) / n, x.count) / n).squareRoot()
}

/// How many elements are NaN, and how many are plus or minus infinity.
public func nonFiniteCounts(_ x: Tensor) -> (nan: Int, infinite: Int) {
    var nan = 0
    var infinite = 0
    unsafe vk_non_finite_counts(x.pointer, x.count, &nan, &infinite)
    return (nan, infinite)
}

/// Smallest and largest element; NaN is passed over, and (infinity, -infinity) says that nothing else was there.
public func minMax(_ x: Tensor) -> (minimum: Float, maximum: Float) {
    var minimum: Float = 0
    var maximum: Float = 0
    unsafe vk_min_max(x.pointer, x.count, &minimum, &maximum)
    return (minimum, maximum)
}
