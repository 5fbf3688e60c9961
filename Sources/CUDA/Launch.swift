/// How many threads run a kernel, and how they are grouped.
package struct LaunchShape: Hashable, Sendable {
  /// Blocks along each axis.
  package var grid: (x: Int, y: Int, z: Int) { (x: gridX, y: gridY, z: gridZ) }
  /// Threads of a block along each axis.
  package var block: (x: Int, y: Int, z: Int) { (x: blockX, y: blockY, z: blockZ) }
  /// Shared memory beyond what the code declares, bytes a block.
  package var sharedBytes: Int

  private let gridX: Int
  private let gridY: Int
  private let gridZ: Int
  private let blockX: Int
  private let blockY: Int
  private let blockZ: Int

  /// Blocks and threads of a block along three axes, each at least one.
  package init(
    grid: (x: Int, y: Int, z: Int), block: (x: Int, y: Int, z: Int), sharedBytes: Int = 0
  ) {
    precondition(
      min(grid.x, grid.y, grid.z, block.x, block.y, block.z) > 0 && sharedBytes >= 0,
      "a launch has at least one block of one thread")
    (gridX, gridY, gridZ) = grid
    (blockX, blockY, blockZ) = block
    self.sharedBytes = sharedBytes
  }

  /// As many blocks of `threads` as it takes for `lanes`; the last one may be partly beyond them.
  package init(lanes: Int, threads: Int, sharedBytes: Int = 0) {
    precondition(lanes > 0 && threads > 0, "a launch has at least one block of one thread")
    self.init(
      grid: ((lanes - 1) / threads + 1, 1, 1), block: (threads, 1, 1), sharedBytes: sharedBytes)
  }

  /// Threads in all.
  package var threads: Int { gridX * gridY * gridZ * blockX * blockY * blockZ }
}

/// What a kernel takes as an argument: an integer or an address.
package protocol LaunchArgument {
  /// The argument's bytes, the first in the lowest bits.
  var slot: UInt64 { get }
}

extension Int32: LaunchArgument {
  package var slot: UInt64 { UInt64(UInt32(bitPattern: self)) }
}

extension UInt32: LaunchArgument {
  package var slot: UInt64 { UInt64(self) }
}

extension Int: LaunchArgument {
  package var slot: UInt64 { UInt64(bitPattern: Int64(self)) }
}

extension UInt64: LaunchArgument {
  package var slot: UInt64 { self }
}

extension DeviceAddress: LaunchArgument {
  package var slot: UInt64 { rawValue }
}

extension Stream {
  /// Queues a launch behind all that is queued on this stream. Arguments follow the kernel's
  /// parameters in number, order and size: nothing checks them.
  ///
  /// What they point to has to live until the stream has passed the launch. An error of an earlier
  /// launch may appear here.
  package func launch<each Argument: LaunchArgument>(
    _ function: Function, _ shape: LaunchShape, _ argument: repeat each Argument
  ) throws(CUDAError) {
    // The driver takes one pointer for each argument and reads as many bytes as the parameter has:
    // the low ones of a slot, on a machine that puts them first.
    var slots: [UInt64] = []
    repeat slots.append((each argument).slot)
    let (grid, block) = (shape.grid, shape.block)
    let status = slots.withUnsafeMutableBufferPointer { slots in
      var pointers = slots.indices.map { index in
        UnsafeMutableRawPointer?(UnsafeMutableRawPointer(slots.baseAddress! + index))
      }
      return pointers.withUnsafeMutableBufferPointer { pointers in
        context.status {
          $0.launchKernel(
            function.handle, UInt32(grid.x), UInt32(grid.y), UInt32(grid.z), UInt32(block.x),
            UInt32(block.y), UInt32(block.z), UInt32(shape.sharedBytes), handle,
            pointers.baseAddress, nil)
        }
      }
    }
    if status == Status.success { return }
    throw context.device.driver.functions.failure("cuLaunchKernel", status).adding(
      "; the kernel is \(function.name), \(grid.x) x \(grid.y) x \(grid.z) blocks of "
        + "\(block.x) x \(block.y) x \(block.z) threads")
  }
}
