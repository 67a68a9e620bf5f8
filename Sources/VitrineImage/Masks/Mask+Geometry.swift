/// An axis-aligned rectangle of pixels.
public struct PixelRectangle: Sendable, Equatable, Codable {
    public var top: Int
    public var left: Int
    public var width: Int
    public var height: Int

    public init(top: Int, left: Int, width: Int, height: Int) {
        self.top = top
        self.left = left
        self.width = width
        self.height = height
    }

    /// Number of pixels.
    public var count: Int { width * height }

    /// The rectangle as a mask of an image; parts outside the image are cut off.
    public func mask(width imageWidth: Int, height imageHeight: Int) -> Mask {
        var mask = Mask(width: imageWidth, height: imageHeight, bits: [Bool](repeating: false, count: imageWidth * imageHeight))
        for y in max(0, top)..<max(0, top, min(imageHeight, top + height)) {
            for x in max(0, left)..<max(0, left, min(imageWidth, left + width)) { mask[row: y, column: x] = true }
        }
        return mask
    }
}

/// The connected components of a mask.
public struct MaskComponents: Sendable, Equatable {
    /// Which pixels touch.
    public enum Connectivity: Int, Sendable, CaseIterable, Codable {
        /// Up, down, left, right.
        case four = 4
        /// Also the diagonals.
        case eight = 8
    }

    /// Per pixel, row-major: 0 outside the mask, else the number of its component, from 1 in the order of their first pixels.
    public let labels: [Int32]
    /// Pixels of each component; component `n` stands at `n - 1`.
    public let areas: [Int]
    public var count: Int { areas.count }

    /// The number of the component with most pixels, the first one among equals; nil for an empty mask.
    public var largest: Int? { areas.max().map { areas.firstIndex(of: $0)! + 1 } }
}

extension Mask {
    /// The smallest rectangle that holds the region; nil for an empty mask.
    public var boundingRectangle: PixelRectangle? {
        var (top, bottom, left, right) = (height, -1, width, -1)
        for y in 0..<height {
            for x in 0..<width where bits[y * width + x] {
                top = min(top, y)
                bottom = y
                left = min(left, x)
                right = max(right, x)
            }
        }
        guard bottom >= 0 else { return nil }
        return PixelRectangle(top: top, left: left, width: right - left + 1, height: bottom - top + 1)
    }

    /// The region is one axis-aligned rectangle without holes: often a bounding box that was drawn, not an outline.
    public var isFilledRectangle: Bool { boundingRectangle.map { $0.count == count } ?? false }

    /// Labels the connected components.
    ///
    /// - Complexity: O(height · width).
    public func components(_ connectivity: MaskComponents.Connectivity) -> MaskComponents {
        var labels = [Int32](repeating: 0, count: width * height)
        var areas: [Int] = []
        var stack: [Int] = []
        for start in bits.indices where bits[start] && labels[start] == 0 {
            let label = Int32(areas.count + 1)
            var area = 0
            labels[start] = label
            stack.append(start)
            while let pixel = stack.popLast() {
                area += 1
                let (y, x) = (pixel / width, pixel % width)
                for dy in -1...1 {
                    for dx in -1...1 where connectivity == .eight || dy == 0 || dx == 0 {
                        let (row, column) = (y + dy, x + dx)
                        guard row >= 0, row < height, column >= 0, column < width else { continue }
                        let neighbour = row * width + column
                        if bits[neighbour] && labels[neighbour] == 0 {
                            labels[neighbour] = label
                            stack.append(neighbour)
                        }
                    }
                }
            }
            areas.append(area)
        }
        return MaskComponents(labels: labels, areas: areas)
    }

    /// The component with most pixels, the first in reading order among equals; an empty mask stays empty.
    public func largestComponent(_ connectivity: MaskComponents.Connectivity) -> Mask {
        let components = components(connectivity)
        guard let largest = components.largest else { return self }
        return Mask(width: width, height: height, bits: components.labels.map { $0 == Int32(largest) })
    }

    /// The pixels of the region that touch, by a side, a pixel outside it or the image's edge.
    public var outline: Mask {
        var out = Mask(width: width, height: height, bits: [Bool](repeating: false, count: width * height))
        for y in 0..<height {
            for x in 0..<width where bits[y * width + x] {
                out[row: y, column: x] =
                    y == 0 || x == 0 || y == height - 1 || x == width - 1 || !self[row: y - 1, column: x]
                    || !self[row: y + 1, column: x] || !self[row: y, column: x - 1] || !self[row: y, column: x + 1]
            }
        }
        return out
    }
}

extension Mask {
    /// How many 4-connected regions there are: what `components(.four)` counts, with memory for the runs of two rows instead of
    /// labels for every pixel.
    public var componentCount: Int {
        var parents: [Int] = []
        func root(_ node: Int) -> Int {
            var node = node
            while parents[node] != node {
                parents[node] = parents[parents[node]]
                node = parents[node]
            }
            return node
        }
        var count = 0
        var above: [(start: Int, end: Int, node: Int)] = []
        for y in 0..<height {
            var row: [(start: Int, end: Int, node: Int)] = []
            var (x, next) = (0, 0)
            while x < width {
                guard bits[y * width + x] else {
                    x += 1
                    continue
                }
                let start = x
                while x < width && bits[y * width + x] { x += 1 }
                parents.append(parents.count)
                count += 1
                let node = parents.count - 1
                // Runs of the row above that touch this one; the last of them may touch the next one too.
                while next < above.count && above[next].end <= start { next += 1 }
                var touching = next
                while touching < above.count && above[touching].start < x {
                    let (a, b) = (root(node), root(above[touching].node))
                    if a != b {
                        parents[a] = b
                        count -= 1
                    }
                    touching += 1
                }
                row.append((start, x, node))
            }
            above = row
        }
        return count
    }
}
