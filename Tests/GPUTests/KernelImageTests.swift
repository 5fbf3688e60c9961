import Foundation
import Testing

@testable import CUDA
@testable import GPU

/// What an image says of itself, and which one is taken or refused.
@Suite struct KernelImageTests {
  private static let others = String(repeating: "0", count: 32)

  private func error(_ body: () throws(KernelImageError) -> KernelImage) -> KernelImageError? {
    do throws(KernelImageError) {
      _ = try body()
      return nil
    } catch {
      return error
    }
  }

  @Test func theLabelIsRead() throws {
    let ptx = try SampleImage.ptx(architecture: 100, version: "8.6")
    #expect(ptx.form == .ptx)
    #expect(ptx.sources == KernelSources.transactions)
    #expect(ptx.architecture == 100)
    #expect(ptx.ptxVersion == 86)
    #expect(!ptx.isStale)
    let code = try SampleImage.machineCode(sources: Self.others)
    #expect(code.form == .machineCode)
    #expect(code.sources == Self.others)
    #expect(code.architecture == 90)
    #expect(code.ptxVersion == 0)
    #expect(code.isStale)
  }

  @Test(arguments: [
    "", "needletail kernels light, sources ", ".version 8.3\n.target sm_90",
    "// needletail kernels light, sources 0123, for sm_90, llvmlite 0.50.0",
    "// needletail kernels light, sources 0123456789abcdef0123456789abcdefg, for sm_90, ",
    "// needletail kernels light, sources 0123456789abcdef0123456789abcdef, for sm_x, ",
    "// needletail kernels light, sources 0123456789abcdef0123456789abcdef",
    "// needletail kernels heavy, sources 0123456789abcdef0123456789abcdef, for sm_90, ",
  ])
  func anImageWithoutALabelIsRefused(text: String) {
    let error = error { () throws(KernelImageError) in
      try KernelImage(name: "text", bytes: Array(text.utf8))
    }
    #expect(error?.code == .noLabel)
  }

  /// The digest of Swift and that of the compiler driver have to be the same, or every image is stale.
  @Test(.enabled(if: hasPython, "python3 is not on this machine"))
  func bothDigestsOfTheSourcesAgree() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let (status, text) = try Self.run(
      ["python3", root.appendingPathComponent("Tools/kernels/source_digest.py").path])
    #expect(status == 0)
    let groups = [
      KernelSources.transactions, KernelSources.coprocessors, KernelSources.precompiles,
    ]
    #expect(text == groups.joined(separator: "\n") + "\n")
  }

  private static let hasPython = (try? run(["python3", "--version"]))?.status == 0

  private static func run(_ arguments: [String]) throws -> (status: Int, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (Int(process.terminationStatus), String(decoding: data, as: UTF8.self))
  }

  @Test func machineCodeComesFirstWhereItRuns() throws {
    let images = KernelImages([try SampleImage.ptx(), try SampleImage.machineCode()])
    #expect(
      try images.image(of: .light, forComputeCapability: (9, 0), ptxVersion: 90).form
        == .machineCode)
    #expect(
      try images.image(of: .light, forComputeCapability: (10, 0), ptxVersion: 90).form == .ptx)
    let error = error { () throws(KernelImageError) in
      try images.image(of: .light, forComputeCapability: (8, 9), ptxVersion: 90)
    }
    #expect(error?.code == .unsuitableDevice)
    #expect(
      error?.description
        == "kernels: no image for a device of sm_89: sample machine code is for sm_90, sample PTX is "
        + "for sm_90 and later")
  }

  @Test func noImageSaysWhatToDo() {
    let error = error { () throws(KernelImageError) in
      try KernelImages([]).image(of: .light, forComputeCapability: (9, 0), ptxVersion: 90)
    }
    #expect(error?.code == .noImage)
    #expect(error?.description == "kernels: no kernel image: run `make kernels` and build again")
  }

  @Test func aStaleImageIsRefusedEvenBesideAFreshOne() throws {
    for images in [
      KernelImages([try SampleImage.ptx(sources: Self.others)]),
      KernelImages([try SampleImage.machineCode(sources: Self.others), try SampleImage.ptx()]),
      KernelImages([try SampleImage.machineCode(), try SampleImage.ptx(sources: Self.others)]),
    ] {
      let error = error { () throws(KernelImageError) in
        try images.image(of: .light, forComputeCapability: (9, 0), ptxVersion: 90)
      }
      #expect(error?.code == .stale)
      #expect(error?.reason.contains(Self.others) == true)
      #expect(error?.reason.contains(KernelSources.transactions) == true)
      #expect(error?.reason.hasSuffix("run `make kernels` and build again") == true)
    }
  }

  @Test func aModuleThatIsNotThereSaysWhatIs() throws {
    let error = error { () throws(KernelImageError) in
      try KernelImages([try SampleImage.ptx()])
        .image(of: .complete, forComputeCapability: (9, 0), ptxVersion: 90)
    }
    #expect(error?.code == .noImage)
    #expect(
      error?.reason.contains("no image of the module complete, only [\"sample PTX\"]") == true)
    let all = KernelImages(try KernelModule.allCases.map { try SampleImage.ptx($0) })
    for module in KernelModule.allCases {
      #expect(
        try all.image(of: module, forComputeCapability: (9, 0), ptxVersion: 90).module == module)
    }
  }

  @Test func aFolderOfImages() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for module in KernelModule.allCases {
      try SampleImage.ptx(module).withBytes { Data($0) }
        .write(to: folder.appendingPathComponent("\(module).ptx"))
    }
    try Data("no image".utf8).write(to: folder.appendingPathComponent("complete.ptxas.log"))
    #expect(
      try KernelImages(path: folder.path).images.map(\.module)
        == [.complete, .coprocessors, .light, .precompiles])
  }

  @Test func aDriverThatDoesNotReadThePTXIsTooOld() throws {
    let images = KernelImages([try SampleImage.ptx(version: "8.4")])
    #expect(
      try images.image(of: .light, forComputeCapability: (9, 0), ptxVersion: 84).ptxVersion == 84)
    let error = error { () throws(KernelImageError) in
      try images.image(of: .light, forComputeCapability: (9, 0), ptxVersion: 83)
    }
    #expect(error?.code == .driverTooOld)
    #expect(
      error?.reason == "sample PTX is PTX 8.4, the driver reads PTX 8.3 at most: install a newer "
        + "driver")
  }

  @Test func aFileThatCanNotBeReadNamesTheVariable() {
    let error = error { () throws(KernelImageError) in try KernelImage(path: "/nonexistent.ptx") }
    #expect(error?.code == .unreadableFile)
    #expect(error?.reason.hasPrefix("/nonexistent.ptx: ") == true)
    #expect(error?.reason.contains("NEEDLETAIL_KERNEL_IMAGE") == true)
  }

  /// Whatever this build embeds is labelled, and is both forms of the same kernels.
  @Test func theEmbeddedImagesGoTogether() throws {
    let images = try KernelImages.embedded().images
    print("embedded: \(images.isEmpty ? "no image" : images.map(\.name).joined(separator: ", "))")
    // Those of transactions have the same sources.
    let transactions = images.filter { [.light, .complete].contains($0.module) }
    #expect(Set(transactions.map(\.sources)).count <= 1)
    for module in KernelModule.allCases {
      #expect(Set(images.filter { $0.module == module }.map(\.sources)).count <= 1)
      let forms = images.filter { $0.module == module }.map(\.form)
      #expect(forms == (images.isEmpty ? [] : [.machineCode, .ptx]))
    }
  }
}
