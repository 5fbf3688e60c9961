/* The kernels that `make kernels` has made, as bytes of the program; none without it. */
#ifndef NEEDLETAIL_CKERNELIMAGE_H
#define NEEDLETAIL_CKERNELIMAGE_H

#include <stddef.h>

/* Bytes that live as long as the program. */
struct kernel_image_bytes {
  /* For messages. */
  const char *name;
  const unsigned char *start;
  size_t count;
};

/* How many images there are: for each module PTX text, which the driver compiles for any device
 * from its target on, and machine code for sm_90. */
int kernel_image_count(void);
/* One of them. */
struct kernel_image_bytes kernel_image(int index);

#endif
