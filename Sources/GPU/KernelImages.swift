internal import CKernelImage
package import CUDA
internal import Foundation

/// The images at hand: those that the program embeds, or the one that the user names instead.
package struct KernelImages: Sendable {
  /// The variable that names the file of another image, or a folder of some, for work on kernels.
  package static let variable = "NEEDLETAIL_KERNEL_IMAGE"

  /// The images, machine code first: it needs no compiling.
  package let images: [KernelImage]

  /// These images.
  package init(_ images: [KernelImage]) {
    self.images = images.filter { $0.form == .machineCode } + images.filter { $0.form == .ptx }
  }

  /// The images of this run: those that NEEDLETAIL_KERNEL_IMAGE names, else what is embedded.
  package static func find() throws(KernelImageError) -> KernelImages {
    guard let path = ProcessInfo.processInfo.environment[variable], !path.isEmpty else {
      return try embedded()
    }
    return try KernelImages(path: path)
  }

  /// The image in a file, or those in a folder: its files that end in `.ptx` or `.cubin`.
  package init(path: String) throws(KernelImageError) {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      self.init([try KernelImage(path: path)])
      return
    }
    var images: [KernelImage] = []
    for name in names.sorted() where name.hasSuffix(".ptx") || name.hasSuffix(".cubin") {
      images.append(try KernelImage(path: "\(path)/\(name)"))
    }
    self.init(images)
  }

  /// The images that the program embeds; none in a build without `make kernels`.
  package static func embedded() throws(KernelImageError) -> KernelImages {
    var images: [KernelImage] = []
    for index in 0..<kernel_image_count() {
      let image = kernel_image(index)
      let span = UnsafeRawBufferPointer(start: image.start, count: image.count)
      images.append(try KernelImage(name: "embedded \(String(cString: image.name))", program: span))
    }
    return KernelImages(images)
  }

  /// The image of a module for a device: machine code where it fits, else PTX. `capability` is the
  /// device's and `ptxVersion` the newest that its driver reads.
  ///
  /// An image of other sources is refused, not left aside: what the user thinks is run would not be.
  package func image(
    of module: KernelModule, forComputeCapability capability: (major: Int, minor: Int),
    ptxVersion: Int
  ) throws(KernelImageError) -> KernelImage {
    guard !images.isEmpty else {
      throw KernelImageError(.noImage, "no kernel image: run `make kernels` and build again")
    }
    let images = images.filter { $0.module == module }
    guard !images.isEmpty else {
      throw KernelImageError(
        .noImage,
        "no image of the module \(module.rawValue), only \(self.images.map(\.name))"
          + " (\(Self.variable) names a file or a folder of images)")
    }
    for image in images where image.isStale {
      throw KernelImageError(
        .stale,
        "\(image.name) was made from other sources than this program (\(image.sources), not "
          + "\(module.digest)): run `make kernels` and build again")
    }
    let fitting = images.filter { $0.runs(onComputeCapability: capability) }
    guard let image = fitting.first else {
      let kinds = images.map {
        "\($0.name) is for sm_\($0.architecture)" + ($0.form == .ptx ? " and later" : "")
      }
      throw KernelImageError(
        .unsuitableDevice,
        "no image for a device of sm_\(capability.major)\(capability.minor): "
          + kinds.joined(separator: ", "))
    }
    if image.ptxVersion > ptxVersion {
      throw KernelImageError(
        .driverTooOld,
        "\(image.name) is PTX \(Driver.ptxText(image.ptxVersion)), the driver reads PTX "
          + "\(Driver.ptxText(ptxVersion)) at most: install a newer driver")
    }
    return image
  }

  /// The image of a module for a device.
  package func image(
    of module: KernelModule, for device: Device
  ) throws(GPUError) -> KernelImage {
    let capability: (major: Int, minor: Int)
    do throws(CUDAError) {
      capability = try device.computeCapability()
    } catch {
      throw .cuda(error)
    }
    do throws(KernelImageError) {
      return try image(
        of: module, forComputeCapability: capability, ptxVersion: device.driver.ptxVersion)
    } catch {
      throw .image(error)
    }
  }
}
