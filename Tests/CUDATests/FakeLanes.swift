import Coprocessors
import FakeCUDA
import Kernels

@testable import CUDA
@testable import GPU

/// The fake driver with launches that run the kernels' lanes on the host.
enum FakeLanes {
  /// The first device of a fresh fake whose launches run.
  static func context() throws -> Context {
    fake_cuda_reset()
    fake_cuda_run { name, threads, parameters in
      guard let name, let place = parameters?[0]?.assumingMemoryBound(to: UInt.self),
        let arguments = UnsafeRawPointer(bitPattern: place.pointee)
      else { return 500 }
      return FakeLanes.run(String(cString: name), Int(threads), arguments)
    }
    return try Context(FakeDriver.load().device(0))
  }

  /// Runs a kernel; gives the launch's status.
  private static func run(_ name: String, _ threads: Int, _ arguments: UnsafeRawPointer) -> Int32 {
    if let kernel = CoprocessorKernel(rawValue: name) {
      do throws(CoprocessorError) {
        // Where the arguments end only the kernel knows.
        try HostCoprocessorMachine().run(
          kernel, lanes: threads, UnsafeRawBufferPointer(start: arguments, count: 1))
        return 0
      } catch {
        return 719
      }
    }
    let arguments = arguments.assumingMemoryBound(to: TransactionKernel.Arguments.self)
    // Lanes without a transaction do nothing but clear their memory.
    let lanes = min(threads, arguments.pointee.count)
    switch name {
    case "execute_light":
      let memory = UnsafeMutableRawPointer.allocate(
        byteCount: TransactionKernel.localBytes, alignment: 64)
      defer { memory.deallocate() }
      for lane in 0..<lanes {
        TransactionKernel.lane(lane, arguments, memory: memory, with: LightPrecompiles.self)
      }
    case "execute_complete":
      guard let workspaces = arguments.pointee.workspaces else { return 700 }
      let stride = TransactionKernel.stride(arguments.pointee.sizes)
      for lane in 0..<lanes {
        TransactionKernel.lane(
          lane, arguments, memory: workspaces + lane * stride, with: AllPrecompiles.self)
      }
    default: return 500
    }
    return 0
  }

  /// An image of a module to the loader.
  static func image(_ module: KernelModule) throws(KernelImageError) -> KernelImage {
    let text = """
      // needletail kernels \(module.rawValue), sources \(module.digest), for sm_90, llvmlite 0.50.0
      //
      .version 8.3
      .target sm_90
      .visible .entry lanes() { ret; }
      """
    return try KernelImage(name: "sample \(module.rawValue)", bytes: Array(text.utf8))
  }
}
