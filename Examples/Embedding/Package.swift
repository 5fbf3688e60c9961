// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "embedding",
  dependencies: [.package(name: "needletail", path: "../..")],
  targets: [
    .executableTarget(
      name: "Embedding",
      dependencies: [
        .product(name: "EVM", package: "needletail"),
        .product(name: "Ethereum", package: "needletail"),
        .product(name: "Execution", package: "needletail"),
      ])
  ]
)
