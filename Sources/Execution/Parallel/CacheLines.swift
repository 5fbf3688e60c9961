/// Room between what different threads write: two cache lines, as processors fetch them in pairs.
struct CacheLines: BitwiseCopyable {
  private let words = (
    UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0),
    UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0)
  )

  static var bytes: Int { 128 }
}
