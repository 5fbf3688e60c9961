import FakeCUDA
import Testing

@testable import CUDA

extension CUDATests {
  /// Loading, copies and launches, and what their errors say.
  @Suite struct WorkTests {
    private let context: Context

    init() throws { context = try FakeDriver.context() }

    private func load(
      _ text: String, options: Module.CompileOptions = Module.CompileOptions()
    ) throws -> Module {
      try Array(text.utf8).withUnsafeBytes {
        try Module(context, image: $0, options: options)
      }
    }

    private static let ptx = """
      // A comment, as our images have one.
      .version 8.3
      .target sm_90
      .visible .entry add() { ret; }
      """

    @Test func aLaunchReadsItsArguments() throws {
      let function = try load(Self.ptx).function("add")
      let stream = try Stream(context)
      let input = try PinnedBuffer<Int32>(context, count: 300)
      let output = try PinnedBuffer<Int32>(context, count: 300)
      let device = try DeviceBuffer<Int32>(context, count: 300)
      for index in 0..<300 {
        input[index] = Int32(index)
        output[index] = -1
      }
      try stream.upload(input, count: 300, to: device)
      try stream.launch(
        function, LaunchShape(lanes: 300, threads: 128), device.address, Int32(-5), 299)
      try stream.download(device, from: 100, count: 200, into: output, at: 100)
      try stream.synchronize()
      #expect(try stream.isDone())
      #expect(output[99] == -1)
      #expect(output[100] == 95)
      #expect(output[298] == 293)
      // The lane beyond the count did nothing.
      #expect(output[299] == 299)
      #expect(fake_cuda_faults() == 0)
    }

    @Test func theShapeCoversAllLanes() {
      for (lanes, threads, blocks) in [(1, 128, 1), (128, 128, 1), (129, 128, 2), (300, 1, 300)] {
        let shape = LaunchShape(lanes: lanes, threads: threads)
        #expect(shape.grid == (blocks, 1, 1))
        #expect(shape.block == (threads, 1, 1))
        #expect(shape.threads == blocks * threads)
      }
    }

    @Test func aFailedLaunchNamesTheKernelAndItsShape() throws {
      let function = try load(Self.ptx).function("add")
      let stream = try Stream(context)
      let error = FakeDriver.error {
        try stream.launch(
          function, LaunchShape(lanes: 4096, threads: 2048), DeviceAddress(rawValue: 0), 1, 1)
      }
      #expect(error?.status == 1)
      #expect(
        error?.description.contains(
          "cuLaunchKernel: unknown error (1); the kernel is add, 2 x 1 x 1 blocks of 2048 x 1 x 1")
          == true)
      #expect(error?.losesContext == false)
      let wild = FakeDriver.error {
        try stream.launch(
          function, LaunchShape(lanes: 1, threads: 1), DeviceAddress(rawValue: 16), Int32(1), 1)
      }
      #expect(wild?.losesContext == true)
    }

    @Test func theCompilersLogIsInTheError() throws {
      let error = FakeDriver.error { _ = try load("//" + String(repeating: "x", count: 80)) }
      #expect(
        error?.description
          == "CUDA: cuModuleLoadDataEx: CUDA_ERROR_INVALID_PTX (218): a PTX JIT compilation failed\n"
          + "ptxas fake, line 7; fatal: nothing to enter")
      let options = Module.CompileOptions(maximumRegisters: 96)
      #expect(try load(Self.ptx, options: options).log == "at most 96 registers")
    }

    @Test func whatIsNoImageIsRefusedBeforeTheDriverReadsIt() throws {
      for text in ["", "short", String(repeating: "neither ", count: 20)] {
        #expect(FakeDriver.error { _ = try load(text) }?.code == .malformedImage)
      }
      #expect(fake_cuda_calls("cuModuleLoadDataEx") == 0)
    }

    @Test func machineCodeThatIsCutOffIsRefused() throws {
      // The header names 3 sections of 64 bytes from byte 128 on.
      var image = [UInt8](repeating: 0, count: 320)
      image.replaceSubrange(0..<4, with: [0x7F, 0x45, 0x4C, 0x46])
      (image[0x28], image[0x3A], image[0x3C]) = (128, 64, 3)
      func load(_ bytes: Int) -> CUDAError? {
        FakeDriver.error {
          try image.withUnsafeBytes {
            _ = try Module(context, image: UnsafeRawBufferPointer(rebasing: $0[..<bytes]))
          }
        }
      }
      #expect(load(320) == nil)
      #expect(load(319)?.code == .malformedImage)
      image[0x2F] = 0xFF
      #expect(load(320)?.code == .malformedImage)
    }

    @Test func whatTheImageLacksIsNamed() throws {
      let module = try load(Self.ptx)
      #expect(
        FakeDriver.error { _ = try module.function("subtract") }?.description
          == "CUDA: cuModuleGetFunction: CUDA_ERROR_NOT_FOUND (500): named symbol not found; the "
          + "kernel asked for is subtract")
      #expect(FakeDriver.error { _ = try module.global("x") }?.reason.hasSuffix("is x") == true)
      #expect(try module.global("counter").bytes == 8)
    }

    @Test func outOfMemorySaysHowMuchThereIs() {
      let error = FakeDriver.error { _ = try DeviceBuffer<UInt64>(context, count: 1 << 28) }
      #expect(error?.isOutOfMemory == true)
      #expect(
        error?.description
          == "CUDA: cuMemAlloc_v2: CUDA_ERROR_OUT_OF_MEMORY (2): out of memory; asked for "
          + "2147483648 bytes, 805306368 of 1073741824 bytes are free")
    }

    @Test func unfinishedWorkIsNoError() throws {
      let stream = try Stream(context)
      let event = try Event(context, isTimed: false, sleeps: true)
      try event.record(on: stream)
      try stream.wait(for: event)
      fake_cuda_fail("cuStreamQuery", 600)
      fake_cuda_fail("cuEventQuery", 600)
      #expect(try !stream.isDone())
      #expect(try !event.isDone())
      #expect(try stream.isDone())
      #expect(try event.isDone())
      fake_cuda_fail("cuEventSynchronize", 700)
      #expect(FakeDriver.error { try event.synchronize() }?.losesContext == true)
    }

    @Test func eventsMeasure() throws {
      let stream = try Stream(context)
      let start = try Event(context)
      let end = try Event(context)
      try start.record(on: stream)
      try end.record(on: stream)
      try end.synchronize()
      #expect(try end.elapsed(since: start) == .microseconds(2500))
    }

    @Test func limitsAreSetAndRead() throws {
      try context.setLimit(.stackSize, to: 4096)
      #expect(try context.limit(.stackSize) == 4096)
      #expect(throws: CUDAError.self) {
        try context.setLimit(.persistingSecondLevelCacheSize, to: 1)
      }
      #expect(try context.memory() == (3 << 28, 1 << 30))
      try context.synchronize()
    }

    @Test func bytesAreFilledAndCopiedOnTheDevice() throws {
      let stream = try Stream(context)
      let from = try DeviceBuffer<UInt16>.copy(of: [1, 2, 3, 4], in: context)
      let to = try DeviceBuffer<UInt16>(context, count: 4)
      try stream.fill(to, with: 0xFF)
      try stream.copy(from.address(of: 1, count: 2), to: to.address(of: 2, count: 2), bytes: 4)
      #expect(try to.elements() == [0xFFFF, 0xFFFF, 2, 3])
    }
  }
}
