import FakeCUDA

@testable import CUDA

/// The driver of `FakeCUDA.c`. It is one for the whole process: the suites that use it are below
/// `CUDATests`, which runs them one after the other.
enum FakeDriver {
  /// A driver over the fake library as it stands.
  static func load() throws -> Driver {
    try Driver(functions: DriverFunctions { fake_cuda_symbol($0) })
  }

  /// The context of the first device of a fresh fake.
  static func context() throws -> Context {
    fake_cuda_reset()
    return try Context(load().device(0))
  }

  /// What is there now, by kind; empty when all is freed.
  static var live: [String: Int] {
    let kinds: [(String, fake_cuda_kind)] = [
      ("contexts", FAKE_CUDA_CONTEXT), ("modules", FAKE_CUDA_MODULE),
      ("streams", FAKE_CUDA_STREAM), ("events", FAKE_CUDA_EVENT),
      ("device memory", FAKE_CUDA_DEVICE_MEMORY), ("pinned memory", FAKE_CUDA_PINNED_MEMORY),
    ]
    return Dictionary(uniqueKeysWithValues: kinds.map { ($0.0, Int(fake_cuda_live($0.1))) })
      .filter { $0.value != 0 }
  }

  /// The error that `body` throws; `nil` when it throws none.
  static func error(_ body: () throws -> Void) -> CUDAError? {
    do {
      try body()
      return nil
    } catch {
      return error as? CUDAError
    }
  }
}
