internal import CKernelImage
package import CUDA

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// The images at hand: those that the program embeds, or the one that the user names instead.
package struct KernelImages: Sendable {
  /// The variable that names the file of another image, for work on kernels.
  package static let variable = "NEEDLETAIL_KERNEL_IMAGE"

  /// The images, machine code first: it needs no compiling.
  package let images: [KernelImage]

  /// These images.
  package init(_ images: [KernelImage]) {
    self.images = images.filter { $0.form == .machineCode } + images.filter { $0.form == .ptx }
  }

  /// The images of this run: the file that NEEDLETAIL_KERNEL_IMAGE names, else what is embedded.
  package static func find() throws(KernelImageError) -> KernelImages {
    if let path = getenv(variable), path.pointee != 0 {
      return KernelImages([try KernelImage(path: String(cString: path))])
    }
    return try embedded()
  }

  /// The images that the program embeds; none in a build without `make kernels`.
  package static func embedded() throws(KernelImageError) -> KernelImages {
    var images: [KernelImage] = []
    for (name, bytes) in [
      ("embedded machine code", kernel_image_sm_90()), ("embedded PTX", kernel_image_ptx()),
    ] where bytes.count > 0 {
      let span = UnsafeRawBufferPointer(start: bytes.start, count: bytes.count)
      images.append(try KernelImage(name: name, program: span))
    }
    return KernelImages(images)
  }

  /// The image for a device: machine code where it fits, else PTX. `capability` is the device's and
  /// `ptxVersion` the newest that its driver reads.
  ///
  /// An image of other sources is refused, not left aside: what the user thinks is run would not be.
  package func image(
    forComputeCapability capability: (major: Int, minor: Int), ptxVersion: Int
  ) throws(KernelImageError) -> KernelImage {
    guard !images.isEmpty else {
      throw KernelImageError(.noImage, "no kernel image: run `make kernels` and build again")
    }
    for image in images where image.isStale {
      throw KernelImageError(
        .stale,
        "\(image.name) was made from other sources than this program (\(image.sources), not "
          + "\(KernelSources.digest)): run `make kernels` and build again")
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

  /// The image for a device.
  package func image(for device: Device) throws(GPUError) -> KernelImage {
    let capability: (major: Int, minor: Int)
    do throws(CUDAError) {
      capability = try device.computeCapability()
    } catch {
      throw .cuda(error)
    }
    do throws(KernelImageError) {
      return try image(
        forComputeCapability: capability, ptxVersion: device.driver.ptxVersion)
    } catch {
      throw .image(error)
    }
  }
}
