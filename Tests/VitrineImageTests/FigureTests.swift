import Testing
import VitrineImage

@Suite struct FigureTests {
    @Test(arguments: ColorMap.allCases) func colorsMatchMatplotlib(map: ColorMap) throws {
        let expected = try #require(ImageFixtures.expected.colors.maps[map.rawValue])
        let found = ImageFixtures.expected.colors.values.flatMap { value in
            let color = map.color(at: value)
            return [color.red, color.green, color.blue]
        }
        #expect(found == expected)
        #expect(map.color(at: .nan) == map.table[0] && map.color(at: -1) == map.table[0] && map.color(at: 2) == map.table[255])
    }

    @Test func blendByHand() {
        let image = Image(width: 2, height: 1, channels: 1, pixels: [100, 200])
        let overlay = Overlay(colorMap: .jet, alpha: 0.25)
        // jet starts at (0, 0, 127) and ends at (127, 0, 0) in matplotlib's bytes.
        let (low, high) = (ColorMap.jet.table[0], ColorMap.jet.table[255])
        let pixels = overlay.blended([0, 1], over: image).pixels
        #expect(pixels[2] == UInt8((75 + 0.25 * Double(low.blue)).rounded()))
        #expect(pixels[3] == UInt8((150 + 0.25 * Double(high.red)).rounded()))
        #expect(pixels[0] == 75 && pixels[1] == 75 && pixels[4] == 150)
    }

    @Test func soundMapGetsColoursOutlineAndBar() {
        let map = HeatMap(rows: 1, columns: 2, values: [-2, 3], height: 20, width: 40, display: .attention)
        let mask = PixelRectangle(top: 5, left: 10, width: 6, height: 6).mask(width: 40, height: 20)
        let grey = Image(width: 40, height: 20, channels: 1)
        let overlay = Overlay(alpha: 1)
        let picture = overlay.picture(of: map, over: grey, outline: mask)
        #expect(picture.width > 40 && picture.height == 20 && picture.channels == 3)
        func color(_ y: Int, _ x: Int) -> Color {
            let at = (y * picture.width + x) * 3
            return Color(picture.pixels[at], picture.pixels[at + 1], picture.pixels[at + 2])
        }
        #expect(color(0, 0) == ColorMap.viridis.table[0] && color(19, 39) == ColorMap.viridis.table[255])
        #expect(color(5, 10) == .white && color(7, 12) == ColorMap.viridis.table[0])
        // The bar: high values on top, a black frame.
        #expect(color(1, 50) == ColorMap.viridis.color(at: 1 - 1.5 / 20) && color(0, 50) == .black)
    }

    @Test(arguments: [[Float.nan, 1], [2, 2], [.infinity, 0]]) func unsoundMapIsNotDrawnAsNoise(values: [Float]) {
        let map = HeatMap(rows: 1, columns: 2, values: values, height: 30, width: 90, display: .attention)
        let grey = generatedImage(width: 90, height: 30, channels: 3, seed: 4)
        let picture = Overlay().picture(of: map, over: grey)
        #expect(picture.width == 90 && picture.height == 30)
        // Below the words the image is untouched.
        #expect(Array(picture.pixels[(20 * 90 * 3)...]) == Array(grey.pixels[(20 * 90 * 3)...]))
        #expect(picture != grey)
    }

    @Test func textIsDrawnDotByDot() {
        var canvas = Canvas(width: 11, height: 9)
        canvas.draw("Lé", top: 0, left: 0)
        let rows = (0..<9).map { y in
            String((0..<11).map { x in canvas.image.pixels[(y * 11 + x) * 3] == 0 ? "#" : "." })
        }
        #expect(
            rows == [
                "#.....#####", "#.....#...#", "#.....#...#", "#.....#...#", "#.....#...#", "#.....#...#", "#####.#####", "...........",
                "...........",
            ])
        #expect(Canvas.textWidth("Lé") == 11 && Canvas.textWidth("", scale: 2) == 0 && Canvas.textHeight(scale: 2) == 18)
    }

    @Test func drawingOutsideIsCutOff() {
        var canvas = Canvas(width: 4, height: 4)
        canvas.fill(PixelRectangle(top: -3, left: -3, width: 20, height: 20), with: .red)
        canvas.draw(Image(width: 9, height: 9, channels: 1), top: 2, left: -7)
        canvas.draw("word", top: -4, left: 2)
        canvas.frame(PixelRectangle(top: 10, left: 10, width: 2, height: 2), with: .black)
        #expect(canvas.image.width == 4 && canvas.image.height == 4)
        #expect(Array(canvas.image.pixels[(2 * 4 * 3)..<(2 * 4 * 3 + 6)]) == [0, 0, 0, 0, 0, 0], "the picture's last two columns")
    }

    @Test func gridPlacesPicturesAndLabels() {
        let white = Image(width: 10, height: 10, channels: 1, pixels: [UInt8](repeating: 255, count: 100))
        let black = Image(width: 10, height: 10, channels: 1)
        let grid = PictureGrid(pictures: [[white, black], [nil, black]], gap: 2, textScale: 1)
        let figure = grid.image()
        #expect(figure.width == 2 + 12 + 12 && figure.height == 2 + 12 + 12)
        func isBlack(_ y: Int, _ x: Int) -> Bool { figure.pixels[(y * figure.width + x) * 3] == 0 }
        #expect(isBlack(2, 14) && isBlack(23, 23) && !isBlack(2, 13) && !isBlack(14, 2))
        let labelled = PictureGrid(
            title: "t", columnLabels: ["a", "b"], rowLabels: ["one", "two"], pictures: [[white, black], [nil, black]], gap: 2,
            textScale: 1
        ).image()
        #expect(labelled.width == figure.width + Canvas.textWidth("one") + 2)
        #expect(labelled.height == figure.height + 9 + 2 + 9 + 1)
        #expect(PictureGrid(pictures: []).image().width >= 1)
    }

    @Test func previewStretchesTheRange() {
        let image = Image.preview(planes: [-1, 0, 0, 1, 1, .nan], channels: 3, width: 2, height: 1)
        #expect(image.pixels == [0, 128, 255, 128, 255, 0])
    }
}
