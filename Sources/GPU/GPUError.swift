package import CUDA
package import Coprocessors

/// Why the GPU can not be used.
package enum GPUError: Error, Hashable, Sendable {
  /// The driver or the device.
  case cuda(CUDAError)
  /// The kernels.
  case image(KernelImageError)
  /// The coprocessors that the transactions' kernels rely on.
  case coprocessor(CoprocessorError)
}

extension GPUError: CustomStringConvertible {
  /// One line that says what is wrong and what to do.
  package var description: String {
    switch self {
    case .cuda(let error): error.description
    case .image(let error): error.description
    case .coprocessor(let error): error.message
    }
  }
}
