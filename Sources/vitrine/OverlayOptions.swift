import ArgumentParser
import VitrineImage

/// Flags that say how maps are drawn.
struct OverlayOptions: ParsableArguments {
    @Option(name: [.customLong("color-map"), .customLong("colormap")], help: "Colours of the map.")
    var colorMap: ColorMap = .viridis

    @Option(
        name: .customLong("overlay"),
        help: "value: as strong as the map is there, clear where it says nothing; constant: one strength everywhere; contour: lines.")
    var style: Overlay.Style = .value

    @Option(help: "Largest strength of the colour, 0...1 (default: 0.75; 0.5 for constant).")
    var alpha: Float?

    @Option(name: .customLong("frame"), help: "Draw on the image as stored, or on the part and size that the network saw.")
    var frame: Frame = .stored

    enum Frame: String, ExpressibleByArgument, CaseIterable { case stored, network }

    func validate() throws {
        guard (0...1).contains(alpha ?? 0.5) else { throw ValidationError("--alpha must lie between 0 and 1") }
    }

    /// - Parameter showsColorBar: false where the figure draws the bar.
    func overlay(showsColorBar: Bool) -> Overlay {
        Overlay(colorMap: colorMap, alpha: alpha ?? (style == .constant ? 0.5 : 0.75), style: style, showsColorBar: showsColorBar)
    }
}

extension ColorMap: ExpressibleByArgument {}
extension Overlay.Style: ExpressibleByArgument {}
