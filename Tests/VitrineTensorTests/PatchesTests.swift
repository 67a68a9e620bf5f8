import Testing
import VitrineTensor

@Suite struct PatchesTests {
    /// 2 channels of 5 x 7 pixels in patches of 2: a grid of 2 x 3, the last row and column left out, written from row 1 on.
    @Test func orderOfAConvolution() {
        let image = Tensor([2, 5, 7], (0..<70).map(Float.init))
        var rows = Tensor([8, 8], [Float](repeating: -1, count: 64))
        im2patches(image, patch: 2, into: &rows, at: 1)
        for gridRow in 0..<2 {
            for gridColumn in 0..<3 {
                for channel in 0..<2 {
                    for i in 0..<2 {
                        for j in 0..<2 {
                            #expect(
                                rows[at: 1 + gridRow * 3 + gridColumn, channel * 4 + i * 2 + j]
                                    == image[at: channel, gridRow * 2 + i, gridColumn * 2 + j])
                        }
                    }
                }
            }
        }
        #expect(rows[0].values.allSatisfy { $0 == -1 } && rows[7].values.allSatisfy { $0 == -1 })
    }

    /// <im2patches(x), y> = <x, patches2im(y)>, and pixels of no patch receive 0 whatever stood there.
    @Test func transpose() {
        let image = Tensor([3, 9, 11], normal(3 * 99, "image"))
        let patches = Tensor([7, 48], normal(7 * 48, "patches"))
        var cut = Tensor([7, 48])
        im2patches(image, patch: 4, into: &cut, at: 2)
        var back = Tensor([3, 9, 11], [Float](repeating: 5, count: 3 * 99))
        patches2im(patches, patch: 4, into: &back, at: 2)
        #expect(abs(dot(cut, patches) - dot(image, back)) < 1e-12)
        #expect(back[at: 0, 8, 0] == 0 && back[at: 2, 0, 10] == 0)
    }
}
