/// Study files to begin with; `vitrine study init --preset NAME` writes one.
public struct StudyPreset: Sendable {
    public let name: String
    public let summary: String
    /// A commented study file.
    public let text: String

    public static let all: [StudyPreset] = [paper, minimal, masks]

    /// Four medical data sets, four initialisations, three methods, five metrics (Chung et al. 2024, arXiv:2503.09535).
    public static let paper = StudyPreset(
        name: "paper", summary: "four medical data sets x scratch, sup, dino, mae, as in Chung et al. 2024 (arXiv:2503.09535)",
        text: """
            # Chung, Won, Kim, Kim & Ozbulak, "Evaluating Visual Explanations of Attention Maps for Transformer-based Medical
            # Imaging" (arXiv:2503.09535): 4 data sets x 4 initialisations x 3 methods x 5 metrics.
            # Paths are relative to this file. Run it with: vitrine study run study.yaml

            title: Visual explanations of vision transformers on four medical tasks
            seed: 0
            # The class that is explained: positive, predicted, label, or an index.
            target: positive

            # study: the publication's choices to the last pixel; corrected: unbiased choices. Side by side in the report.
            protocols: [study, corrected]
            metrics: [pointing-game, iou@5, iou@10, iou@20, iou@40]
            # More: average-precision, auroc, energy-pointing-game, dice@10, mass-accuracy, rank-accuracy.

            methods:
              # The publication's three.
              - attention
              - gradcam-study
              - chefer
              # What they should have been compared with.
              # - gradcam                  # the gradient's own map, without projection
              # - gradcam-eigen            # the projection with its sign fixed
              # - chefer-stable            # the same relevance, well-conditioned
              # - rollout
              # Controls know nothing of the model; a method that does not beat them does not localise.
              - random-patch
              - centre
              # - mask-prior               # the mean of the other patients' masks
              # - edge
              # - constant

            # The published folders, prepared with: vitrine data prepare. Masks carry the names of their images.
            datasets:
              cpchild:
                path: data/cpchild
                annotations: masks/cpchild
                split: test
              duke:
                path: data/duke
                annotations: masks/duke
              kvasir:
                path: data/kvasir
                annotations: masks/kvasir
              mura:
                path: data/mura
                annotations: masks/mura
                split: test

            # One column per initialisation, one file per data set and column.
            models:
              - pattern: weights/{dataset}_{init}.pth
                init: [scratch, sup, dino, mae]
              # Or trained first, with the publication's recipes; cpchild and mura bring a split, the others need draw-split:
              # - init: [scratch, sup, dino, mae]
              #   datasets: [cpchild, mura]
              #   train: {recipe: "{dataset}-{init}", init: "pretrained/{init}.pth"}
              # The architecture without what it learnt: a control too.
              # - name: random-weights
              #   random-weights: sup

            # How far each map moves under noise of half a grey level: ten more passes per image and model.
            stability: false
            # Permutations behind a chance level without a closed form.
            permutations: 1000
            # Images that go through the network together; results do not depend on it.
            batch: 1
            # Threads; 0 is one per core. Results do not depend on it.
            workers: 0
            output: results

            """)

    static let minimal = StudyPreset(
        name: "minimal", summary: "one data set, one model",
        text: """
            title: My study
            methods: [attention, gradcam, chefer-stable, random-patch, centre]
            datasets:
              mine:
                kind: csv               # columns image, label, patient, mask, split
                path: data/labels.csv
            models:
              - name: mine
                path: weights/model.safetensors
            output: results

            """)

    static let masks = StudyPreset(
        name: "masks", summary: "masks alone: what maps that know nothing of the image score on them",
        text: """
            title: Controls on the experts' masks
            methods: ["random-patch:upsampling=nearest", random-pixel, centre, constant, mask-prior]
            datasets:
              cpchild: {kind: masks, path: masks/cpchild}
              duke: {kind: masks, path: masks/duke}
              kvasir: {kind: masks, path: masks/kvasir}
              mura: {kind: masks, path: masks/mura}
            models: []
            output: results

            """)
}
