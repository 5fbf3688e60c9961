public import EVM
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Byte code by hash, padded and mapped once, kept for as long as the store lives; and the programs
/// that code which is run often is translated to, kept within a bound.
///
/// The machine holds pointers into it: code is never moved or freed before the store is, programs
/// only between transactions (`beginTransaction`). One thread uses a store, but for the functions with
/// `shared` in their names: while several machines run, those alone are called, by any of them.
public final class CodeStore {
  /// When code is translated.
  public enum Translation: Sendable {
    /// When it has been asked for so often that translating it pays.
    case whenHot
    /// At once.
    case always
    /// Never: all code is interpreted plainly.
    case never

    /// What the environment variable `NEEDLETAIL_TRANSLATION` says (`always` or `never`), else
    /// `whenHot`.
    public static let standard: Translation =
      switch getenv("NEEDLETAIL_TRANSLATION").map({ String(cString: $0) }) {
      case "always": .always
      case "never": .never
      default: .whenHot
      }
  }

  private var entries: [Hash256: UnsafeMutablePointer<StoredCode>] = [:]
  private let translation: Translation
  private let programCapacity: Int
  private var transaction = 0
  /// Guards the entries and what is outdated, in the shared functions. Nobody translates while holding it:
  /// that takes longer than most transactions.
  private let sharing = SpinLock()
  /// Code with a program of another fork than the one that is wanted.
  private var outdated: [UnsafeMutablePointer<StoredCode>] = []
  /// Bytes of code held.
  public private(set) var byteCount = 0
  private let programBytes = Atomic<Int>(0)
  /// Bytes of programs held.
  public var programByteCount: Int { programBytes.load(ordering: .relaxed) }

  /// An empty store. `programCapacity` bounds the bytes of programs between transactions.
  public init(
    translation: Translation = .standard, programCapacity: Int = 256 << 20
  ) {
    self.translation = translation
    self.programCapacity = programCapacity
  }

  deinit {
    for entry in entries.values {
      UnsafeMutablePointer(mutating: entry.pointee.code.bytes).deallocate()
      entry.pointee.program?.deallocate()
      entry.deinitialize(count: 1)
      entry.deallocate()
    }
  }

  /// The code with this hash, without a program.
  public subscript(hash: Hash256) -> Code? { entries[hash]?.pointee.code }

  /// Where the code with this hash is kept, for as long as the store lives.
  func stored(_ hash: Hash256) -> UnsafeMutablePointer<StoredCode>? { entries[hash] }

  /// The code with this hash for execution under a fork: with its program, if it is hot.
  public func executable(_ hash: Hash256, fork: Fork) -> Code? {
    entries[hash].map { executable($0, fork: fork) }
  }

  /// Code for execution under a fork: with its program, if it is hot.
  func executable(_ entry: UnsafeMutablePointer<StoredCode>, fork: Fork) -> Code {
    if let program = entry.pointee.program, program.fork == fork {
      entry.pointee.note(transaction)
      return entry.pointee.code.with(program)
    }
    return prepare(entry, fork)
  }

  /// Tells that no machine runs: the programs that were not used for the longest are dropped when
  /// there are too many.
  public func beginTransaction() {
    transaction += 1
    if !outdated.isEmpty {
      for entry in outdated { drop(entry) }
      outdated = []
    }
    if programByteCount > programCapacity { dropPrograms() }
  }

  /// The bytes of the code with this hash; empty for the hash of no code.
  public func bytes(_ hash: Hash256) -> [UInt8] {
    guard let code = self[hash] else { return [] }
    return [UInt8](UnsafeBufferPointer(start: code.bytes, count: code.count))
  }

  /// Adds code whose hash is known to be `hash`.
  public func insert(_ bytes: UnsafeBufferPointer<UInt8>, hash: Hash256) {
    if entries[hash] != nil || bytes.isEmpty { return }
    let count = bytes.count
    let memory = UnsafeMutablePointer<UInt8>.allocate(
      capacity: count + Code.padding + Code.mapBytes(count))
    memory.update(from: bytes.baseAddress!, count: count)
    (memory + count).update(repeating: 0, count: Code.padding)
    let map = memory + count + Code.padding
    Code.analyze(memory, count: count, into: map)
    let entry = UnsafeMutablePointer<StoredCode>.allocate(capacity: 1)
    entry.initialize(
      to: StoredCode(code: Code(bytes: memory, jumpDestinations: map, count: count)))
    entries[hash] = entry
    byteCount += count
  }

  /// Adds code; gives its hash.
  @discardableResult
  public func insert(_ bytes: [UInt8]) -> Hash256 {
    if bytes.isEmpty { return .emptyCode }
    return bytes.withUnsafeBufferPointer { buffer in
      let hash = Keccak256.hash(buffer)
      insert(buffer, hash: hash)
      return hash
    }
  }

  // MARK: Programs

  /// Uses of code after which it is translated: translation takes about as long as this many plain
  /// executions save.
  static func hotUses(_ codeCount: Int) -> Int { 8 + codeCount / 64 }

  @inline(never)
  private func prepare(_ entry: UnsafeMutablePointer<StoredCode>, _ fork: Fork) -> Code {
    // A program of another fork may only go when nothing can be running it.
    let isInUse = entry.pointee.lastUse == transaction
    entry.pointee.note(transaction)
    if entry.pointee.program != nil {
      if isInUse { return entry.pointee.code }
      drop(entry)
    }
    return translate(entry, fork)
  }

