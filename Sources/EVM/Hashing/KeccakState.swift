/// The 1600-bit state of Keccak and its permutation (FIPS 202, section 3).
///
/// The lanes are fields, so that a round works on 25 values that the compiler keeps in registers
/// as far as they go. Lane `x + 5y` is at (x, y).
package struct KeccakState: BitwiseCopyable, Sendable {
  package var lane0: UInt64 = 0
  package var lane1: UInt64 = 0
  package var lane2: UInt64 = 0
  package var lane3: UInt64 = 0
  package var lane4: UInt64 = 0
  package var lane5: UInt64 = 0
  package var lane6: UInt64 = 0
  package var lane7: UInt64 = 0
  package var lane8: UInt64 = 0
  package var lane9: UInt64 = 0
  package var lane10: UInt64 = 0
  package var lane11: UInt64 = 0
  package var lane12: UInt64 = 0
  package var lane13: UInt64 = 0
  package var lane14: UInt64 = 0
  package var lane15: UInt64 = 0
  package var lane16: UInt64 = 0
  package var lane17: UInt64 = 0
  package var lane18: UInt64 = 0
  package var lane19: UInt64 = 0
  package var lane20: UInt64 = 0
  package var lane21: UInt64 = 0
  package var lane22: UInt64 = 0
  package var lane23: UInt64 = 0
  package var lane24: UInt64 = 0

  /// The state of a hash of nothing yet.
  @inline(__always)
  package init() {}

  /// Keccak-f[1600], in the processor's own instructions where it has some for it.
  @inline(__always)
  package mutating func permute() {
    if !MachineForms.permute(&self) { permutePortably() }
  }

  /// Keccak-f[1600]: 24 rounds, written two at a time so that no lane is moved between rounds.
  ///
  /// Six lanes are kept complemented, which leaves step chi five complements a round instead of 25
  /// ("Keccak implementation overview", section 2.2, "Lane complementing").
  mutating func permutePortably() {
    var a0 = lane0
    var a1 = ~lane1
    var a2 = ~lane2
    var a3 = lane3
    var a4 = lane4
    var a5 = lane5
    var a6 = lane6
    var a7 = lane7
    var a8 = ~lane8
    var a9 = lane9
    var a10 = lane10
    var a11 = lane11
    var a12 = ~lane12
    var a13 = lane13
    var a14 = lane14
    var a15 = lane15
    var a16 = lane16
    var a17 = ~lane17
    var a18 = lane18
    var a19 = lane19
    var a20 = ~lane20
    var a21 = lane21
    var a22 = lane22
    var a23 = lane23
    var a24 = lane24
    var round = 0
    while round < 24 {
      let ec0 = a0 ^ a5 ^ a10 ^ a15 ^ a20
      let ec1 = a1 ^ a6 ^ a11 ^ a16 ^ a21
      let ec2 = a2 ^ a7 ^ a12 ^ a17 ^ a22
      let ec3 = a3 ^ a8 ^ a13 ^ a18 ^ a23
      let ec4 = a4 ^ a9 ^ a14 ^ a19 ^ a24
      let ed0 = ec4 ^ rotated(ec1, 1)
      let ed1 = ec0 ^ rotated(ec2, 1)
      let ed2 = ec1 ^ rotated(ec3, 1)
      let ed3 = ec2 ^ rotated(ec4, 1)
      let ed4 = ec3 ^ rotated(ec0, 1)
      let eb0 = a0 ^ ed0
      let eb1 = rotated(a6 ^ ed1, 44)
      let eb2 = rotated(a12 ^ ed2, 43)
      let eb3 = rotated(a18 ^ ed3, 21)
      let eb4 = rotated(a24 ^ ed4, 14)
      let e0 = eb0 ^ (eb1 | eb2) ^ Self.roundConstants[unchecked: round]
      let e1 = eb1 ^ (~eb2 | eb3)
      let e2 = eb2 ^ (eb3 & eb4)
      let e3 = eb3 ^ (eb4 | eb0)
      let e4 = eb4 ^ (eb0 & eb1)
      let eb5 = rotated(a3 ^ ed3, 28)
      let eb6 = rotated(a9 ^ ed4, 20)
      let eb7 = rotated(a10 ^ ed0, 3)
      let eb8 = rotated(a16 ^ ed1, 45)
      let eb9 = rotated(a22 ^ ed2, 61)
      let e5 = eb5 ^ (eb6 | eb7)
      let e6 = eb6 ^ (eb7 & eb8)
      let e7 = eb7 ^ (eb8 | ~eb9)
      let e8 = eb8 ^ (eb9 | eb5)
      let e9 = eb9 ^ (eb5 & eb6)
      let eb10 = rotated(a1 ^ ed1, 1)
      let eb11 = rotated(a7 ^ ed2, 6)
      let eb12 = rotated(a13 ^ ed3, 25)
      let eb13 = rotated(a19 ^ ed4, 8)
      let eb14 = rotated(a20 ^ ed0, 18)
      let en2 = ~eb13
      let e10 = eb10 ^ (eb11 | eb12)
      let e11 = eb11 ^ (eb12 & eb13)
      let e12 = eb12 ^ (en2 & eb14)
      let e13 = en2 ^ (eb14 | eb10)
      let e14 = eb14 ^ (eb10 & eb11)
      let eb15 = rotated(a4 ^ ed4, 27)
      let eb16 = rotated(a5 ^ ed0, 36)
      let eb17 = rotated(a11 ^ ed1, 10)
      let eb18 = rotated(a17 ^ ed2, 15)
      let eb19 = rotated(a23 ^ ed3, 56)
      let en3 = ~eb18
      let e15 = eb15 ^ (eb16 & eb17)
      let e16 = eb16 ^ (eb17 | eb18)
      let e17 = eb17 ^ (en3 | eb19)
      let e18 = en3 ^ (eb19 & eb15)
      let e19 = eb19 ^ (eb15 | eb16)
      let eb20 = rotated(a2 ^ ed2, 62)
      let eb21 = rotated(a8 ^ ed3, 55)
      let eb22 = rotated(a14 ^ ed4, 39)
      let eb23 = rotated(a15 ^ ed0, 41)
      let eb24 = rotated(a21 ^ ed1, 2)
      let en4 = ~eb21
      let e20 = eb20 ^ (en4 & eb22)
      let e21 = en4 ^ (eb22 | eb23)
      let e22 = eb22 ^ (eb23 & eb24)
      let e23 = eb23 ^ (eb24 | eb20)
      let e24 = eb24 ^ (eb20 & eb21)
      let ac0 = e0 ^ e5 ^ e10 ^ e15 ^ e20
      let ac1 = e1 ^ e6 ^ e11 ^ e16 ^ e21
      let ac2 = e2 ^ e7 ^ e12 ^ e17 ^ e22
      let ac3 = e3 ^ e8 ^ e13 ^ e18 ^ e23
      let ac4 = e4 ^ e9 ^ e14 ^ e19 ^ e24
      let ad0 = ac4 ^ rotated(ac1, 1)
      let ad1 = ac0 ^ rotated(ac2, 1)
      let ad2 = ac1 ^ rotated(ac3, 1)
      let ad3 = ac2 ^ rotated(ac4, 1)
      let ad4 = ac3 ^ rotated(ac0, 1)
      let ab0 = e0 ^ ad0
      let ab1 = rotated(e6 ^ ad1, 44)
      let ab2 = rotated(e12 ^ ad2, 43)
      let ab3 = rotated(e18 ^ ad3, 21)
      let ab4 = rotated(e24 ^ ad4, 14)
      a0 = ab0 ^ (ab1 | ab2) ^ Self.roundConstants[unchecked: round &+ 1]
      a1 = ab1 ^ (~ab2 | ab3)
      a2 = ab2 ^ (ab3 & ab4)
      a3 = ab3 ^ (ab4 | ab0)
      a4 = ab4 ^ (ab0 & ab1)
      let ab5 = rotated(e3 ^ ad3, 28)
      let ab6 = rotated(e9 ^ ad4, 20)
      let ab7 = rotated(e10 ^ ad0, 3)
      let ab8 = rotated(e16 ^ ad1, 45)
      let ab9 = rotated(e22 ^ ad2, 61)
      a5 = ab5 ^ (ab6 | ab7)
      a6 = ab6 ^ (ab7 & ab8)
      a7 = ab7 ^ (ab8 | ~ab9)
      a8 = ab8 ^ (ab9 | ab5)
      a9 = ab9 ^ (ab5 & ab6)
      let ab10 = rotated(e1 ^ ad1, 1)
      let ab11 = rotated(e7 ^ ad2, 6)
      let ab12 = rotated(e13 ^ ad3, 25)
      let ab13 = rotated(e19 ^ ad4, 8)
      let ab14 = rotated(e20 ^ ad0, 18)
      let an2 = ~ab13
      a10 = ab10 ^ (ab11 | ab12)
      a11 = ab11 ^ (ab12 & ab13)
      a12 = ab12 ^ (an2 & ab14)
      a13 = an2 ^ (ab14 | ab10)
      a14 = ab14 ^ (ab10 & ab11)
      let ab15 = rotated(e4 ^ ad4, 27)
      let ab16 = rotated(e5 ^ ad0, 36)
      let ab17 = rotated(e11 ^ ad1, 10)
      let ab18 = rotated(e17 ^ ad2, 15)
      let ab19 = rotated(e23 ^ ad3, 56)
      let an3 = ~ab18
      a15 = ab15 ^ (ab16 & ab17)
      a16 = ab16 ^ (ab17 | ab18)
      a17 = ab17 ^ (an3 | ab19)
      a18 = an3 ^ (ab19 & ab15)
      a19 = ab19 ^ (ab15 | ab16)
      let ab20 = rotated(e2 ^ ad2, 62)
      let ab21 = rotated(e8 ^ ad3, 55)
      let ab22 = rotated(e14 ^ ad4, 39)
      let ab23 = rotated(e15 ^ ad0, 41)
      let ab24 = rotated(e21 ^ ad1, 2)
      let an4 = ~ab21
      a20 = ab20 ^ (an4 & ab22)
      a21 = an4 ^ (ab22 | ab23)
      a22 = ab22 ^ (ab23 & ab24)
      a23 = ab23 ^ (ab24 | ab20)
      a24 = ab24 ^ (ab20 & ab21)
      round &+= 2
    }
    lane0 = a0
    lane1 = ~a1
    lane2 = ~a2
    lane3 = a3
    lane4 = a4
    lane5 = a5
    lane6 = a6
    lane7 = a7
    lane8 = ~a8
    lane9 = a9
    lane10 = a10
    lane11 = a11
    lane12 = ~a12
    lane13 = a13
    lane14 = a14
    lane15 = a15
    lane16 = a16
    lane17 = ~a17
    lane18 = a18
    lane19 = a19
    lane20 = ~a20
    lane21 = a21
    lane22 = a22
    lane23 = a23
    lane24 = a24
  }

  /// Rotation to the left by 1 to 63 bits.
  @inline(__always)
  private func rotated(_ lane: UInt64, _ count: UInt64) -> UInt64 {
    (lane &<< count) | (lane &>> (64 &- count))
  }

  /// The constants of step iota, one a round (FIPS 202, algorithm 5).
  static let roundConstants: InlineArray<24, UInt64> = [
    0x0000_0000_0000_0001, 0x0000_0000_0000_8082, 0x8000_0000_0000_808A, 0x8000_0000_8000_8000,
    0x0000_0000_0000_808B, 0x0000_0000_8000_0001, 0x8000_0000_8000_8081, 0x8000_0000_0000_8009,
    0x0000_0000_0000_008A, 0x0000_0000_0000_0088, 0x0000_0000_8000_8009, 0x0000_0000_8000_000A,
    0x0000_0000_8000_808B, 0x8000_0000_0000_008B, 0x8000_0000_0000_8089, 0x8000_0000_0000_8003,
    0x8000_0000_0000_8002, 0x8000_0000_0000_0080, 0x0000_0000_0000_800A, 0x8000_0000_8000_000A,
    0x8000_0000_8000_8081, 0x8000_0000_0000_8080, 0x0000_0000_8000_0001, 0x8000_0000_8000_8008,
  ]
}
