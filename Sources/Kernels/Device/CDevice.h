/* The device's special registers, by the names of LLVM's intrinsics. */
#ifndef NEEDLETAIL_CDEVICE_H
#define NEEDLETAIL_CDEVICE_H

/* The lane's number in its block. */
int device_thread_index(void) __asm__("llvm.nvvm.read.ptx.sreg.tid.x");
/* The block's number in the launch. */
int device_block_index(void) __asm__("llvm.nvvm.read.ptx.sreg.ctaid.x");
/* Lanes in a block. */
int device_block_size(void) __asm__("llvm.nvvm.read.ptx.sreg.ntid.x");

#endif
