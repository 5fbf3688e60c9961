package import CUDA
import EVM
import Kernels

/// A GPU with the transaction kernels loaded and a state in its memory.
///
/// One caller at a time.
package final class TransactionDevice {
  package let context: Context
  let light: Function
  let complete: Function?
  private(set) var state: DeviceState?

  /// A device with an image of kernels.
  package init(_ context: Context, image: KernelImage) throws(CUDAError) {
    self.context = context
    let module = try image.load(into: context)
    light = try module.function("execute_light")
    complete = try? module.function("execute_complete")
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
