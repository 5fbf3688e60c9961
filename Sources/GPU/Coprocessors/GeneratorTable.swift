import Coprocessors
import EVM
import Kernels

/// The multiples of secp256k1's base point on a machine, made by the machine when they are first
/// needed.
final class GeneratorTable {
  private var table: (any CoprocessorMemory)?

  /// The table.
  func memory(on machine: any CoprocessorMachine) throws(CoprocessorError)
    -> any CoprocessorMemory
  {
    if let table { return table }
    let count = GeneratorTableKernel.count(width: machine.generatorWidth)
    let made = try machine.memory(bytes: count * GeneratorTableKernel.pairsPerEntry * 16)
    try machine.run(
      .recoverTable, lanes: count,
      with: GeneratorTableKernel.Arguments(
        width: machine.generatorWidth, table: made.pointer(SIMD2<UInt64>.self)))
    table = made
    return made
  }
}

/// The memory of signatures on a machine, and the launches that find who signed.
final class SignatureRows {
  private let generator: GeneratorTable
  private var rows = GrowingMemory()
  private var states = GrowingMemory()
  private var tables = GrowingMemory()

  init(_ generator: GeneratorTable) { self.generator = generator }

  /// Arguments for `count` rows and room for `extra` more; the caller sets what is nil.
  func arguments(count: Int, extra: Int, on machine: any CoprocessorMachine)
    throws(CoprocessorError) -> RecoverKernel.Arguments
  {
    let total = count + extra
    let lanes = try min(total, machine.residentLanes(.recoverCombine))
    let rows = try self.rows.room(total * RecoverKernel.pairsPerRow * 16, on: machine)
    let tables = try self.tables.room(lanes * RecoverKernel.pairsPerTable * 16, on: machine)
    return RecoverKernel.Arguments(
      bytes: nil, ends: nil, count: count, extra: nil, rows: rows.pointer(SIMD2<UInt64>.self),
      states: try states(total, on: machine).pointer(UInt8.self),
      generator: UnsafePointer(try generator.memory(on: machine).pointer(SIMD2<UInt64>.self)),
      generatorWidth: machine.generatorWidth, tables: tables.pointer(SIMD2<UInt64>.self),
      lanes: lanes, addresses: nil, keys: nil)
  }

  /// The states of so many rows.
  func states(_ count: Int, on machine: any CoprocessorMachine)
    throws(CoprocessorError) -> any CoprocessorMemory
  {
    try states.room(count, on: machine)
  }

  /// From hashes, r and s to what the arguments ask for; `total` rows at most.
  static func recover(
    _ arguments: RecoverKernel.Arguments, total: Int, on machine: any CoprocessorMachine
  ) throws(CoprocessorError) {
    let groups = (total + RecoverKernel.group - 1) / RecoverKernel.group
    try machine.run(.recoverScalars, lanes: groups, with: arguments)
    try machine.run(.recoverCombine, lanes: arguments.lanes, with: arguments)
    try machine.run(.recoverFinish, lanes: groups, with: arguments)
  }
}
