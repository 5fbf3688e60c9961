package import CUDA
import EVM
import Kernels

/// The images that a device needs to execute transactions.
package struct TransactionKernelImages: Sendable {
  package let light: KernelImage
  /// `nil` where the user names the file of a light one: then what is not light ends in an error.
  let complete: KernelImage?
  /// Those of coprocessors, which answer calls of precompiles; fewer or none where the user names a file
  /// or a folder without them, and then the CPU answers.
  package let coprocessors: [KernelImage]

  /// Those that fit a device.
  package init(_ images: KernelImages, for device: Device) throws(GPUError) {
    light = try images.image(of: .light, for: device)
    complete =
      images.images.contains { $0.module == .complete }
      ? try images.image(of: .complete, for: device) : nil
    var coprocessors: [KernelImage] = []
    for module in [KernelModule.coprocessors, .precompiles]
    where images.images.contains(where: { $0.module == module }) {
      coprocessors.append(try images.image(of: module, for: device))
    }
    self.coprocessors = coprocessors
  }
}

/// A GPU with the transaction kernels loaded and a state in its memory.
///
/// One caller at a time.
package final class TransactionDevice {
  package let context: Context
  let light: Function
  private let images: TransactionKernelImages
  private var loadedComplete: Function?
  private(set) var state: DeviceState?

  /// A device with the kernels of these images.
  package init(_ context: Context, _ images: TransactionKernelImages) throws(CUDAError) {
    self.context = context
    self.images = images
    light = try images.light.load(into: context).function("execute_light")
    // Lanes share nothing: all of it is cache.
    try light.set(.preferredSharedMemoryCarveout, to: 0)
  }

  /// The kernel for all transactions, loaded when the first batch needs it.
  func complete() throws(CUDAError) -> Function {
    if let loadedComplete { return loadedComplete }
    guard let image = images.complete else {
      throw CUDAError(
        .malformedImage,
        "\(images.light.name) has only light kernels, and some transactions need the module "
          + "complete: let \(KernelImages.variable) name a folder with both")
    }
    let function = try image.load(into: context).function("execute_complete")
    loadedComplete = function
    return function
  }

  /// Uploads a state, in place of the one before.
  package func load(_ image: StateImage) throws(CUDAError) {
    state = nil
    state = try DeviceState(image, context)
  }
}

/// The blocks of an image in a device's memory.
final class DeviceState {
  let image: StateImage
  let table: StateTable
  let instructions: DeviceBuffer<UInt8>
  private let accounts: DeviceBuffer<StateTable.Account>
  private let slots: DeviceBuffer<StateTable.Slot>
  private let code: DeviceBuffer<UInt8>

  var instructionTable: UnsafeMutablePointer<InstructionCheck> {
    UnsafeMutableRawPointer(instructions.pointer!).assumingMemoryBound(to: InstructionCheck.self)
  }

  init(_ image: StateImage, _ context: Context) throws(CUDAError) {
    self.image = image
    accounts = try DeviceBuffer(context, count: image.accounts.count)
    try accounts.upload(UnsafeBufferPointer(image.accounts))
    slots = try DeviceBuffer(context, count: image.slots.count)
    try slots.upload(UnsafeBufferPointer(image.slots))
    code = try DeviceBuffer(context, count: image.codeBlockBytes)
    let staging = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: image.codeBlockBytes)
    defer { staging.deallocate() }
    image.writeCode(to: staging.baseAddress!, for: UInt(code.address.rawValue))
    try code.upload(UnsafeBufferPointer(staging))
    let checks = InstructionTable.make(GasSchedule(image.fork))
    defer { checks.deallocate() }
    let bytes = UnsafeRawBufferPointer(
      start: checks, count: InstructionTable.room * MemoryLayout<InstructionCheck>.stride)
    instructions = try DeviceBuffer(context, count: bytes.count)
    try instructions.upload(bytes.bindMemory(to: UInt8.self))
    table = image.table(
      accounts: UInt(accounts.address.rawValue), slots: UInt(slots.address.rawValue),
      code: UInt(code.address.rawValue))
  }

  var byteCount: Int { accounts.bytes + slots.bytes + code.bytes + instructions.bytes }
}

/// What all launches for one batch share.
final class DeviceJob {
  let state: DeviceState
  let columns: BatchColumns
  let selection: RecordSelection
  let environments: DeviceBuffer<EnvironmentRow>
  let hashes: DeviceBuffer<EnvironmentRow.BlockHash>
  /// Nanoseconds for a launch.
  let budget: UInt64

  init(
    _ state: DeviceState, _ columns: BatchColumns, _ selection: RecordSelection, budget: Duration,
    _ context: Context
  ) throws(CUDAError) {
    self.state = state
    self.columns = columns
    self.selection = selection
    self.budget = UInt64(budget / .nanoseconds(1))
    environments = try DeviceBuffer(context, count: max(columns.environments.count, 1))
    try environments.upload(columns.environments)
    hashes = try DeviceBuffer(context, count: max(columns.hashes.count, 1))
    try hashes.upload(columns.hashes)
  }
}

/// Workspaces of a class in a device's memory.
final class DeviceWorkspaces {
  let size: WorkspaceClass
  let lanes: Int
  let memory: DeviceBuffer<UInt8>

  /// Workspaces for at most `lanes` lanes, fewer where the memory is short.
  init(_ size: WorkspaceClass, lanes: Int, _ context: Context) throws(CUDAError) {
    self.size = size
    let stride = TransactionKernel.stride(size.sizes)
    // Half of what is free: others need some, too.
    let fits = try context.memory().free / 2 / stride
    self.lanes = max(1, min(lanes, size.lanes, fits))
    memory = try DeviceBuffer(context, count: self.lanes * stride)
  }
}
