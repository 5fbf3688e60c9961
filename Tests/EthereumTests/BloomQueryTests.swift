import EVM
import Ethereum
import Testing

/// Filters that are asked by the bytes say what they say otherwise.
@Suite struct BloomQueryTests {
  @Test func findsWhatWasInserted() {
    for word in 0..<2000 {
      let hash = Keccak256.hash(UInt256(UInt64(word)))
      var bloom = Bloom()
      bloom.insert(hash: hash)
      #expect(BloomQuery([[hash]]).mayMatch(bloom))
      let other = Keccak256.hash(UInt256(UInt64(word + 5000)))
      #expect(BloomQuery([[other]]).mayMatch(bloom) == bloom.mayContain(hash: other))
      // Each of the three bits is looked at.
      let bytes = bloom.bytes
      for place in 0..<256 where bytes[place] != 0 {
        var damaged = bytes
        damaged[place] &= damaged[place] &- 1
        #expect(!BloomQuery([[hash]]).mayMatch(Bloom(bytes: damaged)!))
      }
    }
  }

  @Test func ofEachGroupOneHasToBeThere() {
    let hashes = (0..<4).map { Keccak256.hash(UInt256(UInt64($0))) }
    var bloom = Bloom()
    bloom.insert(hash: hashes[0])
    bloom.insert(hash: hashes[1])
    #expect(BloomQuery([]).mayMatch(bloom))
    #expect(BloomQuery([[], [hashes[0]], []]).mayMatch(bloom))
    #expect(BloomQuery([[hashes[0]], [hashes[2], hashes[1]]]).mayMatch(bloom))
    #expect(!BloomQuery([[hashes[0]], [hashes[2], hashes[3]]]).mayMatch(bloom))
    #expect(!BloomQuery([[hashes[2]], [hashes[0]]]).mayMatch(bloom))
    #expect(!BloomQuery([[hashes[2]]]).mayMatch(Bloom()))
  }
}