  /// Counts a use of code that has no program, and gives it one when it has become hot. While a machine
  /// translates it the others run it plainly.
  private func translate(_ entry: UnsafeMutablePointer<StoredCode>, _ fork: Fork) -> Code {
    let uses = entry.pointee.countUse()
    let isHot =
      switch translation {
      case .always: true
      case .never: false
      case .whenHot: uses > Self.hotUses(entry.pointee.code.count)
      }
    if !isHot || !entry.pointee.beginTranslation(for: fork) { return entry.pointee.code }
    guard let program = TranslatedProgram(entry.pointee.code, fork: fork) else {
      entry.pointee.endTranslation(refusedFor: fork)
      return entry.pointee.code
    }
    entry.pointee.program = program
    entry.pointee.endTranslation()
    programBytes.add(program.byteCount, ordering: .relaxed)
    return entry.pointee.code.with(program)
  }

  // MARK: Several machines at once

  /// `stored` while several machines run.
  func shared(_ hash: Hash256) -> UnsafeMutablePointer<StoredCode>? {
    sharing.lock()
    defer { sharing.unlock() }
    return entries[hash]
  }

  /// `insert` while several machines run; gives where the code is kept.
  func insertShared(_ bytes: UnsafeBufferPointer<UInt8>, hash: Hash256)
    -> UnsafeMutablePointer<StoredCode>?
  {
    sharing.lock()
    defer { sharing.unlock() }
    insert(bytes, hash: hash)
    return entries[hash]
  }

  /// `executable` while several machines run.
  @inline(__always)
  func sharedExecutable(_ entry: UnsafeMutablePointer<StoredCode>, fork: Fork) -> Code {
    if let program = entry.pointee.program, program.fork == fork {
      return entry.pointee.code.with(program)
    }
    return prepareShared(entry, fork)
  }

  @inline(never)
  private func prepareShared(_ entry: UnsafeMutablePointer<StoredCode>, _ fork: Fork) -> Code {
    entry.pointee.note(transaction)
    guard let program = entry.pointee.program else { return translate(entry, fork) }
    if program.fork == fork { return entry.pointee.code.with(program) }
    // Another machine may be running it.
    sharing.lock()
    defer { sharing.unlock() }
    outdated.append(entry)
    return entry.pointee.code
  }

  private func drop(_ entry: UnsafeMutablePointer<StoredCode>) {
    guard let program = entry.pointee.program else { return }
    programBytes.subtract(program.byteCount, ordering: .relaxed)
    program.deallocate()
    entry.pointee.program = nil
  }

  private func dropPrograms() {
    let held = entries.values.filter { $0.pointee.program != nil }
      .sorted { $0.pointee.lastUse < $1.pointee.lastUse }
    for entry in held where programByteCount > programCapacity / 4 * 3 {
      drop(entry)
      entry.pointee.forgetUses()
    }
  }
}

/// Code as a store keeps it: at one place for the life of the store.
struct StoredCode: ~Copyable {
  let code: Code
  private let header = Atomic<UnsafePointer<Program>?>(nil)
  /// The program, if it has one. One thread sets it while others read it.
  var program: TranslatedProgram? {
    get { header.load(ordering: .acquiring).map { TranslatedProgram(header: $0) } }
    nonmutating set { header.store(newValue?.header, ordering: .releasing) }
  }
  /// How often it was asked for since its program, if it had one, was dropped. A use that two threads
  /// count at once may count as one.
  private let uses = Atomic<Int>(0)
  /// The transaction that asked last.
  private let lastUser = Atomic<Int>(-1)
  /// Whether it may be translated, or somebody is at it; or the fork for which that was tried in vain.
  private let translation = Atomic<UInt32>(mayBegin)

  private static let mayBegin: UInt32 = 0
  private static let isUnderWay: UInt32 = 1
  private static func isRefused(_ fork: Fork) -> UInt32 { 2 + UInt32(fork.rawValue) }

  init(code: Code) { self.code = code }

  /// The transaction that asked last; -1 before the first.
  var lastUse: Int { lastUser.load(ordering: .relaxed) }

  /// Notes the transaction that asks.
  func note(_ transaction: Int) {
    // Many threads ask for some code: they only read.
    if lastUse != transaction { lastUser.store(transaction, ordering: .relaxed) }
  }

  /// Counts a use; gives how many there are.
  func countUse() -> Int {
    let count = uses.load(ordering: .relaxed) + 1
    uses.store(count, ordering: .relaxed)
    return count
  }

  /// Counts from zero again.
  func forgetUses() { uses.store(0, ordering: .relaxed) }

  /// Whether the caller is the one who translates it, and ends that.
  func beginTranslation(for fork: Fork) -> Bool {
    let now = translation.load(ordering: .relaxed)
    if now == Self.isUnderWay || now == Self.isRefused(fork)
      || !translation.compareExchange(
        expected: now, desired: Self.isUnderWay, ordering: .acquiringAndReleasing
      ).exchanged
    {
      return false
    }
    // Another one may have come to the end since the caller looked for a program.
    if program == nil { return true }
    endTranslation()
    return false
  }

  /// Tells that the translation is over.
  func endTranslation(refusedFor fork: Fork? = nil) {
    translation.store(fork.map(Self.isRefused) ?? Self.mayBegin, ordering: .releasing)
  }
}
