import Testing
import VitrineTensor

@Suite struct WorkspaceTests {
    private func pass(_ workspace: Workspace) -> [Float] {
        var a = workspace.tensor([10, 100])
        a.fill(2)
        var b = workspace.zeros([1000])
        add(a, to: &b)
        // Nearly the same size shares a capacity.
        var c = workspace.tensor([998])
        c.fill(1)
        return [b.values[999], c.values[0]]
    }

    @Test func theSecondPassAllocatesNothing() {
        let workspace = Workspace()
        #expect(pass(workspace) == [2, 1])
        let first = workspace.allocatedCount
        #expect(first >= 3 * 998)
        for _ in 0..<5 { #expect(pass(workspace) == [2, 1]) }
        #expect(workspace.allocatedCount == first)
    }

    @Test func memoryReturnsOnlyWhenTheLastViewGoes() {
        let workspace = Workspace()
        var view: Tensor? = {
            var whole = workspace.tensor([4, 64])
            whole.fill(3)
            return whole[2]
        }()
        var other = workspace.tensor([4, 64])
        other.fill(7)
        #expect(view!.values == [Float](repeating: 3, count: 64))
        let count = workspace.allocatedCount
        view = nil
        var third = workspace.tensor([4, 64])
        third.fill(1)
        #expect(workspace.allocatedCount == count)
        #expect(other.values.allSatisfy { $0 == 7 })
    }

    @Test func tensorsOutliveTheirWorkspace() {
        var workspace: Workspace? = Workspace()
        var tensor = workspace!.zeros([65])
        workspace = nil
        tensor.fill(4)
        #expect(sum(tensor) == 260)
    }

    @Test func poison() {
        let workspace = Workspace(poisons: true)
        #expect(workspace.tensor([70]).values.allSatisfy { $0.isNaN })
        #expect(workspace.zeros([70]).values.allSatisfy { $0 == 0 })
        #expect(workspace.tensor([70]).values.allSatisfy { $0.isNaN })
    }
}
