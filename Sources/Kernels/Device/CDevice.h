/* The device's special registers and memory, by the names of LLVM's intrinsics. */
#ifndef NEEDLETAIL_CDEVICE_H
#define NEEDLETAIL_CDEVICE_H

/* The lane's number in its block. */
int device_thread_index(void) __asm__("llvm.nvvm.read.ptx.sreg.tid.x");
/* The block's number in the launch. */
int device_block_index(void) __asm__("llvm.nvvm.read.ptx.sreg.ctaid.x");
/* Lanes in a block. */
int device_block_size(void) __asm__("llvm.nvvm.read.ptx.sreg.ntid.x");
/* Nanoseconds of a clock that all lanes share. */
unsigned long long device_nanoseconds(void) __asm__("llvm.nvvm.read.ptx.sreg.globaltimer");

/* Adds for all lanes of the device; gives the value before. */
static inline __attribute__((always_inline)) unsigned long long
device_fetch_add(void *counter, unsigned long long amount) {
  return __atomic_fetch_add((unsigned long long *)counter, amount, __ATOMIC_RELAXED);
}

/* Eight bytes of another lane of the warp, all lanes of which are here: of the one `distance` below (its own
   where there is none), and of the last one. */
static inline __attribute__((always_inline)) unsigned long long
device_from_below(unsigned long long value, int distance) {
  unsigned low = (unsigned)value, high = (unsigned)(value >> 32);
  __asm__ volatile("shfl.sync.up.b32 %0, %0, %1, 0, 0xffffffff;" : "+r"(low) : "r"(distance));
  __asm__ volatile("shfl.sync.up.b32 %0, %0, %1, 0, 0xffffffff;" : "+r"(high) : "r"(distance));
  return (unsigned long long)high << 32 | low;
}
static inline __attribute__((always_inline)) unsigned long long
device_from_last(unsigned long long value) {
  unsigned low = (unsigned)value, high = (unsigned)(value >> 32);
  __asm__ volatile("shfl.sync.idx.b32 %0, %0, 31, 31, 0xffffffff;" : "+r"(low));
  __asm__ volatile("shfl.sync.idx.b32 %0, %0, 31, 31, 0xffffffff;" : "+r"(high));
  return (unsigned long long)high << 32 | low;
}

/* As `device_fetch_add`, by one addition for a warp whose lanes are all here: to add to the same word they
   would wait for each other. */
static inline __attribute__((always_inline)) unsigned long long
device_fetch_add_together(void *counter, unsigned long long amount) {
  unsigned present, lane;
  __asm__ volatile("activemask.b32 %0;" : "=r"(present));
  if (present != 0xffffffff) return device_fetch_add(counter, amount);
  __asm__ volatile("mov.u32 %0, %%laneid;" : "=r"(lane));
  unsigned long long sum = amount;
  for (unsigned distance = 1; distance < 32; distance <<= 1) {
    unsigned long long below = device_from_below(sum, distance);
    if (lane >= distance) sum += below;
  }
  unsigned long long before = 0;
  if (lane == 31) before = device_fetch_add(counter, sum);
  return device_from_last(before) + sum - amount;
}

/* A lane's own memory: `TransactionKernel.localBytes`. */
static inline __attribute__((always_inline)) void *device_local_workspace(void) {
  return __builtin_alloca_with_align(148 << 10, 128);
}

/* Sixteen bytes of global memory that all lanes read and nobody writes while kernels run; they are what the
   first-level cache gives up last. */
typedef struct {
  unsigned long long low, high;
} device_shared_pair;
static inline __attribute__((always_inline)) device_shared_pair
device_read_shared_pair(const void *address) {
  device_shared_pair pair;
  __asm__("ld.global.nc.L1::evict_last.v2.u64 %{%0, %1%}, [%2];"
          : "=l"(pair.low), "=l"(pair.high)
          : "l"(address));
  return pair;
}

/* 256 bytes that the lanes of a block share. */
static inline __attribute__((always_inline)) void *device_block_memory(void) {
  void *address;
  __asm__ volatile("%{ .reg .u64 place; .shared .align 16 .b8 needletail_block[256];"
          " mov.u64 place, needletail_block; cvta.shared.u64 %0, place; %}"
          : "=l"(address));
  return address;
}

/* Local memory by its own addresses, of 32 bits: address space 5 in LLVM's user guide for NVPTX. */
#define DEVICE_LOCAL __attribute__((address_space(5)))
#define DEVICE_INLINE static inline __attribute__((always_inline))

typedef unsigned long long device_pair __attribute__((vector_size(16)));
/* A word of 256 bits, 16-byte aligned. */
typedef struct {
  unsigned long long l0, l1, l2, l3;
} device_word;

/* The local address of an address in local memory. */
DEVICE_INLINE unsigned device_local_address(const void *pointer) {
  return (unsigned)(unsigned long)(const DEVICE_LOCAL char *)pointer;
}
/* The address of a local address. */
DEVICE_INLINE void *device_local_pointer(unsigned address) {
  return (void *)(DEVICE_LOCAL char *)(unsigned long)address;
}
DEVICE_INLINE device_word device_local_word(unsigned address) {
  const DEVICE_LOCAL device_pair *pairs = (const DEVICE_LOCAL device_pair *)(unsigned long)address;
  device_pair low = pairs[0], high = pairs[1];
  device_word word = {low[0], low[1], high[0], high[1]};
  return word;
}
DEVICE_INLINE void device_local_set_word(
    unsigned address, unsigned long long l0, unsigned long long l1, unsigned long long l2,
    unsigned long long l3) {
  DEVICE_LOCAL device_pair *pairs = (DEVICE_LOCAL device_pair *)(unsigned long)address;
  device_pair low = {l0, l1}, high = {l2, l3};
  pairs[0] = low;
  pairs[1] = high;
}

#endif
