/// What tower, point and pairing arithmetic asks of a field.
///
/// Used only as a generic constraint, so every use is specialised. Values are kept reduced: equal
/// elements have equal bits.
protocol FiniteField: BitwiseCopyable, Equatable, Sendable {
  /// The neutral element of addition.
  static var zero: Self { get }
  /// The neutral element of multiplication.
  static var one: Self { get }
  /// Whether this is zero.
  var isZero: Bool { get }
  /// The sum.
  static func + (a: Self, b: Self) -> Self
  /// The difference.
  static func - (a: Self, b: Self) -> Self
  /// The product.
  static func * (a: Self, b: Self) -> Self
  /// The additive inverse.
  static prefix func - (a: Self) -> Self
  /// Twice the value.
  var doubled: Self { get }
  /// Half the value.
  var halved: Self { get }
  /// The square.
  var squared: Self { get }
  /// The multiplicative inverse in variable time, for public values only; zero for zero.
  var inverse: Self { get }
}
