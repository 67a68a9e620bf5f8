// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Benchmarks",
    dependencies: [.package(name: "Vitrine", path: "..")],
    targets: [
        .executableTarget(
            name: "vitrine-bench", dependencies: [.product(name: "VitrineKit", package: "Vitrine")],
            swiftSettings: [.swiftLanguageMode(.v6)])
    ])
