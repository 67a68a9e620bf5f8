/// Study files to begin with; `vitrine study init --preset NAME` writes one.
public struct StudyPreset: Sendable {
    public let name: String
    public let summary: String
    /// A commented study file.
    public let text: String

    public static let all: [StudyPreset] = [paper, minimal, masks, disagreement]

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

    /// The protocols of two studies that rank methods otherwise, on the same images.
    static let disagreement = StudyPreset(
        name: "disagreement",
        summary:
            "two studies that rank methods otherwise, side by side (arXiv:2503.09535 by masks, arXiv:2510.12021 by insertion and deletion)",
        text: """
            # Chung et al. (arXiv:2503.09535) rank maps by experts' masks, a later study (arXiv:2510.12021) by insertion and deletion, and they do
            # not agree. This file runs both protocols on the same images, and what may turn the order: the metric, the removal rule, the sign
            # of Grad-CAM's projection, the layer. The report says which does. On phantoms, out of the box:
            #
            #   vitrine phantom --task colon --count 1200 --matched --seed 1 -o phantoms
            #   vitrine study run study.yaml && vitrine study report results -o report

            title: Which maps come first depends on what?
            seed: 0
            target: positive
            protocols: [study, corrected]

            metrics:
              # By masks, as arXiv:2503.09535 does. The first is the one that the verdict's "points at the lesion" asks.
              - pointing-game
              - iou@5
              - iou@10
              - iou@20
              - iou@40
              - average-precision
              # By asking the network, as arXiv:2510.12021 does; first of each, the patches are dropped.
              - deletion
              - insertion
              # The same under other removal rules.
              - deletion:removal=mean
              - insertion:removal=mean
              - deletion:removal=blur
              - insertion:removal=blur
              # The other questions of the verdict.
              - parameter-randomisation
              - class-sensitivity
              - quantisation-stability
              - gini

            methods:
              - attention
              - gradcam-study               # the first study's: LAPACK chooses the sign
              - chefer
              - gradcam
              - rollout
              # What may turn the order: the sign,
              - gradcam-study:sign=flipped
              - gradcam-eigen               # the sign that agrees with Grad-CAM
              # the conditioning,
              - chefer-stable
              # and the layer (block 1; block=last where nothing is said).
              - attention:block=1
              - hirescam
              - hirescam:block=1
              # What every map has to beat.
              - centre
              - random-patch

            datasets:
              phantoms: {kind: csv, path: phantoms/labels.csv, split: test, limit: 20}
              # Real images: a table with image, label, patient and mask, or a folder per class with masks beside the images or elsewhere.
              # lgg_mri: {kind: csv, path: lgg_mri/labels.csv, limit: 20}
              # ultrasound: {kind: folder, path: busi, limit: 20}

            models:
              # Two training runs from scratch: do their maps agree?
              - name: sup-seed1
                datasets: [phantoms]
                train: {init: scratch, model: "patch=8,width=96,depth=4,heads=3", image-size: 64, preprocess: "resize:64",
                  optimizer: adamw, learning-rate: 3e-4, weight-decay: 0.05, schedule: cosine-per-step, warmup: 2, clip-norm: 1,
                  epochs: 24, batch: 16, flip: true, seed: 1}
              - name: sup-seed2
                datasets: [phantoms]
                train: {init: scratch, model: "patch=8,width=96,depth=4,heads=3", image-size: 64, preprocess: "resize:64",
                  optimizer: adamw, learning-rate: 3e-4, weight-decay: 0.05, schedule: cosine-per-step, warmup: 2, clip-norm: 1,
                  epochs: 24, batch: 16, flip: true, seed: 2}
              # The architecture without what it learnt: a control.
              - {name: random, random-weights: sup-seed1, datasets: [phantoms]}
              # On real images, a fine-tuned checkpoint, or one column per initialisation, as both studies have them:
              # - {name: finetuned, path: weights/finetuned.pth, datasets: [ultrasound]}
              # - {pattern: "weights/{dataset}_{init}.pth", init: [sup, dino, mae], datasets: [lgg_mri]}

            output: results

            """)
}
