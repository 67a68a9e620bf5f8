// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target: pointer use must be marked, and unmarked use does not compile.
let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatWarning("StrictMemorySafety", as: .error),
]

/// A module of the library; `Docs/Architecture.md` says who may import whom, and why.
func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

/// The tests of one module, in `Tests/<name>Tests`.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name + "Tests", dependencies: dependencies, swiftSettings: swiftSettings)
}

let package = Package(
    name: "Vitrine",
    products: [
        .executable(name: "vitrine", targets: ["vitrine"]),
        .library(name: "VitrineKit", targets: ["VitrineTensor", "VitrineImage", "VitrineModel", "VitrineExplain", "VitrineData"]),
    ],
    // Exact versions: two clones a year apart build the same program.
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/swiftcsv/SwiftCSV", exact: "0.10.0"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: [
        .target(name: "CVitrineKernels"),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CSPNG", pkgConfig: "spng", providers: [.apt(["libspng-dev"])]),
        .systemLibrary(name: "CWebP", pkgConfig: "libwebp", providers: [.apt(["libwebp-dev"])]),
        .systemLibrary(name: "CTIFF", pkgConfig: "libtiff-4", providers: [.apt(["libtiff-dev"])]),
        .systemLibrary(name: "COpenJPEG", pkgConfig: "libopenjp2", providers: [.apt(["libopenjp2-7-dev"])]),
        // libjpeg's own interface needs setjmp, which stays in C.
        .target(name: "CJPEG", linkerSettings: [.linkedLibrary("jpeg")]),
        // DCMTK's own pkg-config file asks for libraries that it does not need.
        .target(
            name: "CDICOM", dependencies: ["COpenJPEG"],
            linkerSettings: ["dcmjpeg", "dcmjpls", "dcmimage", "dcmimgle", "dcmdata", "oflog", "ofstd", "z"].map { .linkedLibrary($0) }),

        module("VitrineTensor", ["CVitrineKernels", "COpenBLAS", "COpenSSL"]),
        module("VitrineImage", ["VitrineTensor", "CVitrineKernels", "CSPNG", "CJPEG", "CTIFF", "CWebP", "COpenJPEG", "CDICOM"]),
        module("VitrineModel", ["VitrineTensor"]),
        module("VitrineExplain", ["VitrineModel", "VitrineImage", "VitrineTensor"]),
        module("VitrineData", ["VitrineImage", "VitrineTensor", .product(name: "SwiftCSV", package: "SwiftCSV")]),
        module("VitrineEvaluate", ["VitrineImage", "VitrineTensor"]),
        module(
            "VitrineTrain",
            [
                "VitrineModel", "VitrineData", "VitrineEvaluate", "VitrineImage", "VitrineTensor", .product(name: "Yams", package: "Yams"),
            ]),
        module("VitrineStore", ["VitrineImage", "VitrineTensor", .product(name: "GRDB", package: "GRDB.swift")]),
        module(
            "VitrineStudy",
            [
                "VitrineTensor", "VitrineImage", "VitrineModel", "VitrineExplain", "VitrineData", "VitrineEvaluate", "VitrineTrain",
                "VitrineStore", .product(name: "Yams", package: "Yams"),
            ]),
        .target(
            name: "VitrineReport", dependencies: ["VitrineStore", "VitrineEvaluate", "VitrineImage", "VitrineTensor"],
            resources: [.embedInCode("Assets")], swiftSettings: swiftSettings),
        .executableTarget(
            name: "vitrine",
            dependencies: [
                "VitrineTensor", "VitrineImage", "VitrineModel", "VitrineExplain", "VitrineData",
                "VitrineEvaluate", "VitrineTrain", "VitrineStore", "VitrineStudy", "VitrineReport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swiftSettings),

        tests("VitrineTensor", ["VitrineTensor"]),
        tests("VitrineImage", ["VitrineImage"]),
        .target(
            name: "ReferenceViT", dependencies: ["VitrineModel", "VitrineTensor"], path: "Tests/ReferenceViT",
            swiftSettings: swiftSettings),
        tests("VitrineModel", ["VitrineModel", "VitrineTensor", "ReferenceViT"]),
        tests("VitrineExplain", ["VitrineExplain", "VitrineModel", "VitrineImage", "VitrineTensor", "ReferenceViT"]),
        tests("VitrineData", ["VitrineData", "VitrineImage", "VitrineTensor"]),
        tests("VitrineEvaluate", ["VitrineEvaluate", "VitrineImage", "VitrineTensor"]),
        tests("VitrineTrain", ["VitrineTrain", "VitrineModel", "VitrineData", "VitrineImage", "VitrineTensor"]),
        tests(
            "VitrineStudy",
            [
                "VitrineStudy", "VitrineTensor", "VitrineImage", "VitrineModel", "VitrineExplain", "VitrineData", "VitrineEvaluate",
                "VitrineTrain", "VitrineStore", .product(name: "GRDB", package: "GRDB.swift"),
            ]),
        tests(
            "vitrine",
            [
                "vitrine", "VitrineStore", "VitrineStudy", "VitrineTensor", "VitrineImage", "VitrineModel", "VitrineExplain", "VitrineData",
                "VitrineEvaluate", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        tests("VitrineReport", ["VitrineReport", "VitrineStore", "VitrineStudy", "VitrineEvaluate", "VitrineImage", "VitrineTensor"]),
    ],
    cxxLanguageStandard: .cxx17
)
