import VitrineImage
import VitrineTensor

/// SLIC superpixels in RGB: clusters of pixels by colour and place.
///
/// Centres on a grid of spacing S = sqrt(n / K); ten rounds of assigning each pixel to the nearest centre within S, by
/// d² = dc² + (10 / S)² ds² with colours from 0 to 100, and of moving the centres to the means. Equal distances go to the centre that
/// comes first. Stray pixels are not joined to their surroundings (the original's last step).
/// Source: Achanta et al. 2012, https://doi.org/10.1109/TPAMI.2012.120.
enum Superpixels {
    /// The segment of every pixel, and the number of segments; each holds a pixel at least.
    ///
    /// - Parameters:
    ///   - image: `[channels, height, width]`, normalised; `scale` brings it back to grey levels.
    ///   - count: about how many.
    /// - Complexity: O(40 · pixels).
    static func segments(_ image: Tensor, _ scale: ChannelScale, count: Int) -> (labels: [Int], count: Int) {
        let (channels, height, width) = (image.shape[0], image.shape[1], image.shape[2])
        let plane = height * width
        let values = image.values
        let colors = values.indices.map { i -> Double in
            let c = i / plane
            return 100 * (Double(values[i]) * Double(scale.deviation[c]) + Double(scale.mean[c]))
        }
        let spacing = (Double(plane) / Double(count)).squareRoot()
        let (rows, columns) = (max(1, Int((Double(height) / spacing).rounded())), max(1, Int((Double(width) / spacing).rounded())))
        // One centre: its place, then its colour.
        var centres = (0..<rows * columns).map { k -> [Double] in
            let y = (Double(k / columns) + 0.5) * Double(height) / Double(rows) - 0.5
            let x = (Double(k % columns) + 0.5) * Double(width) / Double(columns) - 0.5
            let pixel = min(height - 1, Int(y.rounded())) * width + min(width - 1, Int(x.rounded()))
            return [y, x] + (0..<channels).map { colors[$0 * plane + pixel] }
        }
        let weight = (10 / spacing) * (10 / spacing)
        let reach = spacing
        var labels = [Int](repeating: 0, count: plane)
        for _ in 0..<10 {
            var nearest = [Double](repeating: .infinity, count: plane)
            for (k, centre) in centres.enumerated() {
                let top = max(0, Int((centre[0] - reach).rounded(.up)))
                let bottom = min(height - 1, Int(centre[0] + reach))
                let left = max(0, Int((centre[1] - reach).rounded(.up)))
                let right = min(width - 1, Int(centre[1] + reach))
                guard top <= bottom, left <= right else { continue }
                for y in top...bottom {
                    for x in left...right {
                        let (dy, dx) = (Double(y) - centre[0], Double(x) - centre[1])
                        var distance = weight * (dy * dy + dx * dx)
                        for c in 0..<channels {
                            let d = colors[c * plane + y * width + x] - centre[2 + c]
                            distance += d * d
                        }
                        if distance < nearest[y * width + x] {
                            nearest[y * width + x] = distance
                            labels[y * width + x] = k
                        }
                    }
                }
            }
            var sums = centres.map { $0.map { _ in 0.0 } }
            var sizes = [Double](repeating: 0, count: centres.count)
            for i in 0..<plane {
                let k = labels[i]
                sizes[k] += 1
                sums[k][0] += Double(i / width)
                sums[k][1] += Double(i % width)
                for c in 0..<channels { sums[k][2 + c] += colors[c * plane + i] }
            }
            for k in centres.indices where sizes[k] > 0 { centres[k] = sums[k].map { $0 / sizes[k] } }
        }
        var names = [Int](repeating: -1, count: centres.count)
        var found = 0
        for i in 0..<plane {
            if names[labels[i]] < 0 {
                names[labels[i]] = found
                found += 1
            }
            labels[i] = names[labels[i]]
        }
        return (labels, found)
    }
}
