/* The kernels that `make kernels` has made, as bytes of the program; none without it. */
#ifndef NEEDLETAIL_CKERNELIMAGE_H
#define NEEDLETAIL_CKERNELIMAGE_H

#include <stddef.h>

/* Bytes that live as long as the program; NULL and 0 for none. */
struct kernel_image_bytes {
  const unsigned char *start;
  size_t count;
};

/* PTX text, which the driver compiles for any device from its target on. */
struct kernel_image_bytes kernel_image_ptx(void);
/* Machine code for sm_90. */
struct kernel_image_bytes kernel_image_sm_90(void);

#endif
