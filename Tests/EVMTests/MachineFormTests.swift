import CMachineForms
import Testing

@testable import EVM

/// The forms in the processor's own instructions against the portable ones; fixed seeds.
@Suite struct MachineFormTests {
  @Test(.enabled(if: machine_has_keccak_avx512(), "the processor has no AVX-512 VL"))
  func keccakWithAVX512EqualsThePortableForm() {
    expectEqualPermutations(seed: 0x5EED_0001, machine_keccak_permute_avx512)
  }

  @Test(.enabled(if: machine_has_keccak_bmi(), "the processor has no BMI2"))
  func keccakWithBMIEqualsThePortableForm() {
    expectEqualPermutations(seed: 0x5EED_0002, machine_keccak_permute_bmi)
  }

  @Test(.enabled(if: machine_has_sha256(), "the processor has no SHA extensions"))
  func sha256WithInstructionsEqualsThePortableForm() {
    var random = SplitMixGenerator(seed: 0x5EED_0003)
    for _ in 0..<500 {
      let blocks = Int.random(in: 0...5, using: &random)
      // At any alignment.
      let offset = Int.random(in: 0..<64, using: &random)
      let bytes = (0..<(offset + 64 * blocks + 1)).map { _ in
        UInt8.random(in: 0...255, using: &random)
      }
      var portable = SHA256.State()
      portable.a = UInt32.random(in: 0...UInt32.max, using: &random)
      portable.h = UInt32.random(in: 0...UInt32.max, using: &random)
      var own = portable
      bytes.withUnsafeBytes { buffer in
        guard let base = buffer.baseAddress else { return }
        for block in 0..<blocks {
          portable.compress(SHA256.Block(base + offset + 64 * block))
        }
        #expect(MachineForms.compress(&own, base + offset, blocks: blocks))
      }
      #expect(own.digest == portable.digest, "seed 0x5EED0003, \(blocks) blocks, offset \(offset)")
    }
  }

  @Test(.enabled(if: machine_has_keccak_avx512(), "the processor has no AVX-512 VL"))
  func keccakOfMessagesSideBySideIsThatOfEach() {
    var random = SplitMixGenerator(seed: 0x5EED_0004)
    let bytes = (0..<700).map { _ in UInt8.random(in: 0...255, using: &random) }
    bytes.withUnsafeBytes { bytes in
      for turn in 0..<400 {
        // All lengths around the ends of blocks, none among them; at any alignment.
        let messages = (0..<turn % 8 + 1).map { index -> UnsafeRawBufferPointer in
          let edge = [0, 135, 136, 137, 271, 272, 273, 544][(turn + index) % 8]
          let count = turn % 3 == 0 ? edge : Int.random(in: 0...600, using: &random)
          let start = Int.random(in: 0...100, using: &random)
          return UnsafeRawBufferPointer(rebasing: bytes[start..<start + count])
        }
        var hashes = [Hash256](repeating: .zero, count: messages.count)
        messages.withUnsafeBufferPointer { messages in
          #expect(MachineForms.hash(messages, into: &hashes))
        }
        let each = messages.map { Keccak256.hash($0.bindMemory(to: UInt8.self)) }
        #expect(hashes == each, "seed 0x5EED0004, turn \(turn)")
      }
    }
  }

  /// However many there are, also where the processor hashes one after the other.
  @Test func keccakOfManyMessagesIsThatOfEach() {
    let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0) }
    bytes.withUnsafeBytes { bytes in
      for count in 0...20 {
        let messages = (0..<count).map {
          UnsafeRawBufferPointer(rebasing: bytes[$0..<$0 + $0 * 13 % 250])
        }
        var hashes = [Hash256](repeating: .zero, count: count + 1)
        messages.withUnsafeBufferPointer { Keccak256.hash($0, into: &hashes) }
        #expect(hashes == messages.map { Keccak256.hash($0.bindMemory(to: UInt8.self)) } + [.zero])
      }
    }
  }

  @Test func formsChangeNothingWhereTheyDoNotWork() {
    var state = KeccakState()
    state.lane7 = 7
    let before = lanes(of: state)
    if MachineForms.permute(&state) {
      #expect(lanes(of: state) != before)
    } else {
      #expect(lanes(of: state) == before)
    }
  }

  private func expectEqualPermutations(
    seed: UInt64, _ permute: (UnsafeMutablePointer<UInt64>?) -> Void
  ) {
    var random = SplitMixGenerator(seed: seed)
    for turn in 0..<500 {
      var state = KeccakState()
      withUnsafeMutableBytes(of: &state) { bytes in
        let lanes = bytes.bindMemory(to: UInt64.self)
        // Sparse states too: one lane alone.
        if turn < 25 {
          lanes[turn] = random.next()
        } else {
          for lane in lanes.indices { lanes[lane] = random.next() }
        }
      }
      var own = lanes(of: state)
      permute(&own)
      state.permutePortably()
      #expect(own == lanes(of: state), "seed \(seed), turn \(turn)")
    }
  }

  private func lanes(of state: KeccakState) -> [UInt64] {
    withUnsafeBytes(of: state) { Array($0.bindMemory(to: UInt64.self)) }
  }
}
