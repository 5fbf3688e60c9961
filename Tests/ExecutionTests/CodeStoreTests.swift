import EVM
import Ethereum
import Testing

@testable import Execution

/// When code is translated, and what is dropped.
@Suite struct CodeStoreTests {
  /// `count` codes that differ: PUSH2 of their number, then many ADDs.
  private static func codes(_ count: Int) -> [[UInt8]] {
    (0..<count).map {
      [0x61, UInt8($0 >> 8), UInt8($0 & 255)] + [UInt8](repeating: 0x01, count: 500)
    }
  }

  @Test func translatesHotCodeOnly() {
    let store = CodeStore(translation: .whenHot)
    let hash = store.insert(Self.codes(1)[0])
    let limit = CodeStore.hotUses(503)
    #expect(limit > 1)
    for _ in 0..<limit { #expect(store.executable(hash, fork: .osaka)?.program == nil) }
    #expect(store.executable(hash, fork: .osaka)?.program != nil)
    // Without execution there is no program to see.
    #expect(store[hash]?.program == nil)
  }

  @Test func policiesDecide() {
    let code = Self.codes(1)[0]
    let always = CodeStore(translation: .always)
    #expect(always.executable(always.insert(code), fork: .osaka)?.program != nil)
    let never = CodeStore(translation: .never)
    let hash = never.insert(code)
    for _ in 0..<200 { #expect(never.executable(hash, fork: .osaka)?.program == nil) }
  }

  @Test func aForkHasItsOwnProgram() {
    let store = CodeStore(translation: .always)
    let hash = store.insert(Self.codes(1)[0])
    store.beginTransaction()
    let old = store.executable(hash, fork: .london)?.program
    #expect(old?.pointee.fork == .london)
    // The old program may be running: it goes with the next transaction.
    #expect(store.executable(hash, fork: .osaka)?.program == nil)
    store.beginTransaction()
    #expect(store.executable(hash, fork: .osaka)?.program?.pointee.fork == .osaka)
  }

  @Test func programsStayWithinTheirBound() throws {
    let capacity = 100_000
    let store = CodeStore(translation: .always, programCapacity: capacity)
    let hashes = Self.codes(60).map { store.insert($0) }
    var most = 0
    for (index, hash) in hashes.enumerated() {
      store.beginTransaction()
      #expect(store.programByteCount <= capacity)
      let size = try #require(store.executable(hash, fork: .osaka)?.program).pointee.byteCount
      most = max(most, size)
      // The first is used all the time, so it stays.
      let first = try #require(store.executable(hashes[0], fork: .osaka)?.program)
      #expect(first.pointee.fork == .osaka, "after \(index)")
    }
    // The bound was reached: not all programs are there.
    #expect(store.programByteCount > capacity / 2)
    #expect(most * 60 > capacity)
    // In one transaction nothing may go, however much it is.
    store.beginTransaction()
    let held = hashes.map { store.executable($0, fork: .osaka)?.program }
    #expect(held.allSatisfy { $0?.pointee.fork == .osaka })
    #expect(store.programByteCount > capacity)
    store.beginTransaction()
    #expect(store.programByteCount <= capacity)
  }

  @Test func codeBeyondTheLimitIsNotTranslated() {
    let store = CodeStore(translation: .always)
    let hash = store.insert([UInt8](repeating: 0x5b, count: Translator.codeLimit + 1))
    for _ in 0..<2 {
      store.beginTransaction()
      let code = store.executable(hash, fork: .osaka)
      #expect(code != nil && code?.program == nil)
    }
  }

  /// Of many machines that want a program one makes it; the others run the code plainly meanwhile.
  @Test func manyMachinesMakeOneProgram() throws {
    let store = CodeStore(translation: .always)
    let entries = Self.codes(40).map { store.stored(store.insert($0))! }
    store.beginTransaction()
    let shared = Shared(store: store, entries: entries)
    let seen = Threads.map(8, jobs: 8) { thread -> [[UInt]] in
      var programs = [[UInt]](repeating: [], count: shared.entries.count)
      for round in 0..<200 {
        let number = (round + thread) % shared.entries.count
        if let program = shared.store.sharedExecutable(shared.entries[number], fork: .osaka).program
        {
          programs[number].append(UInt(bitPattern: program))
        }
      }
      return programs
    }
    for number in entries.indices {
      #expect(Set(seen.flatMap { $0[number] }).count == 1)
    }
    let sizes = entries.map { $0.pointee.program?.byteCount ?? 0 }
    #expect(store.programByteCount == sizes.reduce(0, +))
  }

  /// A store and code in it, as threads take them.
  private struct Shared: @unchecked Sendable {
    // Only the functions for several machines are called.
    let store: CodeStore
    let entries: [UnsafeMutablePointer<StoredCode>]
  }
}
