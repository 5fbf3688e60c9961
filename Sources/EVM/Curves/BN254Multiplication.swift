/// Multiplication of points of G1 by scalars.
extension BN254 {
  /// b of the curve y^2 = x^3 + b: three, in Montgomery form.
  @inline(__always)
  static var g1B: Fp {
    Fp(
      montgomery: UInt256(
        0x7a17_caa9_50ad_28d7, 0x1f6a_c17a_e155_21b9, 0x334b_ea4e_696b_d284, 0x2a1f_6744_ce17_9d8e))
  }

  /// `scalar`·`point`, for any 256-bit scalar. Variable time: for public values only.
  ///
  /// The endomorphism (x, y) to (β·x, y) multiplies by λ, so the scalar is split into two of half
  /// the length (Gallant, Lambert and Vanstone, "Faster point multiplication on elliptic curves
  /// with efficient endomorphisms", CRYPTO 2001), whose signed digits share the doublings.
  static func multiply(_ point: G1Affine, by scalar: UInt256) -> G1Affine {
    if point.isInfinity { return point }
    let (low, high) = split(reducedModuloOrder(scalar))
    let lowDigits = WindowedDigits(low, width: 5)
    let highDigits = WindowedDigits(high, width: 5)
    // Odd multiples 1, 3, ..., 15 of the point, and of its image under the endomorphism.
    let (multiples, scale) = oddMultiples(of: point)
    var sum = JacobianPoint<Fp>.infinity
    var place = WindowedDigits.count &- 1
    while place >= 0 {
      sum = sum.doubled
      let lowDigit = lowDigits.digit(at: place)
      if lowDigit != 0 { sum = sum.adding(multiples.multiple(lowDigit)) }
      let highDigit = highDigits.digit(at: place)
      if highDigit != 0 {
        var multiple = multiples.multiple(highDigit)
        multiple.x = multiple.x * endomorphismFactor
        sum = sum.adding(multiple)
      }
      place &-= 1
    }
    // The multiples are points of the curve scaled by `scale`; this brings the sum back.
    sum.z = sum.z * scale
    return sum.affine
  }

  /// The scalar modulo r: at most five subtractions, as 2^256 < 6r.
  @inline(__always)
  static func reducedModuloOrder(_ scalar: UInt256) -> UInt256 {
    var reduced = scalar
    while !(reduced < BN254ScalarParameters.modulus) {
      reduced = reduced &- BN254ScalarParameters.modulus
    }
    return reduced
  }

  /// β, a cube root of one in Fp: (x, y) to (β·x, y) is multiplication by λ on G1.
  @inline(__always)
  static var endomorphismFactor: Fp {
    Fp(
      montgomery: UInt256(
        0x7193_0c11_d782_e155, 0xa6bb_947c_ffbe_3323, 0xaa30_3344_d474_1444, 0x2c3b_3f0d_2659_4943))
  }

  /// Two integers below 2^127 in magnitude with low + high·λ = scalar modulo r, for a scalar below r.
  ///
  /// λ = 36x^3 + 18x^2 + 6x + 1 (192 bits). (n1, n) and (n, -n2) span the lattice of pairs (a, b)
  /// with a + b·λ = 0 modulo r, and n1·n2 + n^2 = r.
  static func split(_ scalar: UInt256) -> (low: SignedMagnitude128, high: SignedMagnitude128) {
    let n1 = UInt256(0x0be4_e154_1221_250b, 0x6f4d_8248_eeb8_59fd, 0, 0)
    let n2 = UInt256(0x8211_bbeb_7d4f_1128, 0x6f4d_8248_eeb8_59fc, 0, 0)
    let n = UInt256(0x89d3_2568_94d2_13e3)
    // round(2^256·n2/r) and round(2^256·n/r).
    let g1 = UInt256(
      0x7a7b_d9d4_391e_b18e, 0x4cce_f014_a773_d2cf, 0x0000_0000_0000_0002, 0x0000_0000_0000_0000)
    let g2 = UInt256(0xd91d_232e_c7e0_b3d7, 0x0000_0000_0000_0002, 0, 0)
    // The closest lattice point is c1·(n1, n) + c2·(n, -n2), up to one in each factor.
    let c1 = roundedQuotient(scalar, g1)
    let c2 = roundedQuotient(scalar, g2)
    // The differences are below 2^127 in magnitude, so arithmetic modulo 2^256 is exact.
    let low = scalar &- c1 &* n1 &- c2 &* n
    let high = c2 &* n2 &- c1 &* n
    return (SignedMagnitude128(low), SignedMagnitude128(high))
  }

  /// a·g/2^256 to the nearest integer.
  @inline(__always)
  private static func roundedQuotient(_ a: UInt256, _ g: UInt256) -> UInt256 {
    let product = UInt256.multiplyFullWidth(a, g)
    return product.high &+ UInt256(product.low.limb3 >> 63)
  }

  /// Odd multiples of a point, 1 to 15 times it.
  struct OddMultiples: BitwiseCopyable {
    fileprivate var points: InlineArray<8, G1Affine>

    /// `digit` times the point, for an odd digit from -15 to 15.
    @inline(__always)
    func multiple(_ digit: Int) -> G1Affine {
      // |digit| / 2 is 0 to 7.
      digit > 0 ? points[unchecked: digit >> 1] : -points[unchecked: (0 &- digit) >> 1]
    }
  }

  /// Odd multiples of a point other than infinity, as affine points of the curve that the map
  /// (x, y) to (x·s^2, y·s^3) gives, and s, without an inversion.
  ///
  /// The trick of libsecp256k1's "effective affine": all formulas hold on that curve too.
  private static func oddMultiples(of point: G1Affine) -> (OddMultiples, scale: Fp) {
    // On the curve scaled by the z of 2·point, both 2·point and point are affine.
    let double = JacobianPoint(point).doubled
    let step = G1Affine(x: double.x, y: double.y)
    let zz = double.z.squared
    let first = G1Affine(x: point.x * zz, y: point.y * (zz * double.z))
    var points = InlineArray<8, G1Affine>(repeating: first)
    var ratios = InlineArray<8, Fp>(repeating: .one)
    var current = JacobianPoint(first)
    var index = 1
    while index < 8 {
      // No special case: the order is a large prime, so 1, 3, ..., 13 and 2 differ in sign too.
      let (sum, ratio) = current.addingReportingRatio(step)
      current = sum
      points[unchecked: index] = G1Affine(x: sum.x, y: sum.y)
      ratios[unchecked: index] = ratio
      index &+= 1
    }
    // Bring all to the last one's z.
    var scale = Fp.one
    index = 6
    while index >= 0 {
      scale = scale * ratios[unchecked: index &+ 1]
      let square = scale.squared
      let entry = points[unchecked: index]
      points[unchecked: index] = G1Affine(x: entry.x * square, y: entry.y * (square * scale))
      index &-= 1
    }
    return (OddMultiples(points: points), current.z * double.z)
  }
}
