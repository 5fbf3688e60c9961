import Foundation

/// A C library that is opened when the program runs, so that nothing is needed to build it.
struct DynamicLibrary {
  private let handle: UnsafeMutableRawPointer

  /// Opens the first of these that is there; `nil` when none is.
  init?(_ names: [String]) {
    for name in names {
      if let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) {
        self.handle = handle
        return
      }
    }
    return nil
  }

  /// The function of a name as a C function type; `nil` when the library lacks it.
  ///
  /// The type must be the function's own: nothing can check it.
  func function<Function>(_ name: String, as type: Function.Type) -> Function? {
    guard let symbol = dlsym(handle, name) else { return nil }
    return unsafeBitCast(symbol, to: type)
  }
}
