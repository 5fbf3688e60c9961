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

/* A lane's own memory: `TransactionKernel.localBytes`. */
static inline __attribute__((always_inline)) void *device_local_workspace(void) {
  return __builtin_alloca_with_align(148 << 10, 128);
}

#endif
