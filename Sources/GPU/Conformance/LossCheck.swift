package import Coprocessors
import EVM
import Kernels
import Synchronization

/// A machine that forwards all to another one, and does something before a kernel when it is told to.
package final class LossyMachine: CoprocessorMachine {
  private let machine: any CoprocessorMachine
  /// Before which kernel, once, and what.
  package var before: (kernel: CoprocessorKernel, act: () throws(CoprocessorError) -> Void)?

  package init(_ machine: any CoprocessorMachine) { self.machine = machine }

  package var name: String { machine.name }
  package var modules: Set<KernelModule> { machine.modules }
  package var generatorWidth: Int { machine.generatorWidth }

  package func residentLanes(_ kernel: CoprocessorKernel) throws(CoprocessorError) -> Int {
    try machine.residentLanes(kernel)
  }

  package func memory(bytes: Int) throws(CoprocessorError) -> any CoprocessorMemory {
    try machine.memory(bytes: bytes)
  }

  package func upload(
    _ bytes: UnsafeRawBufferPointer, to memory: any CoprocessorMemory, at offset: Int
  ) throws(CoprocessorError) {
    try machine.upload(bytes, to: memory, at: offset)
  }

  package func upload(
    rows: Int, stride: Int, to memory: any CoprocessorMemory,
    _ write: @Sendable (Int, UnsafeMutableRawPointer) -> Void
  ) throws(CoprocessorError) {
    try machine.upload(rows: rows, stride: stride, to: memory, write)
  }

  package func download(
    _ memory: any CoprocessorMemory, into bytes: UnsafeMutableRawBufferPointer
  ) throws(CoprocessorError) {
    try machine.download(memory, into: bytes)
  }

  package func run(
    _ kernel: CoprocessorKernel, lanes: Int, _ arguments: UnsafeRawBufferPointer
  ) throws(CoprocessorError) {
    if let before, before.kernel == kernel {
      self.before = nil
      try before.act()
    }
    try machine.run(kernel, lanes: lanes, arguments)
  }

  package func finish() throws(CoprocessorError) { try machine.finish() }

  package var bytesMoved: Int { machine.bytesMoved }
}

/// Batches through a queue whose device fails in the middle of one: each has to come out as the reference
/// has it, whoever did it, and the queue has to count and tell what moved.
package struct LossCheck {
  private let machine: LossyMachine
  private let coprocessor: any Coprocessor
  private let kernel: CoprocessorKernel
  /// Rows of the batches that move; others are smaller.
  private let rows: Int

  /// A check of a coprocessor on a machine that nobody else uses, which is lost before a kernel of it.
  package init(
    _ machine: any CoprocessorMachine, _ coprocessor: any Coprocessor = RecoverCoprocessor(),
    before kernel: CoprocessorKernel = .recoverCombine, rows: Int = 5000
  ) {
    self.machine = LossyMachine(machine)
    self.coprocessor = coprocessor
    self.kernel = kernel
    self.rows = rows
  }

  /// Runs the check; gives what went wrong, in words.
  ///
  /// - Parameters:
  ///   - exhaust: uses up the machine's memory until what it gives is released.
  ///   - lose: makes the machine fail for good.
  ///   - log: receives what the queue logged.
  package func run(
    exhaust: () throws(CoprocessorError) -> [any CoprocessorMemory],
    lose: @escaping () throws(CoprocessorError) -> Void, log: inout [String]
  ) throws(CoprocessorError) -> [String] {
    let registry = try CoprocessorRegistry([coprocessor])
    guard
      let backEnd = LaneBackEnd.all(on: machine).first(where: {
        $0.coprocessor == coprocessor.name
      })
    else { preconditionFailure("the coprocessor has lanes") }
    try registry.register(backEnd)
    let lines = Lines()
    let queue = try CoprocessorQueue(
      coprocessor.name, of: registry, crossover: { _ in 1 },
      log: { line in lines.lines.withLock { $0.append(line) } })
    defer { queue.close() }
    var differences: [String] = []
    func submit(_ rows: Int, by expected: String, _ what: String) throws(CoprocessorError) {
      let requests = coprocessor.typicalRequests(rows, seed: UInt64(rows))
      let before = queue.statistics.rows[expected, default: 0]
      let results = try queue.submit(requests).results()
      if let row = results.firstDifference(coprocessor.run(requests, rows: 0..<rows)) {
        differences.append("\(what): row \(row) of \(rows) is wrong")
      }
      if queue.statistics.rows[expected, default: 0] - before != rows {
        differences.append("\(what): the batch was not the \(expected) back end's")
      }
    }
    try submit(rows / 50, by: backEnd.name, "before")
    do {
      let held = try exhaust()
      try submit(rows, by: "cpu", "memory used up")
      withExtendedLifetime(held) {}
    }
    try submit(rows, by: backEnd.name, "memory released")
    machine.before = (kernel, lose)
    try submit(rows, by: "cpu", "context lost")
    try submit(rows / 50, by: "cpu", "after the loss")
    let counted = queue.statistics
    if counted.movedBatches != 2 || counted.movedRows != 2 * rows {
      differences.append(
        "\(counted.movedBatches) batches of \(counted.movedRows) rows moved, not 2 of \(2 * rows)")
    }
    // One for the memory, one for the context, and that the device is given up.
    log = lines.lines.withLock { $0 }
    if log.count != 3 { differences.append("\(log.count) lines were logged, not 3") }
    return differences
  }

  private final class Lines: Sendable {
    let lines = Mutex<[String]>([])
  }
}
