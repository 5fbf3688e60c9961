// swift-tools-version: 6.2
import PackageDescription

// `make check` sets NEEDLETAIL_STRICT: warnings are errors there, and only there.
let strict: [SwiftSetting] =
  Context.environment["NEEDLETAIL_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)]

let settings: [SwiftSetting] =
  [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
  ] + strict

let package = Package(
  name: "needletail",
  products: [
    .library(name: "EVM", targets: ["EVM"]),
    .library(name: "Ethereum", targets: ["Ethereum"]),
    .library(name: "Execution", targets: ["Execution"]),
    .library(name: "Coprocessors", targets: ["Coprocessors"]),
    .executable(name: "needletail", targets: ["needletail"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
  ],
  targets: [
    .target(name: "CMachineForms"),
    .target(name: "EVM", dependencies: ["CMachineForms"], swiftSettings: settings),
    .target(
      name: "Kernels", dependencies: ["EVM"], exclude: ["Device"], swiftSettings: settings),
    .target(name: "Ethereum", dependencies: ["EVM"], swiftSettings: settings),
    .target(
      name: "Execution", dependencies: ["CMachineForms", "EVM", "Ethereum"],
      swiftSettings: settings),
    .target(name: "CUDA", swiftSettings: settings),
    .target(name: "CKernelImage", exclude: ["Image"]),
    .executableTarget(name: "SourceDigest", path: "Tools/digest", swiftSettings: settings),
    .plugin(name: "KernelSources", capability: .buildTool(), dependencies: ["SourceDigest"]),
    .target(
      name: "GPU",
      dependencies: [
        "CKernelImage", "CUDA", "Coprocessors", "EVM", "Ethereum", "Execution", "Kernels",
      ],
      swiftSettings: settings, plugins: ["KernelSources"]),
    .target(
      name: "Coprocessors", dependencies: ["EVM", "Ethereum", "Execution"],
      swiftSettings: settings),
    .systemLibrary(name: "CLMDB", providers: [.apt(["liblmdb-dev"])]),
    .target(
      name: "Storage", dependencies: ["CLMDB", "Coprocessors", "EVM", "Ethereum", "Execution"],
      swiftSettings: settings),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .target(
      name: "Node",
      dependencies: [
        "CZlib", "Coprocessors", "EVM", "Ethereum", "Execution", "Storage",
        .product(name: "Collections", package: "swift-collections"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOWebSocket", package: "swift-nio"),
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "needletail",
      dependencies: [
        "CUDA", "Coprocessors", "EVM", "Ethereum", "Execution", "GPU", "Kernels", "Node",
        "Storage",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "NIOCore", package: "swift-nio"),
      ],
      swiftSettings: settings),
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: settings),
    .testTarget(
      name: "EVMTests", dependencies: ["CMachineForms", "EVM", "TestSupport"],
      resources: [.copy("Vectors")],
      swiftSettings: settings),
    .testTarget(
      name: "KernelsTests", dependencies: ["EVM", "Kernels"], swiftSettings: settings),
    .testTarget(
      name: "EthereumTests", dependencies: ["EVM", "Ethereum", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "ExecutionTests", dependencies: ["EVM", "Ethereum", "Execution"],
      swiftSettings: settings),
    .target(name: "FakeCUDA", path: "Tests/FakeCUDA"),
    .testTarget(
      name: "CUDATests",
      dependencies: [
        "CUDA", "Coprocessors", "EVM", "Ethereum", "Execution", "FakeCUDA", "GPU", "Kernels",
        "TestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "GPUTests",
      dependencies: [
        "CUDA", "Coprocessors", "EVM", "Ethereum", "Execution", "GPU", "Kernels", "TestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "CoprocessorsTests", dependencies: ["EVM", "Ethereum", "Execution", "Coprocessors"],
      swiftSettings: settings),
    .testTarget(
      name: "NodeTests",
      dependencies: [
        "EVM", "Ethereum", "Execution", "GPU", "Node", "Storage",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOWebSocket", package: "swift-nio"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "StorageTests",
      dependencies: ["EVM", "Ethereum", "Execution", "Coprocessors", "Storage"],
      swiftSettings: settings),
    .testTarget(
      name: "CommandTests", dependencies: ["EVM", "Ethereum", "GPU", "TestSupport", "needletail"],
      swiftSettings: settings),
    .testTarget(
      name: "ConformanceTests",
      dependencies: ["EVM", "Ethereum", "Execution", "Coprocessors", "GPU", "TestSupport"],
      swiftSettings: settings),
  ]
)
