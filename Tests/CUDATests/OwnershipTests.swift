import FakeCUDA
import Foundation
import Testing

@testable import CUDA

extension CUDATests {
  /// Everything is freed once, in its context, in whatever order the owners go.
  @Suite struct OwnershipTests {
    private static let ptx =
      "// nothing\n.version 8.3\n.target sm_90\n.visible .entry add() { ret; }"

    private func module(_ context: Context) throws -> Module {
      try Self.ptx.utf8CString.withUnsafeBytes {
        try Module(context, image: UnsafeRawBufferPointer(rebasing: $0.dropLast()))
      }
    }

    @Test func everythingIsFreedOnce() throws {
      do {
        let context = try FakeDriver.context()
        let stream = try Stream(context)
        let event = try Event(context)
        let module = try module(context)
        let device = try DeviceBuffer<UInt64>(context, count: 10)
        let pinned = try PinnedBuffer<UInt64>(context, count: 10)
        try event.record(on: stream)
        #expect(
          FakeDriver.live == [
            "contexts": 1, "modules": 1, "streams": 1, "events": 1, "device memory": 1,
            "pinned memory": 1,
          ])
        _ = (module, device.count, pinned.count)
      }
      #expect(FakeDriver.live.isEmpty)
      #expect(fake_cuda_faults() == 0)
      #expect(fake_cuda_calls("cuMemFree_v2") == 1)
    }

    @Test func aFunctionKeepsItsModuleAndContext() throws {
      func makeFunction() throws -> Function {
        try module(FakeDriver.context()).function("add")
      }
      do {
        let function = try makeFunction()
        #expect(FakeDriver.live == ["contexts": 1, "modules": 1])
        #expect(try function.attribute(.registers) == 128)
        try function.prefer(.firstLevel)
        try function.set(.preferredSharedMemoryCarveout, to: 0)
        #expect(try function.residentBlocks(threads: 128) == 16)
      }
      #expect(FakeDriver.live.isEmpty)
      #expect(fake_cuda_faults() == 0)
    }

    @Test func bufferKeepsItsContext() throws {
      func makeBuffer() throws -> DeviceBuffer<Int32> {
        try DeviceBuffer.copy(of: [1, 2, 3], in: FakeDriver.context())
      }
      do {
        let buffer = try makeBuffer()
        #expect(try buffer.elements() == [1, 2, 3])
      }
      #expect(FakeDriver.live.isEmpty)
      #expect(fake_cuda_faults() == 0)
    }

    @Test func whatCanNotBeMadeIsNotFreed() throws {
      do {
        let context = try FakeDriver.context()
        for (name, make) in [
          ("cuMemAlloc_v2", { _ = try DeviceBuffer<UInt8>(context, count: 1) }),
          ("cuMemHostAlloc", { _ = try PinnedBuffer<UInt8>(context, count: 1) }),
          ("cuStreamCreate", { _ = try Stream(context) }),
          ("cuEventCreate", { _ = try Event(context) }),
          ("cuModuleLoadDataEx", { _ = try module(context) }),
          ("cuCtxSetCurrent", { _ = try Stream(context) }),
        ] as [(String, () throws -> Void)] {
          fake_cuda_fail(name, 999)
          #expect(FakeDriver.error(make)?.status == 999, "\(name)")
          #expect(FakeDriver.live == ["contexts": 1], "\(name)")
        }
        // Memory that was had but could not be filled.
        fake_cuda_fail("cuMemcpyHtoD_v2", 999)
        #expect(
          FakeDriver.error { _ = try DeviceBuffer<UInt8>.copy(of: [1], in: context) }?.status == 999
        )
        #expect(FakeDriver.live == ["contexts": 1])
      }
      fake_cuda_fail("cuDevicePrimaryCtxRetain", 999)
      let driver = try FakeDriver.load()
      #expect(FakeDriver.error { _ = try Context(driver.device(1)) }?.status == 999)
      #expect(FakeDriver.live.isEmpty)
      #expect(fake_cuda_faults() == 0)
    }

    @Test func nothingIsAskedForAnEmptyBuffer() throws {
      let context = try FakeDriver.context()
      do {
        let device = try DeviceBuffer<UInt64>(context, count: 0)
        let pinned = try PinnedBuffer<UInt64>(context, count: 0)
        let stream = try Stream(context)
        try stream.upload(pinned, count: 0, to: device)
        try stream.download(device, count: 0, into: pinned)
        try stream.fill(device)
        #expect(try device.elements().isEmpty)
      }
      for name in ["cuMemAlloc_v2", "cuMemFree_v2", "cuMemHostAlloc", "cuMemFreeHost"] {
        #expect(fake_cuda_calls(name) == 0)
      }
      #expect(fake_cuda_faults() == 0)
    }

    @Test func everyThreadHasTheContext() throws {
      let context = try FakeDriver.context()
      let failures = Failures()
      DispatchQueue.concurrentPerform(iterations: 32) { index in
        do {
          let buffer = try DeviceBuffer<Int>.copy(of: [index, index + 1], in: context)
          let stream = try Stream(context)
          try stream.synchronize()
          if try buffer.elements() != [index, index + 1] { failures.add("\(index)") }
        } catch {
          failures.add("\(error)")
        }
      }
      #expect(failures.texts.isEmpty)
      #expect(FakeDriver.live == ["contexts": 1])
      #expect(fake_cuda_faults() == 0)
    }
  }
}

/// What went wrong on some threads.
///
/// `@unchecked Sendable`: the lock keeps accesses apart.
private final class Failures: @unchecked Sendable {
  private let lock = NSLock()
  private var stored: [String] = []

  var texts: [String] { lock.withLock { stored } }
  func add(_ text: String) { lock.withLock { stored.append(text) } }
}
