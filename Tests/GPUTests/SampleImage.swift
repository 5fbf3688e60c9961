@testable import GPU

/// Images that are images only to the loader.
enum SampleImage {
  /// PTX that says it is of these sources.
  static func ptx(
    _ module: KernelModule = .light, sources: String? = nil,
    architecture: Int = 90, version: String = "8.3"
  ) throws(KernelImageError) -> KernelImage {
    let text = """
      // needletail kernels \(module), sources \(sources ?? module.digest), for sm_\(architecture), llvmlite 0.50.0
      //
      .version \(version)
      .target sm_\(architecture)
      """
    return try KernelImage(name: "sample PTX", bytes: Array(text.utf8))
  }

  /// Machine code that says so somewhere inside.
  static func machineCode(
    sources: String? = nil, architecture: Int = 90
  ) throws(KernelImageError) -> KernelImage {
    let label =
      "needletail kernels light, sources \(sources ?? KernelModule.light.digest), for sm_\(architecture), llvmlite 0.50.0"
    // What looks like the beginning of a label must not hide the label.
    let bytes: [UInt8] =
      [0x7F, 0x45, 0x4C, 0x46] + [UInt8](repeating: 0x6E, count: 500)
      + Array("needletail kern".utf8) + Array(label.utf8) + [0, 0, 0]
    return try KernelImage(name: "sample machine code", bytes: bytes)
  }
}
