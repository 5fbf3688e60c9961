import Testing

/// The suites over the fake driver, one after the other.
@Suite(.serialized) enum CUDATests {}
