import Foundation
import VitrineExplain
import VitrineModel
import VitrineStore

extension StudyPictures {
    public func passes(model: Int) throws(StoreError) -> [Int: NetworkPasses] {
        guard let checkpoint = try store.checkpoints().first(where: { $0.modelID == model }),
            let network = try? JSONDecoder().decode(ViTConfiguration.self, from: Data(checkpoint.architecture.utf8)),
            let unit = try store.units(model: model).first, let grid = try? network.grid(height: unit.height, width: unit.width)
        else { return [:] }
        var result: [Int: NetworkPasses] = [:]
        for method in try store.methods() where !method.isControl {
            guard let passes = try? ConfiguredMethod(method.name).passes(network, grid: grid) else { continue }
            result[method.id] = NetworkPasses(forward: passes.forward, backward: passes.backward)
        }
        return result
    }
}
