package import EVM

/// The block in which a transaction runs, as the host uploads it.
package struct EnvironmentRow: BitwiseCopyable {
  /// A hash that BLOCKHASH may ask for.
  package struct BlockHash: BitwiseCopyable {
    package var number: UInt64
    package var hash: Hash256

    /// The hash of block `number`.
    package init(number: UInt64, hash: Hash256) {
      self.number = number
      self.hash = hash
    }
  }

  package var block: BlockEnvironment
  /// Gas and blobs that the block has left.
  package var gasAvailable: UInt64
  package var blobsAvailable: Int
  /// The known hashes, among those of the batch.
  package var firstHash: Int
  package var hashCount: Int

  /// A row of these values.
  package init(
    block: BlockEnvironment, gasAvailable: UInt64, blobsAvailable: Int, firstHash: Int = 0,
    hashCount: Int = 0
  ) {
    self.block = block
    self.gasAvailable = gasAvailable
    self.blobsAvailable = blobsAvailable
    self.firstHash = firstHash
    self.hashCount = hashCount
  }
}

/// One world of a state table, and one block's hashes: the answers to a machine's questions.
package struct World: BitwiseCopyable {
  package let table: StateTable
  /// Which world of the table; changed from transaction to transaction.
  package var number: UInt32 = 0
  /// The hashes that are known.
  package var hashes = UnsafeBufferPointer<EnvironmentRow.BlockHash>(start: nil, count: 0)

  /// The transaction's calls of precompiles that others do.
  var calls: PrecompileCalls

  /// The time of the lane.
  let clock: LaneClock
  private var questions: UInt32 = 0

  /// World 0 of a table, for as many nanoseconds.
  package init(
    _ table: StateTable, budget: UInt64, exchange: PrecompileExchange = PrecompileExchange()
  ) {
    self.table = table
    calls = PrecompileCalls(exchange)
    clock = LaneClock(budget: budget)
  }

  /// Goes on with the hashes that are known in a block.
  @inline(__always)
  mutating func enter(
    _ environment: UInt32, _ arguments: UnsafePointer<TransactionKernel.Arguments>
  ) {
    let row = arguments.pointee.environments + Int(environment)
    hashes = UnsafeBufferPointer(
      start: arguments.pointee.hashes + row.pointee.firstHash, count: row.pointee.hashCount)
  }

  /// Whether the lane's time is over, by a look at the clock every 1,024 questions.
  @inline(__always)
  mutating func isOutOfTime() -> Bool {
    questions &+= 1
    return questions & 1023 == 0 && clock.isOver
  }

  @inline(__always)
  func readAccount(_ address: Address, into record: inout AccountRecord) -> Bool {
    table.read(table.find(address, world: number), into: &record)
    return true
  }

  @inline(__always)
  func readStorage(place: UInt32, slot: UInt256, into record: inout StorageRecord) -> Bool {
    record.value = place == AccountRecord.noPlace ? .zero : table.value(account: place, slot)
    return true
  }

  @inline(__always)
  func readCode(_ hash: Hash256, place: UInt32, into code: inout Code) -> Bool {
    if place == AccountRecord.noPlace { return false }
    let row = table.accounts + Int(place)
    if row.pointee.codeHash != hash { return false }
    code = table.codes[Int(row.pointee.code)]
    return true
  }

  /// What is not known is an answer for another machine, never a zero.
  @inline(__always)
  func readBlockHash(_ number: UInt64, into hash: inout Hash256) -> Bool {
    for known in hashes where known.number == number {
      hash = known.hash
      return true
    }
    return false
  }
}

/// Which precompiles a machine is compiled with.
package protocol PrecompileSet {
  /// See `StateView.hasHeavyPrecompiles`.
  static var hasHeavy: Bool { get }

  /// Where the stack of its machines is.
  associatedtype Stack: StackPlace = PointerPlace
}

/// All of them.
package enum AllPrecompiles: PrecompileSet {
  @inline(__always)
  package static var hasHeavy: Bool { true }
}

/// Those without curves and big integers. On a device its machines have their stacks in local memory.
package enum LightPrecompiles: PrecompileSet {
  #if NEEDLETAIL_DEVICE
    package typealias Stack = LocalPlace
  #endif

  @inline(__always)
  package static var hasHeavy: Bool { false }
}

/// A view of a world in memory, for machines that are compiled over it.
package struct TableStateView<Precompiles: PrecompileSet>: StateView {
  package typealias Stack = Precompiles.Stack

  let world: UnsafeMutablePointer<World>

  /// A view of this world, which must outlive it.
  package init(_ world: UnsafeMutablePointer<World>) { self.world = world }

  @inline(__always)
  package static var hasHeavyPrecompiles: Bool { Precompiles.hasHeavy }

  @inline(__always)
  package static var hasDeadline: Bool { true }

  @inline(__always)
  package mutating func isOutOfTime() -> Bool { world.pointee.isOutOfTime() }

  @inline(__always)
  package mutating func handsOver(precompile number: UInt16) -> Bool {
    world.pointee.calls.isHandedOver(number)
  }

  package mutating func outcome(
    ofPrecompile number: UInt16, input: UnsafeBufferPointer<UInt8>,
    output: UnsafeMutablePointer<UInt8>
  ) -> PrecompileOutcome? {
    world.pointee.calls.outcome(number, input, output)
  }

  package mutating func readAccount(_ address: Address, into record: inout AccountRecord) -> Bool {
    world.pointee.readAccount(address, into: &record)
  }

  package mutating func readStorage(
    _ address: Address, place: UInt32, slot: UInt256, into record: inout StorageRecord
  ) -> Bool {
    world.pointee.readStorage(place: place, slot: slot, into: &record)
  }

  package mutating func readCode(
    _ hash: Hash256, of address: Address, place: UInt32, into code: inout Code
  ) -> Bool {
    world.pointee.readCode(hash, place: place, into: &code)
  }

  package mutating func readBlockHash(_ number: UInt64, into hash: inout Hash256) -> Bool {
    world.pointee.readBlockHash(number, into: &hash)
  }
}
