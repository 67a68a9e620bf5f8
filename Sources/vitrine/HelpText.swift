/// Parts of help pages.
enum HelpText {
    static let checkpoints = ["safetensors", "pth", "pt", "bin", "ckpt"]

    /// Names and what they are, broken at 78 columns with an indentation that the break keeps.
    static func list(_ entries: [(name: String, summary: String)]) -> String {
        entries.flatMap { entry in
            var lines = ["  \(entry.name):"]
            for word in entry.summary.split(separator: " ") {
                if lines[lines.count - 1].count + 1 + word.count > 78 {
                    lines.append("      " + word)
                } else {
                    lines[lines.count - 1] += " " + word
                }
            }
            return lines
        }.joined(separator: "\n")
    }

    /// The end of a command's help page.
    ///
    /// - Parameter command: the words after `vitrine`; empty for the program itself.
    static func examples(_ command: String) -> String {
        guard let lines = examples[command] else { return "" }
        return "\n\nEXAMPLES:\n" + lines.map { "  " + $0 }.joined(separator: "\n")
    }

    static let examples: [String: [String]] = [
        "": [
            "vitrine inspect model.safetensors", "vitrine explain --model model.safetensors --image scans --method gradcam -o maps",
            "vitrine study init --preset minimal -o study.yaml",
        ],
        "inspect": ["vitrine inspect model.pth", "vitrine inspect model.pth --heads 6 --json"],
        "methods": ["vitrine methods --family cam", "vitrine methods --json"],
        "explain": [
            "vitrine explain --model model.safetensors --image scan.png \\", "    --method attention chefer-stable -o maps",
            "vitrine explain --model model.pth --image patients --method gradcam \\", "    --target 1 --stability -o maps",
            "vitrine explain --model model.pth --image labels.csv --method attention:block=3 \\", "    --overlay contour -o maps",
        ],
        "evaluate": [
            "vitrine evaluate --maps maps --masks masks --metric pointing-game iou@10 \\", "    -o scores.csv",
            "vitrine evaluate --maps maps --model model.pth --images scans \\", "    --metric insertion deletion -o scores.csv",
            "vitrine evaluate --maps maps --masks masks --metric average-precision \\", "    --labels labels.csv -o scores.csv",
        ],
        "audit-masks": ["vitrine audit-masks masks", "vitrine audit-masks masks --mask-rule half --output masks.csv"],
        "figure": [
            "vitrine figure --results maps --masks masks --rows 3 -o figure.pdf",
            "vitrine figure --results maps --method gradcam chefer-stable --columns 4 \\",
            "    --scores scores.csv --metric iou@10 -o figure.svg",
        ],
        "phantom": ["vitrine phantom --task colon --count 200 --matched -o colon"],
        "data": ["vitrine data list", "vitrine data show scan.dcm"],
        "data list": ["vitrine data list"],
        "data prepare": ["vitrine data prepare --dataset kvasir --input kvasir-v2 --output kvasir-prepared"],
        "data show": ["vitrine data show scan.dcm", "vitrine data show scan.dcm --frame 3 --image frame.png"],
        "train": [
            "vitrine train --data images --init pretrained.safetensors -o run",
            "vitrine train --data labels.csv --init pretrained.safetensors \\", "    --set linear-probe=true -o run",
            "vitrine train --data images --init pretrained.safetensors --resume -o run",
        ],
        "trust": [
            "vitrine trust --model model.safetensors --data scans --masks masks -o trust", "vitrine trust --phantoms -o trust",
            "vitrine trust --phantoms --tasks two-causes --method family:cam -o trust",
        ],
        "study": [
            "vitrine study init --preset minimal -o study.yaml", "vitrine study run study.yaml", "vitrine study report results -o report",
        ],
        "study init": ["vitrine study init --preset minimal -o study.yaml"],
        "study run": ["vitrine study run study.yaml --dry-run", "vitrine study run study.yaml output=results"],
        "study train": ["vitrine study train study.yaml"],
        "study status": ["vitrine study status results"],
        "study report": ["vitrine study report results -o report"],
        "study merge": ["vitrine study merge results-1 results-2 -o results"],
        "study slurm": ["vitrine study slurm study.yaml -o job.sh"],
    ]
}
